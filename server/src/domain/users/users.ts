/** Users: the people of a tenant. Each is told apart by e-mail, username or phone in one canonical form (`identity.ts`). */
import { sql } from 'kysely';
import { DomainError, invalid, notFound } from '../../kernel/errors.ts';
import { randomHex } from '../../kernel/random.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { mapPage, type OffsetPage, type OffsetRange, offsetPage } from '../paging.ts';
import { emailIdentity, phoneIdentity, usernameIdentity } from './identity.ts';
import { assertPassword, hashPassword } from './passwords.ts';
import { type UserSearch, userCondition } from './search.ts';
import { replaceTerms, termsOf } from './terms.ts';
import { type Metadata, type ReadUserRow, type User, type UserRow, userColumns, userOf } from './user.ts';

/** How metadata change: key by key (null removes a key), or as a whole. */
export type MetadataChange = { readonly merge: Metadata } | { readonly replace: Metadata };

export interface UserSettings {
  email: string | null;
  emailVerified: boolean;
  username: string | null;
  phone: string | null;
  phoneVerified: boolean;
  name: string | null;
  nickname: string | null;
  givenName: string | null;
  familyName: string | null;
  picture: string | null;
  userMetadata: MetadataChange;
  appMetadata: MetadataChange;
  status: User['status'];
  /** Plain; only its hash is kept. */
  password: string;
}

export const userSortFields = {
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

/** Largest metadata of a user, in UTF-16 units of JSON; each of the two kinds. */
const largestMetadata = 16_384;

/** A page of users, all or those a search finds; by creation unless told. */
export async function listUsers(
  ctx: Context,
  filter: { search?: UserSearch; order?: UserOrder },
  range: OffsetRange,
): Promise<OffsetPage<User>> {
  let query = ctx.db.reports.selectFrom('users').select(userColumns).where('tenant_id', '=', ctx.site.tenantId);
  if (filter.search !== undefined) query = query.where(userCondition(filter.search));
  const { field, descending } = filter.order ?? { field: 'createdAt', descending: false };
  const direction = descending ? 'desc' : 'asc';
  const page = await offsetPage<ReadUserRow>(query, range, (unordered) =>
    // The engines differ in where null sorts: here it is less than any value, as SQLite has it.
    (nullable.has(field) ? unordered.orderBy(sql`${sql.ref(userSortFields[field])} is not null`, direction) : unordered)
      .orderBy(userSortFields[field], direction)
      .orderBy('id', direction),
  );
  return mapPage(page, page.items.map(userOf));
}

/** Throws `entity.not_found`. */
export const getUser = (ctx: Context, id: string): Promise<User> => loadUser(ctx, ctx.db.read, id);

/** The user with this e-mail address in any spelling; there is at most one. Throws `input.invalid`. */
export async function findUserByEmail(ctx: Context, email: string): Promise<User | undefined> {
  const row = await ctx.db.read
    .selectFrom('users')
    .select(userColumns)
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('email_key', '=', emailIdentity(email).key)
    .executeTakeFirst();
  return row === undefined ? undefined : userOf(row);
}

/** Creates a user. Throws `entity.exists` (of thing `user`), `input.invalid`. */
export async function createUser(ctx: Context, input: Partial<UserSettings> & { id?: string }): Promise<User> {
  const { tenantId } = ctx.site;
  const columns = columnsOf(input);
  const id = input.id ?? randomHex(ctx.random, 12);
  const password_hash = await passwordHash(ctx, input.password);
  const { userMetadata = null, appMetadata = null } = input;
  return ctx.db.transact(async (trx) => {
    await assertFree(ctx, trx, columns, id);
    await assertFreeId(ctx, trx, id);
    const now = ctx.clock.now();
    await trx
      .insertInto('users')
      .values({
        ...emptyRow,
        ...columns,
        tenant_id: tenantId,
        id,
        password_hash,
        user_metadata: changedMetadata(null, userMetadata, 'userMetadata'),
        app_metadata: changedMetadata(null, appMetadata, 'appMetadata'),
        created_at: now,
        updated_at: now,
      })
      .execute();
    const user = await loadUser(ctx, trx, id);
    await replaceTerms(trx, tenantId, id, [], termsOf(user));
    await recordChange(ctx, trx, 'user.created', id, { userId: id });
    return user;
  });
}

/**
 * Changes a user; what is absent stays. A new e-mail or phone counts as unverified unless told. Throws
 * `entity.not_found`, `entity.exists` (of thing `user`), `input.invalid`.
 */
export async function updateUser(ctx: Context, id: string, change: Partial<UserSettings>): Promise<User> {
  const { tenantId } = ctx.site;
  const columns = columnsOf(change);
  const password_hash = await passwordHash(ctx, change.password);
  return ctx.db.transact(async (trx) => {
    const before = await loadRow(ctx, trx, id);
    await assertFree(ctx, trx, columns, id);
    await trx
      .updateTable('users')
      .set({
        ...columns,
        ...unverified(before, columns),
        ...(password_hash === null ? {} : { password_hash }),
        user_metadata: changedMetadata(before.user_metadata, change.userMetadata ?? null, 'userMetadata'),
        app_metadata: changedMetadata(before.app_metadata, change.appMetadata ?? null, 'appMetadata'),
        updated_at: ctx.clock.now(),
      })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .execute();
    const user = await loadUser(ctx, trx, id);
    await replaceTerms(trx, tenantId, id, termsOf(userOf(before)), termsOf(user));
    await recordChange(ctx, trx, 'user.updated', id, { userId: id, details: { fields: Object.keys(change) } });
    return user;
  });
}

/** Throws `entity.not_found`. */
export async function deleteUser(ctx: Context, id: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, id);
    await trx.deleteFrom('users').where('tenant_id', '=', ctx.site.tenantId).where('id', '=', id).execute();
    await recordChange(ctx, trx, 'user.deleted', id, { userId: id });
  });
}

