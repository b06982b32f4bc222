/** What a role is made of, changed: scopes of resource servers (`api`), and organization scopes. */
import { DomainError, notFound, referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import { assertAdministratorRemains, assertHolds } from '../access/management-scopes.ts';
import { assertNotProtected } from '../administrators/administrators.ts';
import { chunksOf, inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { loadRole } from './read-roles.ts';
import type { Role, RoleLevel } from './role.ts';

/** Scopes of resource servers, or organization scopes. */
export type ScopeKind = 'api' | 'organization';

interface NamedScope {
  readonly id: string;
  readonly name: string;
  /** Of a scope at a management audience: which one. */
  readonly systemKind: string | null;
}

interface Given {
  /** What the request calls the list of ids. */
  readonly path: string;
  /** A scope that the role gives already is an error. */
  readonly refuseRepeated?: boolean;
}

/**
 * Puts further scopes into a role; returns the ids of those that are new. Throws `entity.not_found` (the role),
 * `entity.reference_not_found`, `entity.exists` (of thing `role scope`), `role.management_scopes_for_users`,
 * `auth.exceeds_own`, `role.protected`, `auth.organization_token`.
 */
export async function addScopesToRole(
  ctx: Context,
  target: { id: string; level: RoleLevel },
  kind: ScopeKind,
  scopeIds: readonly string[],
  given: Given,
): Promise<string[]> {
  assertWholeTenant(ctx, 'change roles');
  return ctx.db.transact(async (trx) => {
    const role = await loadRole(ctx, trx, target.id, target.level);
    assertNotProtected(role);
    const added = await insertScopes(ctx, trx, role, kind, scopeIds, given);
    if (added.length > 0) await record(ctx, trx, role, { added: added.map(({ name }) => name) });
    return added.map(({ id }) => id);
  });
}

/** Makes the scopes of a role exactly these. Throws as `addScopesToRole` does, and `client.last_administrator`. */
export async function replaceScopesOfRole(
  ctx: Context,
  target: { id: string; level: RoleLevel },
  kind: ScopeKind,
  scopeIds: readonly string[],
  given: Given,
): Promise<void> {
  assertWholeTenant(ctx, 'change roles');
  await ctx.db.transact(async (trx) => {
    const role = await loadRole(ctx, trx, target.id, target.level);
    assertNotProtected(role);
    const gone = (await idsOf(ctx, trx, role.id, kind)).filter((id) => !scopeIds.includes(id));
    const added = await insertScopes(ctx, trx, role, kind, scopeIds, given);
    const removed = await deleteScopes(ctx, trx, role, kind, gone);
    await record(ctx, trx, role, { added: added.map(({ name }) => name), removed });
  });
}

/** Takes one scope out of a role. Throws `entity.not_found`, `client.last_administrator`, `auth.organization_token`. */
export async function removeScopeFromRole(
  ctx: Context,
  target: { id: string; level: RoleLevel },
  kind: ScopeKind,
  scopeId: string,
): Promise<void> {
  assertWholeTenant(ctx, 'change roles');
  await ctx.db.transact(async (trx) => {
    const role = await loadRole(ctx, trx, target.id, target.level);
    assertNotProtected(role);
    if (!(await idsOf(ctx, trx, role.id, kind)).includes(scopeId)) {
      throw notFound(kind === 'api' ? 'scope' : 'organization scope');
    }
    const removed = await deleteScopes(ctx, trx, role, kind, [scopeId]);
    await record(ctx, trx, role, { removed });
  });
}

/**
 * Takes scopes out of a role; those it does not have do not matter. Throws `entity.not_found` (the role),
 * `client.last_administrator`, `auth.organization_token`.
 */
export async function removeScopesFromRole(
  ctx: Context,
  target: { id: string; level: RoleLevel },
  kind: ScopeKind,
  scopeIds: readonly string[],
): Promise<void> {
  assertWholeTenant(ctx, 'change roles');
  await ctx.db.transact(async (trx) => {
    const role = await loadRole(ctx, trx, target.id, target.level);
    assertNotProtected(role);
    const had = new Set(await idsOf(ctx, trx, role.id, kind));
    const gone = [...new Set(scopeIds)].filter((id) => had.has(id));
    if (gone.length === 0) return;
    const removed = await deleteScopes(ctx, trx, role, kind, gone);
    await record(ctx, trx, role, { removed });
  });
}

/** The insertion itself, inside the transaction that made or loaded the role; returns what is new. */
export async function insertScopes(
  ctx: Context,
  trx: Tx,
  role: Role,
  kind: ScopeKind,
  scopeIds: readonly string[],
  { path, refuseRepeated = false }: Given,
): Promise<NamedScope[]> {
  if (scopeIds.length === 0) return [];
  const ids = [...new Set(scopeIds)];
  const found = new Map((await namedScopes(ctx, trx, kind, ids)).map((scope) => [scope.id, scope]));
  const wanted = ids.map((id) => {
    const scope = found.get(id);
    if (scope === undefined) throw referenceNotFound(kind === 'api' ? 'scope' : 'organization scope', path);
    return scope;
  });
  const had = new Set(await idsOf(ctx, trx, role.id, kind));
  const added = wanted.filter(({ id }) => !had.has(id));
  if (refuseRepeated && added.length < wanted.length) {
    throw new DomainError('entity.exists', 'The role has one of the scopes already.', {
      path,
      data: { thing: 'role scope' },
    });
  }
  await assertMayContain(ctx, trx, role, added, path);
  const of = { tenant_id: ctx.site.tenantId, role_id: role.id };
  for (const part of chunksOf(added, 150)) {
    const insert =
      kind === 'api'
        ? trx.insertInto('role_scopes').values(part.map(({ id }) => ({ ...of, scope_id: id })))
        : trx
            .insertInto('role_organization_scopes')
            .values(part.map(({ id }) => ({ ...of, organization_scope_id: id })));
    await insert.execute();
  }
  return added;
}

/** Management scopes: held by who gives them, and not for users tenant-wide. */
async function assertMayContain(ctx: Context, trx: Tx, role: Role, scopes: readonly NamedScope[], path: string) {
  const management = scopes.filter(({ systemKind }) => systemKind !== null);
  if (management.length === 0) return;
  if (role.subjectKind === 'user' && role.level !== 'organization') {
    throw new DomainError(
      'role.management_scopes_for_users',
      'Scopes of a management API can not be put into a tenant-wide role for users.',
      { path },
    );
  }
  for (const api of ctx.systemApis) {
    const ofApi = management.filter(({ systemKind }) => systemKind === api.kind);
    await assertHolds(
      ctx,
      trx,
      api,
      ofApi.map(({ name }) => name),
    );
  }
}

async function deleteScopes(ctx: Context, trx: Tx, role: Role, kind: ScopeKind, ids: readonly string[]) {
  const gone = await namedScopes(ctx, trx, kind, ids);
  const { tenantId } = ctx.site;
  for (const part of chunksOf(ids)) {
    const deletion =
      kind === 'api'
        ? trx
            .deleteFrom('role_scopes')
            .where('tenant_id', '=', tenantId)
            .where('role_id', '=', role.id)
            .where('scope_id', 'in', part)
        : trx
            .deleteFrom('role_organization_scopes')
            .where('tenant_id', '=', tenantId)
            .where('role_id', '=', role.id)
            .where('organization_scope_id', 'in', part);
    await deletion.execute();
  }
  if (role.subjectKind === 'client' && gone.some(({ systemKind }) => systemKind !== null)) {
    await assertAdministratorRemains(ctx, trx);
  }
  return gone.map(({ name }) => name);
}

async function idsOf(ctx: Context, trx: Tx, roleId: string, kind: ScopeKind): Promise<string[]> {
  if (kind === 'api') {
    const rows = await trx
      .selectFrom('role_scopes')
      .select('scope_id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('role_id', '=', roleId)
      .execute();
    return rows.map(({ scope_id }) => scope_id);
  }
  const rows = await trx
    .selectFrom('role_organization_scopes')
    .select('organization_scope_id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('role_id', '=', roleId)
    .execute();
  return rows.map(({ organization_scope_id }) => organization_scope_id);
}

function namedScopes(ctx: Context, trx: Tx, kind: ScopeKind, ids: readonly string[]): Promise<NamedScope[]> {
  const { tenantId } = ctx.site;
  return inChunks(ids, async (chunk): Promise<NamedScope[]> => {
    if (kind === 'api') {
      return trx
        .selectFrom('scopes as x')
        .innerJoin('resource_servers as r', (join) =>
          join.onRef('r.tenant_id', '=', 'x.tenant_id').onRef('r.id', '=', 'x.resource_server_id'),
        )
        .select(['x.id', 'x.value as name', 'r.system_kind as systemKind'])
        .where('x.tenant_id', '=', tenantId)
        .where('x.id', 'in', chunk)
        .execute();
    }
    const found = await trx
      .selectFrom('organization_scopes')
      .select(['id', 'name'])
      .where('tenant_id', '=', tenantId)
      .where('id', 'in', chunk)
      .execute();
    return found.map((scope) => ({ ...scope, systemKind: null }));
  });
}

const record = (ctx: Context, trx: Tx, role: Role, scopes: Record<string, string[]>) =>
  recordChange(ctx, trx, 'role.updated', role.id, { details: { scopes } });
