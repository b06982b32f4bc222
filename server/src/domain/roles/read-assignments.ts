/** Tenant-wide roles read from both sides: the roles of a subject, the subjects of a role. */
import { sql } from 'kysely';
import type { Queryable } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { type ClientSearch, clientCondition } from '../clients/read-clients.ts';
import type { Context } from '../context.ts';
import { isDelegated, organizationInReach } from '../organizations/reach.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { containsText } from '../search.ts';
import { foldCase } from '../users/identity.ts';
import { type UserSearch, userCondition } from '../users/search.ts';
import { loadRole } from './read-roles.ts';
import { type Role, type RoleRow, roleOf } from './role.ts';
import type { Subject } from './subjects.ts';

/** Which of a subject's roles are asked for. */
export interface RolesOfSubjectFilter {
  /** Case-insensitive part of the name. */
  contains?: string | undefined;
}

/** Roles of a user or client by position, in order of their creation. Whether the subject is there is not asked here. */
export async function listRolesOfSubject(
  ctx: Context,
  subject: Subject,
  range: OffsetRange,
  filter: RolesOfSubjectFilter = {},
): Promise<OffsetPage<Role>> {
  const page = await offsetPage<RoleRow>(rolesOf(ctx, ctx.db.reports, subject, filter), range);
  return mapPage(page, page.items.map(roleOf));
}

/** The same by key. Throws `input.cursor_invalid`. */
export async function listRolesOfSubjectByKey(
  ctx: Context,
  subject: Subject,
  range: KeysetRange,
  filter: RolesOfSubjectFilter = {},
): Promise<KeysetPage<Role>> {
  const list = `roles of ${subject.id} ${JSON.stringify(filter)}`;
  const page = await keysetPage<RoleRow>(ctx, list, rolesOf(ctx, ctx.db.read, subject, filter), range);
  return mapPage(page, page.items.map(roleOf));
}

function rolesOf(ctx: Context, db: Queryable, subject: Subject, { contains }: RolesOfSubjectFilter) {
  const { tenantId } = ctx.site;
  const assigned = db
    .selectFrom('role_assignments')
    .select('role_id')
    .where('tenant_id', '=', tenantId)
    .where('subject_id', '=', subject.id)
    .where('subject_kind', '=', subject.kind);
  let query = db.selectFrom('roles').selectAll().where('tenant_id', '=', tenantId).where('id', 'in', assigned);
  if (contains !== undefined) query = query.where(containsText(sql`name_key`, foldCase(contains)));
  return query;
}

/** Who has a role tenant-wide, since when. */
export interface Holder {
  id: string;
  /** When the role was given. */
  createdAt: number;
}

/** What is looked for among the users, or the clients, that have a role. */
export interface HolderFilter {
  /** Case-insensitive part of the id, a name, or (of a user) another identity. */
  contains?: string | undefined;
  users?: UserSearch | undefined;
  clients?: ClientSearch | undefined;
}

type HolderRow = { subject_id: string; created_at: number };

/** Users or clients with a role by position, in the order they got it. Throws `entity.not_found` (the role). */
export async function listSubjectsOfRole(
  ctx: Context,
  roleId: string,
  kind: SubjectKind,
  filter: HolderFilter,
  range: OffsetRange,
): Promise<OffsetPage<Holder>> {
  await loadRole(ctx, ctx.db.read, roleId, 'tenant');
  const page = await offsetPage<HolderRow>(holdersOf(ctx, ctx.db.reports, roleId, kind, filter), range, (query) =>
    query.orderBy('created_at').orderBy('subject_id'),
  );
  return mapPage(page, page.items.map(holderOf));
}

/** The same by key. Throws `entity.not_found` (the role), `input.cursor_invalid`. */
export async function listSubjectsOfRoleByKey(
  ctx: Context,
  roleId: string,
  kind: SubjectKind,
  filter: HolderFilter,
  range: KeysetRange,
): Promise<KeysetPage<Holder>> {
  await loadRole(ctx, ctx.db.read, roleId, 'tenant');
  // A search may pass over many rows: not on the hot connection.
  const isPlain = !isDelegated(ctx) && Object.values(filter).every((value) => value === undefined);
  const query = holdersOf(ctx, isPlain ? ctx.db.read : ctx.db.reports, roleId, kind, filter);
  const list = `holders ${roleId} ${kind} ${JSON.stringify(filter)}`;
  const page = await keysetPage<HolderRow>(ctx, list, query, range, ['created_at', 'subject_id']);
  return mapPage(page, page.items.map(holderOf));
}

const holderOf = (row: HolderRow): Holder => ({ id: row.subject_id, createdAt: row.created_at });

/** A delegated caller sees those its subtree owns. */
const holdersOf = (ctx: Context, db: Queryable, roleId: string, kind: SubjectKind, filter: HolderFilter) =>
  db
    .selectFrom('role_assignments')
    .select(['subject_id', 'created_at'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('role_id', '=', roleId)
    .where('subject_kind', '=', kind)
    .where(kind === 'user' ? isUser(ctx, filter) : isClient(ctx, filter));

const isUser = (ctx: Context, { contains, users }: HolderFilter) =>
  sql<boolean>`exists (select 1 from users where users.tenant_id = role_assignments.tenant_id
    and users.id = role_assignments.subject_id and ${organizationInReach(ctx, 'users.owner_organization_id')}
    and ${users === undefined ? nothing : userCondition(users)}
    and ${hasAny(['users.id', 'users.name', 'users.email_key', 'users.username_key', 'users.phone'], contains)})`;

const isClient = (ctx: Context, { contains, clients }: HolderFilter) =>
  sql<boolean>`exists (select 1 from clients where clients.tenant_id = role_assignments.tenant_id
    and clients.id = role_assignments.subject_id and ${organizationInReach(ctx, 'clients.owner_organization_id')}
    and ${clients === undefined ? nothing : clientCondition(clients)}
    and ${hasAny(['clients.id', 'clients.name'], contains)})`;

/** Asks for nothing. */
const nothing = sql<boolean>`1 = 1`;

function hasAny(columns: readonly string[], contains: string | undefined) {
  if (contains === undefined) return nothing;
  const part = foldCase(contains);
  return sql<boolean>`(${sql.join(
    columns.map((column) => containsText(sql`lower(${sql.ref(column)})`, part)),
    sql` or `,
  )})`;
}
