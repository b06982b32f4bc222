/** What pages offer: the organizations of a person, and what the scopes of a request mean. */
import { storedIdentifierOf } from '../../domain/tenants/sites.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { ProtocolContext } from '../context.ts';
import { isIdentityScope, organizationsResource, organizationsScope } from '../tokens/identity-scopes.ts';
import type { AuthorizationRequest } from './request.ts';

export type AskedAccess = Pick<AuthorizationRequest, 'scopes' | 'audiences' | 'organizationId'>;

export interface NamedOrganization {
  readonly id: string;
  readonly name: string;
}

export interface NamedScope {
  readonly name: string;
  readonly description: string | undefined;
}

export interface RequestedAudience {
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly NamedScope[];
}

const memberships = defineStatement<{ tenantId: string; userId: string }, NamedOrganization>(
  'person_memberships',
  `select o.id as id, o.name as name from memberships m cross join organizations o
  where m.tenant_id = :tenantId and m.subject_id = :userId and o.tenant_id = :tenantId and o.id = m.organization_id
    and o.status = 'active'
  order by o.name_key, o.id limit 200`,
);

/** The organizations the person is a direct member of, by name; at most 200. */
export const organizationsOf = (ctx: ProtocolContext, userId: string): Promise<NamedOrganization[]> =>
  ctx.services.db.run(memberships, { tenantId: ctx.site.tenantId, userId });

const scopesOfApi = defineStatement<
  { tenantId: string; identifier: string },
  { api: string; name: string; description: string | null }
>(
  'scopes_of_api',
  `select r.name as api, x.value as name, x.description as description
  from resource_servers r join scopes x on x.tenant_id = r.tenant_id and x.resource_server_id = r.id
  where r.tenant_id = :tenantId and r.identifier = :identifier order by x.position`,
);

const organizationScopes = defineStatement<{ tenantId: string }, { name: string; description: string | null }>(
  'organization_scope_names',
  'select name, description from organization_scopes where tenant_id = :tenantId order by name',
);

const named = ({ name, description }: { name: string; description: string | null }): NamedScope => ({
  name,
  description: description ?? undefined,
});

/** Where the scopes of a request will count: who may act in an organization gets tokens for it, named or not. */
export function audiencesAsked({ scopes, audiences, organizationId }: AskedAccess): readonly string[] {
  const acts = organizationId !== null || scopes.includes(organizationsScope);
  return acts && !audiences.includes(organizationsResource) ? [...audiences, organizationsResource] : audiences;
}

/** The scopes about the person, and those of each API, that a request asks for. */
export async function requestedScopes(ctx: ProtocolContext, asked: AskedAccess) {
  const { scopes } = asked;
  const { db, systemApis } = ctx.services;
  const { tenantId } = ctx.site;
  const requested = new Set(scopes);
  const apis = await Promise.all(
    audiencesAsked(asked).map(async (identifier): Promise<RequestedAudience> => {
      if (identifier === organizationsResource) {
        return { identifier, name: '', scopes: (await db.run(organizationScopes, { tenantId })).map(named) };
      }
      const stored = storedIdentifierOf({ site: ctx.site, systemApis }, identifier);
      const rows = await db.run(scopesOfApi, { tenantId, identifier: stored });
      return { identifier, name: rows[0]?.api ?? identifier, scopes: rows.map(named) };
    }),
  );
  return {
    scopes: scopes.filter(isIdentityScope).map((name): NamedScope => ({ name, description: undefined })),
    audiences: apis.map(({ scopes: all, ...api }) => ({
      ...api,
      scopes: all.filter(({ name }) => requested.has(name)),
    })),
  };
}
