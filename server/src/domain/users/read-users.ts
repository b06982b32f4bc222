/** Users read: one, or pages of them, as far as the caller reaches. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { notFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { isDelegated, organizationInReach, ownOrganization } from '../organizations/reach.ts';
import { withinSubtree } from '../organizations/tree.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { emailIdentity } from './identity.ts';
import { type UserSearch, userCondition } from './search.ts';
import { introducedUser, type User, type UserRow, userOf } from './user.ts';
import { type ReadUserRow, userColumns } from './user-columns.ts';

const userSortFields = {
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  lastLoginAt: 'last_login_at',
  loginsCount: 'logins_count',
  email: 'email_key',
  username: 'username_key',
  name: 'name',
  id: 'id',
} as const;

const nullable: ReadonlySet<string> = new Set(['lastLoginAt', 'email', 'username', 'name']);

export interface UserOrder {
  readonly field: keyof typeof userSortFields;
  readonly descending: boolean;
}

export interface UserFilter {
  search?: UserSearch | undefined;
  /** Without who has this tenant-wide role. */
  withoutRoleId?: string | undefined;
  /** Without the direct members of this organization. */
  withoutOrganizationId?: string | undefined;
}

/** A page of users by position, all or those a filter finds; by creation unless told. */
export async function listUsers(
  ctx: Context,
  filter: UserFilter & { order?: UserOrder },
  range: OffsetRange,
): Promise<OffsetPage<User>> {
  const { field, descending } = filter.order ?? { field: 'createdAt', descending: false };
  const direction = descending ? 'desc' : 'asc';
  const page = await offsetPage<SeenRow>(filtered(ctx, ctx.db.reports, filter), range, (unordered) =>
    // The engines differ in where null sorts: here it is less than any value, as SQLite has it.
    (nullable.has(field) ? unordered.orderBy(sql`${sql.ref(userSortFields[field])} is not null`, direction) : unordered)
      .orderBy(userSortFields[field], direction)
      .orderBy('id', direction),
  );
  return mapPage(page, page.items.map(seenUser));
}

/** A page by key, in order of creation. Throws `input.cursor_invalid`. */
export async function listUsersByKey(ctx: Context, filter: UserFilter, range: KeysetRange): Promise<KeysetPage<User>> {
  // A search may pass over many rows, and no index has both the subtree and the order: not on the hot connection.
  const isPlain = !isDelegated(ctx) && Object.values(filter).every((value) => value === undefined);
  const query = filtered(ctx, isPlain ? ctx.db.read : ctx.db.reports, filter);
  const page = await keysetPage<SeenRow>(ctx, `users ${JSON.stringify(filter)}`, query, range);
  return mapPage(page, page.items.map(seenUser));
}

/** Throws `entity.not_found`. */
export const getUser = (ctx: Context, id: string): Promise<User> => loadUser(ctx, ctx.db.read, id);

/** The user with this e-mail address in any spelling; there is at most one. Throws `input.invalid`. */
export async function findUserByEmail(ctx: Context, email: string): Promise<User | undefined> {
  const row = await seen(ctx, ctx.db.read).where('email_key', '=', emailIdentity(email).key).executeTakeFirst();
  return row === undefined ? undefined : seenUser(row);
}

/** One that the caller may see, inside a transaction or not. Throws `entity.not_found`. */
export async function loadUser(ctx: Context, db: Queryable, id: string): Promise<User> {
  const row = await seen(ctx, db).where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('user');
  return seenUser(row);
}

export type OwnUserRow = ReadUserRow & Pick<UserRow, 'email_key' | 'password_hash'>;

/** The row of one that the caller may change: of a delegated caller, one its subtree owns. Throws `entity.not_found`. */
export async function loadOwnUser(ctx: Context, db: Queryable, id: string): Promise<OwnUserRow> {
  const row = await db
    .selectFrom('users')
    .select([...userColumns, 'email_key', 'password_hash'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', id)
    .where(organizationInReach(ctx, 'owner_organization_id'))
    .executeTakeFirst();
  if (row === undefined) throw notFound('user');
  return row;
}

type SeenRow = ReadUserRow & { owned: number };

const seenUser = (row: SeenRow): User => (Number(row.owned) === 1 ? userOf(row) : introducedUser(row));

const seen = (ctx: Context, db: Queryable) =>
  db
    .selectFrom('users')
    .select(userColumns)
    .select(sql<number>`case when ${organizationInReach(ctx, 'owner_organization_id')} then 1 else 0 end`.as('owned'))
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(visible(ctx));

/** A delegated caller sees the people that its subtree owns, and its members. */
function visible(ctx: Context): RawBuilder<SqlBool> {
  const own = ownOrganization(ctx);
  if (own === undefined) return sql<SqlBool>`1 = 1`;
  const { tenantId } = ctx.site;
  const subtree = withinSubtree('o.path', own.path);
  return sql<SqlBool>`users.id in (
    select u.id from organizations o join users u
      on u.tenant_id = o.tenant_id and u.owner_organization_id = o.id
      where o.tenant_id = ${tenantId} and ${subtree}
    union
    select m.subject_id from organizations o join memberships m
      on m.tenant_id = o.tenant_id and m.organization_id = o.id
      where o.tenant_id = ${tenantId} and m.subject_kind = 'user' and ${subtree})`;
}

function filtered(ctx: Context, db: Queryable, { search, withoutRoleId, withoutOrganizationId }: UserFilter) {
  let query = seen(ctx, db);
  if (search !== undefined) query = query.where(userCondition(search));
  if (withoutRoleId !== undefined) {
    query = query.where(
      sql<boolean>`not exists (select 1 from role_assignments a where a.tenant_id = users.tenant_id
        and a.subject_id = users.id and a.role_id = ${withoutRoleId}
        and ${organizationInReach(ctx, 'users.owner_organization_id')})`,
    );
  }
  if (withoutOrganizationId !== undefined) {
    query = query.where(
      sql<boolean>`not exists (select 1 from memberships m where m.tenant_id = users.tenant_id
        and m.subject_id = users.id and m.organization_id = ${withoutOrganizationId}
        and ${organizationInReach(ctx, 'm.organization_id')})`,
    );
  }
  return query;
}
