/**
 * Tenant-wide roles of users and clients: who has which. Whoever gives one must hold the management scopes in it; a
 * public client has none; the last client able to manage clients keeps what makes it so.
 */
import { DomainError, notFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { assertMayGiveRoles } from '../access/give-roles.ts';
import { assertAdministratorRemains } from '../access/management-scopes.ts';
import { managementScopesOfRoles } from '../access/role-scopes.ts';
import { chunksOf, inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { assertForSubject, loadRole, loadRoles } from './read-roles.ts';
import { assertNotPublic, assertSubject, assertSubjects, type Subject } from './subjects.ts';

/**
 * Gives a subject further roles. Returns all that were named and those that are new. Throws `entity.not_found` (the
 * subject), `entity.reference_not_found`, `role.wrong_subject`, `input.invalid` (a public client), `auth.exceeds_own`.
 */
export async function assignRoles(
  ctx: Context,
  subject: Subject,
  roleIds: readonly string[],
): Promise<{ roleIds: string[]; addedRoleIds: string[] }> {
  return ctx.db.transact(async (trx) => {
    await assertSubject(ctx, trx, subject);
    const wanted = await wantedRoleIds(ctx, trx, subject, roleIds);
    const had = await roleIdsOf(ctx, trx, subject.id);
    const addedRoleIds = wanted.filter((id) => !had.includes(id));
    await give(ctx, trx, subject, addedRoleIds);
    return { roleIds: wanted, addedRoleIds };
  });
}

/** Makes the roles of a subject exactly these. Throws as `assignRoles` does, and `client.last_administrator`. */
export async function replaceRolesOf(ctx: Context, subject: Subject, roleIds: readonly string[]): Promise<string[]> {
  return ctx.db.transact(async (trx) => {
    await assertSubject(ctx, trx, subject);
    const wanted = await wantedRoleIds(ctx, trx, subject, roleIds);
    const had = await roleIdsOf(ctx, trx, subject.id);
    await give(
      ctx,
      trx,
      subject,
      wanted.filter((id) => !had.includes(id)),
    );
    await take(
      ctx,
      trx,
      subject,
      had.filter((id) => !wanted.includes(id)),
    );
    return wanted;
  });
}

/** Takes one role. Throws `entity.not_found` (the subject, or it has no such role), `client.last_administrator`. */
export async function unassignRole(ctx: Context, subject: Subject, roleId: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await assertSubject(ctx, trx, subject);
    if (!(await roleIdsOf(ctx, trx, subject.id)).includes(roleId)) throw notFound('role');
    await take(ctx, trx, subject, [roleId]);
  });
}

/** The same, asked of the role. Throws `entity.not_found` (the role, too), `client.last_administrator`. */
export async function unassignRoleOf(ctx: Context, roleId: string, subject: Subject): Promise<void> {
  await loadRole(ctx, ctx.db.read, roleId, 'tenant');
  await unassignRole(ctx, subject, roleId);
}

/**
 * Gives one role to many users or clients; returns who got it now. With `refuseRepeated`, one that has it already is an
 * error. Throws `entity.not_found` (the role), `entity.reference_not_found`, `entity.exists` (of thing `role user` or
 * `role application`), `role.wrong_subject`, `input.invalid` (a public client), `auth.exceeds_own`.
 */
export async function assignRoleToMany(
  ctx: Context,
  roleId: string,
  kind: SubjectKind,
  ids: readonly string[],
  options: { refuseRepeated?: boolean; path?: string } = {},
): Promise<{ addedIds: string[] }> {
  assertWholeTenant(ctx, 'give tenant-wide roles');
  const path = options.path ?? (kind === 'user' ? 'userIds' : 'applicationIds');
  return ctx.db.transact(async (trx) => {
    const role = await loadRole(ctx, trx, roleId, 'tenant');
    assertForSubject(role, kind, path);
    const wanted = [...new Set(ids)];
    await assertSubjects(ctx, trx, kind, wanted, path);
    const had = await holdersAmong(ctx, trx, roleId, wanted);
    if (options.refuseRepeated && had.size > 0) throw alreadyHas(kind, path);
    await assertMayGiveRoles(ctx, trx, [roleId]);
    const addedIds = wanted.filter((id) => !had.has(id));
    const rows = addedIds.map((id) => ({ subjectId: id, roleId }));
    await insertAssignments(ctx, trx, kind, rows);
    return { addedIds };
  });
}

