import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PagingQuery, Problem, RoleScopes, ScopeIds } from '@sekisho/contract';
import { Type } from 'typebox';
import type { Context } from '../../../domain/context.ts';
import { loadRole } from '../../../domain/roles/read-roles.ts';
import { addScopesToRole, removeScopeFromRole } from '../../../domain/roles/role-scopes.ts';
import { defaultAudienceOf } from '../../../domain/tenants/default-audience.ts';
import { failuresOfOne } from '../failures.ts';
import { sendOptionalPage } from '../paging.ts';
import { resourceBody, resourceIdOf, resourceScopeBody } from '../resources/mapping.ts';
import { type ScopeWithApi, scopesOfRole } from '../resources/scopes-of-role.ts';

const level = 'tenant';
const params = Type.Object({ id: Type.String() });
const config = { scopes: ['update:roles'] };

/** `/api/roles/:id/scopes`: what a tenant-wide role is made of. */
export const roleScopeRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/roles/:id/scopes',
    {
      config: { scopes: ['read:roles'], delegated: true },
      schema: {
        summary: 'List the scopes of a role',
        description: 'All of them, unless a page is asked for; each with its API resource.',
        params,
        querystring: PagingQuery,
        response: { 200: RoleScopes, ...failuresOfOne },
      },
    },
    async (request, reply) => {
      const ctx = request.context;
      await loadRole(ctx, ctx.db.read, request.params.id, level);
      return sendOptionalPage(request, reply, scopesOfRole(ctx, request.params.id), await bodyIn(ctx));
    },
  );

  server.post(
    '/roles/:id/scopes',
    {
      config,
      schema: {
        summary: 'Add scopes to a role',
        description: 'Scopes of a management API the caller must hold. Answers all scopes of the role.',
        params,
        body: ScopeIds,
        response: { 201: RoleScopes, ...failuresOfOne, 422: Problem },
      },
    },
    async (request, reply) => {
      const ctx = request.context;
      const { id } = request.params;
      const given = { path: 'scopeIds', refuseRepeated: true };
      await addScopesToRole(ctx, { id, level }, 'api', request.body.scopeIds, given);
      const { items } = await scopesOfRole(ctx, id).byKey({ limit: mostScopes });
      reply.code(201);
      return items.map(await bodyIn(ctx));
    },
  );

  server.delete(
    '/roles/:id/scopes/:scopeId',
    {
      config,
      schema: {
        summary: 'Take a scope out of a role',
        params: Type.Object({ id: Type.String(), scopeId: Type.String() }),
        response: { 204: Type.Null(), ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params: { id, scopeId } }, reply) => {
      await removeScopeFromRole(context, { id, level }, 'api', scopeId);
      reply.code(204);
      return null;
    },
  );
};

/** Most scopes of a role that one answer lists. */
const mostScopes = 10_000;

/** Maps a scope to its body, its API resource inside. */
async function bodyIn(ctx: Context) {
  const defaultAudience = await defaultAudienceOf(ctx);
  return ({ scope, api }: ScopeWithApi) => {
    const isDefault = api.systemKind === null && api.identifier === defaultAudience;
    return {
      ...resourceScopeBody(ctx, scope, resourceIdOf(api)),
      resource: resourceBody(ctx, api, { isDefault }),
    };
  };
}
