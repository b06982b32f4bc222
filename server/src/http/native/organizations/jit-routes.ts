/**
 * `/api/organizations/:id/jit/…`: what makes people members just in time. A token for an organization reads it; only the
 * tenant's own administrators change it.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  AllJitEmailDomains,
  AllSsoConnectorIds,
  CreateJitEmailDomain,
  idsOf,
  JitEmailDomain,
  OrganizationRole,
  PagingQuery,
  Problem,
  SsoConnectorIds,
} from '@sekisho/contract';
import { Type } from 'typebox';
import {
  addEmailDomain,
  listEmailDomains,
  listEmailDomainsByKey,
  removeEmailDomain,
  replaceEmailDomains,
} from '../../../domain/organization-jit/email-domains.ts';
import { listJitRoles, listJitRolesByKey, removeJitRole, setJitRoles } from '../../../domain/organization-jit/roles.ts';
import { getOrganization } from '../../../domain/organizations/read-organizations.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { notFound, referenceNotFound } from '../../../kernel/errors.ts';
import { organizationRoleBody } from '../organization-template/mapping.ts';
import { sendOptionalPage } from '../paging.ts';

const reads = { scopes: ['read:organizations'], delegated: true };
const changes = { scopes: ['update:organizations'] };
const organization = { id: Type.String({ description: 'Of an organization.' }) };
const params = Type.Object(organization);
const failures = { 400: Problem, 401: Problem, 403: Problem, 404: Problem };
const done = { 204: Type.Null(), ...failures };

export const organizationJitRoutes: FastifyPluginAsyncTypebox = async (server) => {
  await server.register(emailDomainRoutes);
  await server.register(roleRoutes);
  await server.register(ssoConnectorRoutes);
};

const emailDomainRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const path = '/organizations/:id/jit/email-domains';
  server.get(
    path,
    {
      config: reads,
      schema: {
        summary: 'List the e-mail domains of an organization',
        description: 'At most 10 000 when no page is asked for.',
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(JitEmailDomain), ...failures },
      },
    },
    (request, reply) => {
      const { context, params } = request;
      const list = {
        byKey: (range: KeysetRange) => listEmailDomainsByKey(context, params.id, range),
        byOffset: (range: OffsetRange) => listEmailDomains(context, params.id, range),
      };
      return sendOptionalPage(request, reply, list, (emailDomain) => ({
        tenantId: context.site.tenantId,
        organizationId: params.id,
        emailDomain,
      }));
    },
  );
  server.post(
    path,
    {
      config: changes,
      schema: {
        summary: 'Bind an e-mail domain to an organization',
        description: 'Who is given a verified address of it from now on becomes a member.',
        params,
        body: CreateJitEmailDomain,
        response: { 201: JitEmailDomain, ...failures, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      const emailDomain = await addEmailDomain(context, params.id, body.emailDomain);
      reply.code(201);
      return { tenantId: context.site.tenantId, organizationId: params.id, emailDomain };
    },
  );
  server.put(
    path,
    {
      config: changes,
      schema: {
        summary: 'Replace the e-mail domains of an organization',
        params,
        body: AllJitEmailDomains,
        response: done,
      },
    },
    async ({ context, params, body }, reply) => {
      await replaceEmailDomains(context, params.id, body.emailDomains);
      reply.code(204);
      return null;
    },
  );
  server.delete(
    `${path}/:emailDomain`,
    {
      config: changes,
      schema: {
        summary: 'Free an e-mail domain',
        params: Type.Object({ ...organization, emailDomain: Type.String() }),
        response: done,
      },
    },
    async ({ context, params }, reply) => {
      await removeEmailDomain(context, params.id, params.emailDomain);
      reply.code(204);
      return null;
    },
  );
};

const roleIds = (minItems: number) =>
  Type.Object({ organizationRoleIds: idsOf('organization roles for users', minItems) });

const roleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const path = '/organizations/:id/jit/roles';
  server.get(
    path,
    {
      config: reads,
      schema: {
        summary: 'List the roles given just in time',
        description: 'At most 10 000 when no page is asked for.',
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(OrganizationRole), ...failures },
      },
    },
    (request, reply) => {
      const { context, params } = request;
      const list = {
        byKey: (range: KeysetRange) => listJitRolesByKey(context, params.id, range),
        byOffset: (range: OffsetRange) => listJitRoles(context, params.id, range),
      };
      return sendOptionalPage(request, reply, list, (role) => organizationRoleBody(context, role));
    },
  );
  server.post(
    path,
    {
      config: changes,
      schema: {
        summary: 'Give more roles just in time',
        params,
        body: roleIds(1),
        response: { 201: roleIds(1), ...failures, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      await setJitRoles(context, params.id, body.organizationRoleIds, { replace: false });
      reply.code(201);
      return { organizationRoleIds: body.organizationRoleIds };
    },
  );
  server.put(
    path,
    {
      config: changes,
      schema: {
        summary: 'Replace the roles given just in time',
        params,
        body: roleIds(0),
        response: { ...done, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      await setJitRoles(context, params.id, body.organizationRoleIds, { replace: true });
      reply.code(204);
      return null;
    },
  );
  server.delete(
    `${path}/:organizationRoleId`,
    {
      config: changes,
      schema: {
        summary: 'Give a role just in time no more',
        params: Type.Object({ ...organization, organizationRoleId: Type.String() }),
        response: done,
      },
    },
    async ({ context, params }, reply) => {
      await removeJitRole(context, params.id, params.organizationRoleId);
      reply.code(204);
      return null;
    },
  );
};

const noConnector = 'There are no SSO connectors: the list is empty, and no id refers to one.';

const ssoConnectorRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const path = '/organizations/:id/jit/sso-connectors';
  server.get(
    path,
    {
      config: reads,
      schema: {
        summary: 'List the SSO connectors of an organization',
        description: noConnector,
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(Type.Object({})), ...failures },
      },
    },
    async (request, reply) => {
      await getOrganization(request.context, request.params.id);
      const none = {
        byKey: async () => ({ items: [] }),
        byOffset: async (range: OffsetRange) => ({ items: [], total: 0, ...range }),
      };
      return sendOptionalPage(request, reply, none, () => ({}));
    },
  );
  server.post(
    path,
    {
      config: changes,
      schema: {
        summary: 'Bind SSO connectors to an organization',
        description: noConnector,
        params,
        body: SsoConnectorIds,
        response: { ...failures, 422: Problem },
      },
    },
    async ({ context, params }) => {
      await getOrganization(context, params.id);
      throw referenceNotFound('SSO connector', 'ssoConnectorIds');
    },
  );
  server.put(
    path,
    {
      config: changes,
      schema: {
        summary: 'Replace the SSO connectors of an organization',
        description: noConnector,
        params,
        body: AllSsoConnectorIds,
        response: { ...done, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      await getOrganization(context, params.id);
      if (body.ssoConnectorIds.length > 0) throw referenceNotFound('SSO connector', 'ssoConnectorIds');
      reply.code(204);
      return null;
    },
  );
  server.delete(
    `${path}/:ssoConnectorId`,
    {
      config: changes,
      schema: {
        summary: 'Free an SSO connector',
        description: noConnector,
        params: Type.Object({ ...organization, ssoConnectorId: Type.String() }),
        response: failures,
      },
    },
    async ({ context, params }) => {
      await getOrganization(context, params.id);
      throw notFound('SSO connector');
    },
  );
};
