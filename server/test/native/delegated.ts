/** Callers that act for one organization, and rows of the tree that a test needs before it begins. */
import { randomBytes } from 'node:crypto';
import { nowhere } from '../../src/domain/context.ts';
import { createOrganization } from '../../src/domain/organizations/organizations.ts';
import { storedIdentifier } from '../../src/domain/resource-servers/system.ts';
import { createUser } from '../../src/domain/users/users.ts';
import type { Answer, TestServer } from '../harness.ts';

export interface DelegatedCaller {
  clientId: string;
  clientSecret: string;
  /** Of the organization role that gives it its scopes. */
  roleId: string;
  membershipId: string;
  /** For the native management audience; speaks for the organization. */
  token: string;
}

const randomId = (prefix: string): string => `${prefix}${randomBytes(8).toString('hex')}`;

/** A token of the first management client for the native API. */
export const nativeToken = (server: TestServer): Promise<string> => server.managementToken(server.nativeAudience);

export type Call = (method: string, path: string, json?: unknown) => Promise<Answer>;

/** Calls of the native API with a token; paths begin after `/api`. */
export const callsWith =
  (server: TestServer, token: string): Call =>
  (method, path, json) =>
    server.request(method, `/api${path}`, json === undefined ? { token } : { token, json });

/** The address of the page that `Link` calls next, after `/api`. */
export function nextOf(answer: Answer): string | undefined {
  const match = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '');
  return match?.[1]?.replace(/^.*?\/api/, '');
}

/** All ids of a list, by its cursors; `first` ends in an empty one. */
export async function walk(call: Call, first: string): Promise<string[]> {
  const walked: string[] = [];
  for (let path: string | undefined = first; path !== undefined; ) {
    const answer = await call('GET', path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    walked.push(...answer.body.map(({ id }: { id: string }) => id));
    path = nextOf(answer);
  }
  return walked;
}

/** Makes an organization as the server itself does; a root unless it has a parent. Returns its id. */
export async function makeOrganization(server: TestServer, name: string, parentId: string | null = null) {
  const { services } = server.composed;
  const site = services.sites.ofTenant('default');
  const ctx = { ...services, site, actor: { kind: 'server' as const }, origin: nowhere };
  return (await createOrganization(ctx, { name, parentId })).id;
}

/** An organization role with scopes of the native management audience, as rows. Returns its id. */
export async function makeOrganizationRole(
  server: TestServer,
  role: { scopes: readonly string[]; kind?: 'client' | 'user'; isOwner?: boolean; name?: string },
): Promise<string> {
  const id = randomId('rol_');
  const name = role.name ?? id;
  const identifier = storedIdentifier('api');
  const now = server.composed.services.clock.now();
  await server.composed.services.db.transact(async (trx) => {
    await trx
      .insertInto('roles')
      .values({
        tenant_id: 'default',
        id,
        name,
        name_key: name.toLowerCase(),
        description: null,
        level: 'organization',
        subject_kind: role.kind ?? 'client',
        is_default: 0,
        is_owner: role.isOwner === true ? 1 : 0,
        extras: '{}',
        created_at: now,
        updated_at: now,
      })
      .execute();
    if (role.scopes.length === 0) return;
    const scopes = await trx
      .selectFrom('scopes as x')
      .innerJoin('resource_servers as r', (join) =>
        join.onRef('r.tenant_id', '=', 'x.tenant_id').onRef('r.id', '=', 'x.resource_server_id'),
      )
      .select(['x.id', 'x.value'])
      .where('r.tenant_id', '=', 'default')
      .where('r.identifier', '=', identifier)
      .where('x.value', 'in', role.scopes)
      .execute();
    if (scopes.length !== role.scopes.length) throw new Error(`unknown scopes among ${role.scopes.join(' ')}`);
    await trx
      .insertInto('role_scopes')
      .values(scopes.map((scope) => ({ tenant_id: 'default', role_id: id, scope_id: scope.id })))
      .execute();
  });
  return id;
}

/** A user as the server itself makes one. Returns its id. */
export async function makeUser(
  server: TestServer,
  user: { email: string; emailVerified?: boolean; name?: string },
): Promise<string> {
  const { services } = server.composed;
  const site = services.sites.ofTenant('default');
  const ctx = { ...services, site, actor: { kind: 'server' as const }, origin: nowhere };
  return (await createUser(ctx, { emailVerified: true, ...user })).id;
}

/** A membership with roles, as rows. Returns its id. */
export async function makeMembership(
  server: TestServer,
  membership: {
    organizationId: string;
    subjectId: string;
    kind: 'client' | 'user';
    roleIds?: readonly string[];
    thisOrganizationOnly?: boolean;
  },
): Promise<string> {
  const id = randomId('mem_');
  const now = server.composed.services.clock.now();
  await server.composed.services.db.transact(async (trx) => {
    await trx
      .insertInto('memberships')
      .values({
        tenant_id: 'default',
        id,
        organization_id: membership.organizationId,
        subject_id: membership.subjectId,
        subject_kind: membership.kind,
        this_organization_only: membership.thisOrganizationOnly === true ? 1 : 0,
        created_at: now,
        updated_at: now,
      })
      .execute();
    for (const role_id of membership.roleIds ?? []) {
      await trx.insertInto('membership_roles').values({ tenant_id: 'default', membership_id: id, role_id }).execute();
    }
  });
  return id;
}

/**
 * A customer's own backend: a client that the organization owns, a member of it by a role that gives `scopes` (of the
 * native management audience), with a token that speaks for it.
 */
export async function delegatedCaller(
  server: TestServer,
  options: { organizationId: string; scopes: readonly string[]; isOwner?: boolean },
): Promise<DelegatedCaller> {
  const { organizationId, scopes, isOwner = false } = options;
  const client = await server.manage('POST', '/clients', { name: 'Backend', app_type: 'non_interactive' });
  await server.composed.services.db.transact((trx) =>
    trx
      .updateTable('clients')
      .set({ owner_organization_id: organizationId })
      .where('tenant_id', '=', 'default')
      .where('id', '=', client.client_id)
      .execute(),
  );
  const roleId = await makeOrganizationRole(server, { scopes, isOwner });
  const membershipId = await makeMembership(server, {
    organizationId,
    subjectId: client.client_id,
    kind: 'client',
    roleIds: [roleId],
  });
  const caller = { clientId: client.client_id, clientSecret: client.client_secret, roleId, membershipId };
  return { ...caller, token: await organizationToken(server, caller, organizationId) };
}

/** A token of a client for the native management audience that speaks for an organization. */
export async function organizationToken(
  server: TestServer,
  client: { clientId: string; clientSecret: string },
  organizationId: string,
): Promise<string> {
  const answer = await server.token({
    client_id: client.clientId,
    client_secret: client.clientSecret,
    audience: server.nativeAudience,
    organization: organizationId,
  });
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text}`);
  return answer.body.access_token as string;
}