/** The default roles for a user that is being created, inside that transaction. They never give management scopes. */
export async function assignDefaultRoles(ctx: Context, trx: Tx, userId: string): Promise<void> {
  const roles = await trx
    .selectFrom('roles')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('is_default', '=', 1)
    .where('subject_kind', '=', 'user')
    .where('level', 'in', ['tenant', 'both'])
    .execute();
  const rows = roles.map(({ id }) => ({ subjectId: userId, roleId: id }));
  await insertAssignments(ctx, trx, 'user', rows);
}

const wantedRoleIds = async (ctx: Context, trx: Tx, { kind }: Subject, roleIds: readonly string[]) =>
  (await loadRoles(ctx, trx, roleIds, { level: 'tenant', subjectKind: kind }, 'roleIds')).map(({ id }) => id);

async function give(ctx: Context, trx: Tx, { kind, id }: Subject, roleIds: readonly string[]): Promise<void> {
  if (roleIds.length === 0) return;
  await assertNotPublic(ctx, trx, { kind, id }, 'roleIds');
  await assertMayGiveRoles(ctx, trx, roleIds);
  const rows = roleIds.map((roleId) => ({ subjectId: id, roleId }));
  await insertAssignments(ctx, trx, kind, rows);
}

async function take(ctx: Context, trx: Tx, { kind, id }: Subject, roleIds: readonly string[]): Promise<void> {
  if (roleIds.length === 0) return;
  for (const part of chunksOf(roleIds)) {
    await trx
      .deleteFrom('role_assignments')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('subject_id', '=', id)
      .where('role_id', 'in', part)
      .execute();
  }
  for (const roleId of roleIds) await record(ctx, trx, 'role.unassigned', kind, id, roleId);
  if (kind === 'client' && (await managementScopesOfRoles(ctx, trx, roleIds)).size > 0) {
    await assertAdministratorRemains(ctx, trx);
  }
}

async function insertAssignments(
  ctx: Context,
  trx: Tx,
  kind: SubjectKind,
  rows: readonly { subjectId: string; roleId: string }[],
): Promise<void> {
  const created_at = ctx.clock.now();
  const values = rows.map(({ subjectId, roleId }) => ({
    tenant_id: ctx.site.tenantId,
    subject_id: subjectId,
    role_id: roleId,
    subject_kind: kind,
    created_at,
  }));
  for (const part of chunksOf(values, 100)) await trx.insertInto('role_assignments').values(part).execute();
  for (const { subjectId, roleId } of rows) await record(ctx, trx, 'role.assigned', kind, subjectId, roleId);
}

const record = (
  ctx: Context,
  trx: Tx,
  change: 'role.assigned' | 'role.unassigned',
  kind: SubjectKind,
  id: string,
  roleId: string,
) =>
  recordChange(
    ctx,
    trx,
    change,
    roleId,
    kind === 'user' ? { userId: id, details: { userId: id } } : { details: { clientId: id } },
  );

/** All roles a subject has tenant-wide, by id. */
async function roleIdsOf(ctx: Context, trx: Tx, subjectId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('role_assignments')
    .select('role_id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('subject_id', '=', subjectId)
    .execute();
  return rows.map(({ role_id }) => role_id);
}

async function holdersAmong(ctx: Context, trx: Tx, roleId: string, ids: readonly string[]): Promise<Set<string>> {
  const rows = await inChunks(ids, (chunk) =>
    trx
      .selectFrom('role_assignments')
      .select('subject_id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('role_id', '=', roleId)
      .where('subject_id', 'in', chunk)
      .execute(),
  );
  return new Set(rows.map(({ subject_id }) => subject_id));
}

const alreadyHas = (kind: SubjectKind, path: string): DomainError =>
  new DomainError('entity.exists', `One of them has the role already.`, {
    path,
    data: { thing: kind === 'user' ? 'role user' : 'role application' },
  });