const loadUser = async (ctx: Context, db: Queryable, id: string): Promise<User> => userOf(await loadRow(ctx, db, id));

async function loadRow(ctx: Context, db: Queryable, id: string): Promise<ReadUserRow & Pick<UserRow, 'email_key'>> {
  const row = await db
    .selectFrom('users')
    .select([...userColumns, 'email_key'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw notFound('user');
  return row;
}

/** What a user is before anything is said of it. */
const emptyRow = {
  email: null,
  email_key: null,
  email_verified: 0,
  username: null,
  username_key: null,
  phone: null,
  phone_verified: 0,
  name: null,
  nickname: null,
  given_name: null,
  family_name: null,
  picture: null,
  status: 'active',
  logins_count: 0,
  last_login_at: null,
  last_ip: null,
  owner_organization_id: null,
  client_id: null,
  profile: '{}',
} as const satisfies Partial<UserRow>;

type Columns = Partial<Omit<UserRow, 'tenant_id' | 'id' | 'user_metadata' | 'app_metadata' | 'password_hash'>>;

/** The columns of what is given, identities in their canonical form. Throws `input.invalid`. */
function columnsOf(input: Partial<UserSettings>): Columns {
  const columns: Columns = {};
  if (input.email !== undefined) {
    const email = input.email === null ? null : emailIdentity(input.email);
    Object.assign(columns, { email: email?.shown ?? null, email_key: email?.key ?? null });
  }
  if (input.username !== undefined) {
    const username = input.username === null ? null : usernameIdentity(input.username);
    Object.assign(columns, { username: username?.shown ?? null, username_key: username?.key ?? null });
  }
  if (input.phone !== undefined) columns.phone = input.phone === null ? null : phoneIdentity(input.phone);
  if (input.emailVerified !== undefined) columns.email_verified = input.emailVerified ? 1 : 0;
  if (input.phoneVerified !== undefined) columns.phone_verified = input.phoneVerified ? 1 : 0;
  if (input.name !== undefined) columns.name = input.name;
  if (input.nickname !== undefined) columns.nickname = input.nickname;
  if (input.givenName !== undefined) columns.given_name = input.givenName;
  if (input.familyName !== undefined) columns.family_name = input.familyName;
  if (input.picture !== undefined) columns.picture = input.picture;
  if (input.status !== undefined) columns.status = input.status;
  return columns;
}

/** A changed identity is not the one that was verified. */
function unverified(before: { email_key: string | null; phone: string | null }, columns: Columns): Columns {
  const changed = (field: 'email_key' | 'phone') => columns[field] !== undefined && columns[field] !== before[field];
  return {
    ...(changed('email_key') && columns.email_verified === undefined ? { email_verified: 0 } : {}),
    ...(changed('phone') && columns.phone_verified === undefined ? { phone_verified: 0 } : {}),
  };
}

const fieldOfKey = { email_key: 'email', username_key: 'username', phone: 'phone' } as const;

/** Throws when another user has one of the identities. */
async function assertFree(ctx: Context, trx: Tx, columns: Columns, id: string): Promise<void> {
  for (const [key, field] of Object.entries(fieldOfKey) as [keyof typeof fieldOfKey, string][]) {
    const value = columns[key];
    if (value === undefined || value === null) continue;
    const holder = await trx
      .selectFrom('users')
      .select('id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where(key, '=', value)
      .executeTakeFirst();
    if (holder !== undefined && holder.id !== id) throw exists(field);
  }
}

/** An id names one user or one client, never both: it may stand alone in `sub`. */
async function assertFreeId(ctx: Context, trx: Tx, id: string): Promise<void> {
  for (const table of ['users', 'clients'] as const) {
    const holder = await trx
      .selectFrom(table)
      .select('id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (holder !== undefined) throw exists('id');
  }
}

const exists = (path: string): DomainError =>
  new DomainError('entity.exists', `A user with this ${path} exists already.`, { path, data: { thing: 'user' } });

async function passwordHash(ctx: Context, password: string | undefined): Promise<string | null> {
  if (password === undefined) return null;
  assertPassword(password);
  return hashPassword(ctx.random, password);
}

/** The stored metadata after a change; null when nothing was ever set. Throws `input.invalid` naming `path`. */
function changedMetadata(before: string | null, change: MetadataChange | null, path: string): string | null {
  if (change === null) return before;
  const kept = new Map(Object.entries('replace' in change || before === null ? {} : (JSON.parse(before) as Metadata)));
  for (const [key, value] of Object.entries('replace' in change ? change.replace : change.merge)) {
    if (value === null) kept.delete(key);
    else kept.set(key, value);
  }
  const text = JSON.stringify(Object.fromEntries(kept));
  if (text.length > largestMetadata) throw invalid(path, `It has more than ${largestMetadata} characters of JSON.`);
  return text;
}
