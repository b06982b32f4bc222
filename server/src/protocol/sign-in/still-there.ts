/**
 * Whether the directory still knows somebody who signed in by it, and in which groups: asked at each refresh, where the
 * policy has an account to search with. Other upstreams say who somebody is only while the person is there.
 */
import { listIdentitiesOfUser } from '../../domain/auth-policies/identities.ts';
import { type AuthPolicy, authPolicyOf, builtInPasswordId, secretsOf } from '../../domain/auth-policies/policy.ts';
import { findPolicyRow } from '../../domain/auth-policies/read-policies.ts';
import { applyRoleMappings } from '../../domain/auth-policies/role-mappings.ts';
import type { Authorization } from '../../domain/authorizations/authorization.ts';
import { endAuthorization } from '../../domain/authorizations/authorizations.ts';
import { inOneTransaction } from '../../domain/one-transaction.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { ended } from '../token/grants/ended.ts';
import { contextOf } from './open-session.ts';
import { asking, upstreamServices } from './upstreams.ts';

/** Who has left a group has left its roles, before the next token. */
const bringInLine = (
  ctx: ProtocolContext,
  policy: AuthPolicy,
  userId: string,
  groups: readonly string[],
): Promise<void> | undefined =>
  policy.roleMappings.length === 0
    ? undefined
    : inOneTransaction(contextOf(ctx), (joined) =>
        joined.db.transact((trx) => applyRoleMappings(joined, trx, policy, userId, groups)),
      );

/**
 * Whether the directory of the policy knows the user still; true where nobody can be asked. Throws
 * `upstream_unavailable` when it does not answer.
 */
export async function isStillThere(ctx: ProtocolContext, policyId: string, userId: string): Promise<boolean> {
  if (policyId === builtInPasswordId) return true;
  const row = await findPolicyRow(ctx.services, ctx.site.tenantId, policyId);
  if (row?.type !== 'ldap') return true;
  const { canFindLdapUser, findLdapUser } = await import('../../upstream/ldap/check.ts');
  const policy = authPolicyOf(row);
  if (policy.type !== 'ldap' || !canFindLdapUser(policy.configuration)) return true;
  const domain = contextOf(ctx);
  const identities = await listIdentitiesOfUser(domain, domain.db.read, userId);
  const known = identities.flatMap(({ policyId: of, subject, username }) =>
    of === policyId && username !== null ? [{ subject, username }] : [],
  );
  const { configuration } = policy;
  for (const person of known) {
    const find = () => findLdapUser(upstreamServices(ctx), configuration, secretsOf(ctx.services, row), person);
    const groups = await asking(ctx, policyId, find);
    if (groups === undefined) continue;
    await bringInLine(ctx, policy, userId, groups);
    return true;
  }
  return false;
}

/**
 * Throws `user_gone_upstream`, and then what the person authorized has ended; and `upstream_unavailable`: then nothing is
 * lost, the client asks again.
 */
export async function assertStillThere(ctx: ProtocolContext, authorization: Authorization): Promise<void> {
  const { authPolicyId, userId, clientId } = authorization;
  if (authPolicyId === null || (await isStillThere(ctx, authPolicyId, userId))) return;
  if (await endAuthorization(ctx.services, ctx.site.tenantId, authorization.id)) {
    await ended(ctx, authorization, 'user_gone_upstream');
  }
  throw new Refusal('user_gone_upstream', { clientId, userId });
}
