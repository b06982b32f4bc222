/** The eight calls that manage auth policies, each from body to body. */
import { addPolicyUsers, removePolicyUsers } from '../../domain/auth-policies/approved-users.ts';
import { createPolicy, deletePolicy, updatePolicy } from '../../domain/auth-policies/policies.ts';
import { type AuthPolicy, type AuthPolicyType, isForm } from '../../domain/auth-policies/policy.ts';
import { getPolicy, getPolicyByName, listPoliciesByKey } from '../../domain/auth-policies/read-policies.ts';
import type { Context } from '../../domain/context.ts';
import { DomainError } from '../../kernel/errors.ts';
import { type Body, optionalFlag, requiredObject, requiredText, requiredUsers } from './body.ts';
import { namesUsers, toKeep, toNative } from './configurations.ts';
import { policyOnWire, readType, userIdOnWire, userNotFound } from './mapping.ts';
import { approvedUsersOf, findUserIds, requireUserIds } from './users.ts';

export type Call = (ctx: Context, body: Body) => Promise<Record<string, unknown>>;

const ok = { status: 'ok' } as const;

/** What create and update take; a flag that is absent is undefined. */
function policyOf(body: Body) {
  const name = requiredText(body, 'policyId');
  const type = readType(requiredText(body, 'policyType'));
  const configurations = requiredObject(body, 'configurations');
  return {
    name,
    type,
    configurations,
    configuration: toNative(type, configurations),
    kept: { configurations: toKeep(type, configurations) },
    checkUserExists: optionalFlag(body, 'checkUserExists'),
    checkUserApproved: optionalFlag(body, 'checkUserApproved'),
  };
}

/**
 * RHMAP's user ids are names. A directory's names count as ours; those of a redirecting provider, which its people may
 * choose, only where the admin says which they are. A verified e-mail address counts always.
 */
const linksOf = (type: AuthPolicyType, configurations: Body) => ({
  linksByEmail: true,
  linksByUsername: isForm(type) || namesUsers(configurations),
});

const create: Call = async (ctx, body) => {
  const {
    name,
    type,
    configurations,
    configuration,
    kept,
    checkUserExists = false,
    checkUserApproved = false,
  } = policyOf(body);
  const { id } = await createPolicy(ctx, {
    ...{ name, type, configuration, checkUserExists, checkUserApproved },
    ...linksOf(type, configurations),
    extras: { rhmap: kept },
  });
  return { ...ok, guid: id };
};

const read: Call = async (ctx, body) => {
  const policy = await getPolicyByName(ctx, requiredText(body, 'policyId'));
  const users = await approvedUsersOf(ctx, policy.id);
  return { ...ok, ...policyOnWire(ctx, policy), users: users.map(userIdOnWire) };
};

/** A flag that is absent stays: to leave one out must not open a policy. */
const update: Call = async (ctx, body) => {
  const guid = requiredText(body, 'guid');
  const { name, type, configurations, configuration, kept, checkUserExists, checkUserApproved } = policyOf(body);
  const before = await getPolicy(ctx, guid);
  await updatePolicy(ctx, guid, {
    ...{ name, type, configuration, checkUserExists, checkUserApproved },
    // Another type has other names; otherwise an administrator may have chosen since.
    ...(before.type === type ? {} : linksOf(type, configurations)),
    extras: { ...before.extras, rhmap: kept },
  });
  return { ...ok, guid };
};

const remove: Call = async (ctx, body) => {
  await deletePolicy(ctx, requiredText(body, 'guid'));
  return ok;
};

/** Most policies that are listed: the list has no pages. */
const mostPolicies = 10_000;

const list: Call = async (ctx) => {
  const policies: AuthPolicy[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await listPoliciesByKey(ctx, { limit: 100, cursor });
    policies.push(...items);
    cursor = next;
  } while (cursor !== undefined && policies.length < mostPolicies);
  return { ...ok, list: policies.map((policy) => policyOnWire(ctx, policy)), count: policies.length };
};

const users: Call = async (ctx, body) => {
  const found = await approvedUsersOf(ctx, requiredText(body, 'guid'));
  const shown = found.map((user) => ({ userid: userIdOnWire(user), name: user.name, email: user.email }));
  return { ...ok, list: shown, count: shown.length };
};

const addUsers: Call = async (ctx, body) => {
  const guid = requiredText(body, 'guid');
  const names = requiredUsers(body);
  await getPolicy(ctx, guid);
  const ids = await requireUserIds(ctx, names);
  try {
    await addPolicyUsers(ctx, guid, ids);
  } catch (error) {
    // Deleted since.
    const index = error instanceof DomainError ? /^userIds\.(\d+)$/.exec(error.path ?? '')?.[1] : undefined;
    throw index === undefined ? error : userNotFound(names[Number(index)] as string);
  }
  return ok;
};

/** Whoever is not there, or not in the list, is gone from it already. */
const removeUsers: Call = async (ctx, body) => {
  const guid = requiredText(body, 'guid');
  const ids = await findUserIds(ctx, requiredUsers(body));
  await removePolicyUsers(
    ctx,
    guid,
    ids.filter((id) => id !== undefined),
  );
  return ok;
};

/** By the last part of their paths; any one of the scopes lets a key call. */
export const calls: Readonly<Record<string, { readonly scope: string; readonly call: Call; readonly get?: boolean }>> =
  {
    create: { scope: 'create:auth_policies', call: create },
    read: { scope: 'read:auth_policies', call: read },
    update: { scope: 'update:auth_policies', call: update },
    delete: { scope: 'delete:auth_policies', call: remove },
    list: { scope: 'read:auth_policies', call: list, get: true },
    users: { scope: 'read:auth_policies', call: users },
    addusers: { scope: 'update:auth_policies', call: addUsers },
    removeusers: { scope: 'update:auth_policies', call: removeUsers },
  };
