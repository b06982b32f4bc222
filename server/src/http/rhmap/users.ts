/** Users of a policy. On the wire a user is named by what it signs in with; our own ids are taken too. */
import { listPolicyUsersByKey, type PolicyUser } from '../../domain/auth-policies/read-policy-users.ts';
import type { Context } from '../../domain/context.ts';
import { findAccount, typedIdentifier } from '../../domain/users/accounts.ts';
import { getUser } from '../../domain/users/read-users.ts';
import { DomainError } from '../../kernel/errors.ts';
import { userNotFound } from './mapping.ts';

/** RHMAP's lists have no pages: they are put together of ours. */
const pageSize = 500;
const mostUsers = 10_000;

/** Whom the policy lets in. Throws `entity.not_found`. */
export async function approvedUsersOf(ctx: Context, policyId: string): Promise<PolicyUser[]> {
  const users: PolicyUser[] = [];
  let cursor: string | undefined;
  do {
    const range = { limit: pageSize, cursor };
    const { items, next } = await listPolicyUsersByKey(ctx, policyId, { status: 'approved' }, range);
    users.push(...items);
    cursor = next;
  } while (cursor !== undefined && users.length < mostUsers);
  return users;
}

/** Our id of each user; undefined for whoever there is not. */
export async function findUserIds(ctx: Context, names: readonly string[]): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for (const name of names) found.push(await findUserId(ctx, name));
  return found;
}

/** The same, of all or none. Throws naming the first that there is not. */
export async function requireUserIds(ctx: Context, names: readonly string[]): Promise<string[]> {
  const found = await findUserIds(ctx, names);
  return found.map((id, index) => {
    if (id === undefined) throw userNotFound(names[index] as string);
    return id;
  });
}

/** An id before a name: people may choose their names, and so one that is somebody's id. */
async function findUserId(ctx: Context, name: string): Promise<string | undefined> {
  try {
    return (await getUser(ctx, name)).id;
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'entity.not_found') throw error;
  }
  const typed = typedIdentifier(name);
  return typed === undefined ? undefined : (await findAccount(ctx, ctx.site.tenantId, typed))?.id;
}
