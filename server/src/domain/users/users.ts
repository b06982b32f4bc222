/** Users: the people of a tenant. Each is told apart by e-mail, username or phone in one canonical form (`identity.ts`). */
import { DomainError, referenceNotFound } from '../../kernel/errors.ts';
import { randomHex } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import { assertHoldsAllOf } from '../access/take-over.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { removeSubject } from '../memberships/memberships.ts';
import { provisionJustInTime } from '../organization-jit/provision.ts';
import { watchOwners } from '../organizations/owners.ts';
import { assertWholeTenant, organizationInReach } from '../organizations/reach.ts';
import { assignDefaultRoles } from '../roles/assignments.ts';
import { endEverythingOfUser } from '../sessions/end.ts';
import { assertPassword, hashPassword, isPasswordHash, passwordMatches } from './passwords.ts';
import { loadOwnUser, loadUser, type OwnUserRow } from './read-users.ts';
import { type Columns, columnsOf, emptyRow, metadataAfter, type UserSettings, unverified } from './settings.ts';
import { replaceTerms, termsOf } from './terms.ts';
import { type User, userOf } from './user.ts';

/**
 * Creates a user, with the default roles and the memberships that its verified e-mail address gives. Throws
 * `entity.exists` (of thing `user`), `entity.reference_not_found`, `input.invalid`, `auth.organization_token` (a
 * delegated caller invites), `auth.exceeds_own` (with the password the caller could act as it; what
 * the address makes it a member of the caller gives).
 */
export async function createUser(ctx: Context, input: Partial<UserSettings> & { id?: string }): Promise<User> {
  assertWholeTenant(ctx, 'create users; invite the person');
  const { tenantId } = ctx.site;
  const columns = columnsOf(input);
  const id = input.id ?? randomHex(ctx.random, 12);
  const password_hash = await hashOf(ctx, input, columns);
  return ctx.db.transact(async (trx) => {
    await assertFree(ctx, trx, columns, id);
    await assertFreeId(ctx, trx, id);
    await assertReferences(ctx, trx, columns);
    const now = ctx.clock.now();
    const row = { ...emptyRow, ...columns, ...metadataAfter(null, input), password_hash };
    await trx
      .insertInto('users')
      .values({ ...row, tenant_id: tenantId, id, created_at: now, updated_at: now })
      .execute();
    const user = await loadUser(ctx, trx, id);
    await replaceTerms(trx, tenantId, id, [], termsOf(user));
    await recordChange(ctx, trx, 'user.created', id, { userId: id });
    await assignDefaultRoles(ctx, trx, id);
    const joined = await provisionJustInTime(ctx, trx, user);
    if (password_hash !== null || joined) await assertHoldsAllOf(ctx, trx, id);
    return user;
  });
}

/**
 * Changes a user; what is absent stays. A new password, and any status but active, sign the user out everywhere. Throws
 * `entity.not_found`, `entity.exists`, `entity.reference_not_found`, `input.invalid`, `organization.last_owner` (it is
 * blocked), `auth.exceeds_own` (who sets what a person signs in with could act as that person),
 * `auth.organization_token`, `rate.limited` (too many passwords are being hashed).
 */
export async function updateUser(ctx: Context, id: string, change: Partial<UserSettings>): Promise<User> {
  const { tenantId } = ctx.site;
  const columns = columnsOf(change);
  const identities =
    change.password === undefined ? columns : { ...(await loadOwnUser(ctx, ctx.db.read, id)), ...columns };
  const password_hash = await hashOf(ctx, change, identities);
  return ctx.db.transact(async (trx) => {
    const before = await loadOwnUser(ctx, trx, id);
    assertMayIdentify(ctx, change);
    await assertFree(ctx, trx, columns, id);
    await assertReferences(ctx, trx, columns);
    const assertOwnersRemain = await watchBlocked(ctx, trx, id, change);
    const after = { ...columns, ...unverified(before, columns), ...metadataAfter(before, change) };
    await trx
      .updateTable('users')
      .set({ ...after, ...(password_hash === null ? {} : { password_hash }), updated_at: ctx.clock.now() })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .execute();
    const user = await loadUser(ctx, trx, id);
    await replaceTerms(trx, tenantId, id, termsOf(userOf(before)), termsOf(user));
    await recordChange(ctx, trx, 'user.updated', id, { userId: id, details: { fields: fieldsOf(change) } });
    const joined = becameVerified(before, user) && (await provisionJustInTime(ctx, trx, user));
    if (password_hash !== null || joined || changesIdentity(before, after)) await assertHoldsAllOf(ctx, trx, id);
    await assertOwnersRemain();
    if (password_hash !== null || user.status !== 'active') await endEverythingOfUser(ctx, trx, id);
    return user;
  });
}

