import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CreatedOrganizations, CreateOrganizations, Problem } from '@sekisho/contract';
import { type ImportedOrganization, importOrganizations } from '../../../domain/memberships/import-organizations.ts';
import { DomainError, invalid } from '../../../kernel/errors.ts';

/** `/api/organizations/batch`: customers brought over from elsewhere. */
export const organizationBatchRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.post(
    '/organizations/batch',
    {
      config: { scopes: ['create:organizations'], delegated: true },
      schema: {
        summary: 'Create many organizations with their members',
        description:
          'All are created, or none. A parent is named by its id, or by its place in the list. With members the token also needs `create:organization_members`.',
        body: CreateOrganizations,
        response: { 201: CreatedOrganizations, 400: Problem, 401: Problem, 403: Problem, 404: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      const given = request.body.organizations.map(importedOf);
      const { actor } = request.context;
      if (
        given.some(({ members = [] }) => members.length > 0) &&
        actor.kind === 'client' &&
        !actor.scopes.has('create:organization_members')
      ) {
        throw new DomainError('auth.insufficient_scope', 'Members need the scope create:organization_members.', {
          data: { scopes: ['create:organization_members'] },
        });
      }
      const organizationIds = await importOrganizations(request.context, given);
      reply.code(201);
      return { organizationIds };
    },
  );
};

type Given = CreateOrganizations['organizations'][number];

function importedOf({ name, description, customData, parentId, parentIndex, members }: Given, index: number) {
  const imported: ImportedOrganization = {
    name,
    parentId,
    parentIndex,
    ...(description === undefined ? {} : { description }),
    ...(customData === undefined ? {} : { metadata: customData }),
    members: (members ?? []).map(({ userId, applicationId, organizationRoleIds: roleIds = [] }) => {
      if ((userId === undefined) === (applicationId === undefined)) {
        throw invalid(`organizations.${index}.members`, 'A member is a userId or an applicationId.');
      }
      return userId === undefined
        ? { kind: 'client' as const, subjectId: applicationId as string, roleIds }
        : { kind: 'user' as const, subjectId: userId, roleIds };
    }),
  };
  return imported;
}