/** Whether this is the password of a user that the caller may change; slow. Throws `entity.not_found`. */
export async function verifyPassword(ctx: Context, id: string, password: string): Promise<boolean> {
  const { password_hash } = await loadOwnUser(ctx, ctx.db.read, id);
  return password_hash !== null && (await passwordMatches(password, password_hash));
}

/** Deletes a user with its memberships, roles and sessions. Throws `entity.not_found`, `organization.last_owner`. */
export async function deleteUser(ctx: Context, id: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await loadOwnUser(ctx, trx, id);
    await removeSubject(ctx, trx, id);
    await endEverythingOfUser(ctx, trx, id);
    await trx.deleteFrom('users').where('tenant_id', '=', ctx.site.tenantId).where('id', '=', id).execute();
    await recordChange(ctx, trx, 'user.deleted', id, { userId: id });
  });
}

const identifying = ['email', 'emailVerified', 'username', 'phone', 'phoneVerified'] as const;

/** Whether an address is taken would tell a customer who else is here; and a verified one makes memberships. */
function assertMayIdentify(ctx: Context, change: Partial<UserSettings>): void {
  if (identifying.some((field) => change[field] !== undefined)) {
    assertWholeTenant(ctx, 'change an e-mail address, username or phone number');
  }
}

const changesIdentity = (before: OwnUserRow, after: Columns): boolean =>
  (after.email_key !== undefined && after.email_key !== before.email_key) ||
  (after.username !== undefined && after.username !== before.username) ||
  (after.phone !== undefined && after.phone !== before.phone);

const becameVerified = (before: OwnUserRow, { email, emailVerified }: User): boolean =>
  emailVerified && (before.email_verified !== 1 || before.email !== email);

/** Who is blocked is no active owner any more. */
const watchBlocked = (ctx: Context, trx: Tx, id: string, { status = 'active' }: Partial<UserSettings>) =>
  status === 'active' ? async () => {} : watchOwners(ctx, trx, { subjectId: id });

/** What was changed, as a log event names it; a hash is a password. */
const fieldsOf = (change: Partial<UserSettings>): string[] =>
  Object.keys(change).map((field) => (field === 'passwordHash' ? 'password' : field));

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

/** The application and the organization a user is said to belong to must be there for the caller. */
async function assertReferences(ctx: Context, trx: Tx, columns: Columns): Promise<void> {
  const { client_id, owner_organization_id: owner } = columns;
  if (owner === null) assertWholeTenant(ctx, 'take a user out of its organization');
  const there = (table: 'clients' | 'organizations', column: string, id: string) =>
    trx
      .selectFrom(table)
      .select('id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .where(organizationInReach(ctx, column))
      .executeTakeFirst();
  if (client_id != null && (await there('clients', 'owner_organization_id', client_id)) === undefined) {
    throw referenceNotFound('client', 'clientId');
  }
  if (owner != null && (await there('organizations', 'id', owner)) === undefined) {
    throw referenceNotFound('organization', 'ownerOrganizationId');
  }
}

const exists = (path: string): DomainError =>
  new DomainError('entity.exists', `A user with this ${path} exists already.`, { path, data: { thing: 'user' } });

async function hashOf(
  ctx: Context,
  { password, passwordHash }: Partial<Pick<UserSettings, 'password' | 'passwordHash'>>,
  identities: Pick<Columns, 'email' | 'username' | 'phone'>,
): Promise<string | null> {
  if (passwordHash !== undefined) {
    if (!isPasswordHash(passwordHash)) throw new TypeError('not a password hash');
    return passwordHash;
  }
  if (password === undefined) return null;
  const { email, username, phone } = identities;
  assertPassword(password, 'password', [email, username, phone]);
  return hashPassword(ctx.random, password);
}
