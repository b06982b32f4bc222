/**
 * Whether the directory still knows somebody who signed in by it, and in which groups: asked at each refresh, where the
 * policy has an account to search with. Other upstreams say who somebody is only while the person is there.
 */
import { policyNow } from '../../domain/auth-policies/admit.ts';
import { findIdentity, type Identity, listIdentitiesOfUser } from '../../domain/auth-policies/identities.ts';
import {
  type AuthPolicy,
  authPolicyOf,
  builtInPasswordId,
  type PolicyOfType,
  secretsOf,
} from '../../domain/auth-policies/policy.ts';
import { findPolicyRow } from '../../domain/auth-policies/read-policies.ts';
import { applyRoleMappings } from '../../domain/auth-policies/role-mappings.ts';
import type { Authorization } from '../../domain/authorizations/authorization.ts';
import { endAuthorization, findAuthorization } from '../../domain/authorizations/authorizations.ts';
import { inOneTransaction } from '../../domain/one-transaction.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { ended } from '../token/grants/ended.ts';
import { contextOf } from './open-session.ts';
import { asking, type PolicyWithSecrets, upstreamServices } from './upstreams.ts';

/**
 * Who has left a group has left its roles, before the next token. What the directory said counts for the policy as it is
 * now, and for who is linked still: it may have taken its time.
 */
const bringInLine = (
  ctx: ProtocolContext,
  policy: AuthPolicy,
  identity: Identity,
  groups: readonly string[],
): Promise<void> | undefined =>
  policy.roleMappings.length === 0
    ? undefined
    : inOneTransaction(contextOf(ctx), (joined) =>
        joined.db.transact(async (trx) => {
          const { userId } = identity;
          const [now, linked] = [await policyNow(joined, trx, policy), await findIdentity(joined, trx, identity)];
          if (now === undefined || linked?.userId !== userId) return;
          await applyRoleMappings(joined, trx, now, userId, groups);
        }),
      );

/** The policy, and what it proves itself with, where its directory can be asked for people without their password. */
async function directoryOf(
  ctx: ProtocolContext,
  policyId: string,
): Promise<PolicyWithSecrets<PolicyOfType<'ldap'>> | undefined> {
  if (policyId === builtInPasswordId) return undefined;
  const row = await findPolicyRow(ctx.services, ctx.site.tenantId, policyId);
  if (row?.type !== 'ldap') return undefined;
  const { canFindLdapUser } = await import('../../upstream/ldap/check.ts');
  const policy = authPolicyOf(row);
  if (policy.type !== 'ldap' || !canFindLdapUser(policy.configuration)) return undefined;
  return { policy, secrets: secretsOf(ctx.services, row) };
}

/** Throws `upstream_unavailable` when it does not answer. */
async function knows(
  ctx: ProtocolContext,
  { policy, secrets }: PolicyWithSecrets<PolicyOfType<'ldap'>>,
  userId: string,
): Promise<boolean> {
  const { findLdapUser } = await import('../../upstream/ldap/check.ts');
  const domain = contextOf(ctx);
  const identities = await listIdentitiesOfUser(domain, domain.db.read, userId);
  for (const identity of identities.filter(({ policyId }) => policyId === policy.id)) {
    const find = () => findLdapUser(upstreamServices(ctx), policy.configuration, secrets, identity);
    const groups = await asking(ctx, policy.id, find);
    if (groups === undefined) continue;
    await bringInLine(ctx, policy, identity, groups);
    return true;
  }
  return false;
}

/**
 * Whether the directory of the policy knows the user still; true where nobody can be asked. Throws
 * `upstream_unavailable` when it does not answer.
 */
export async function isStillThere(ctx: ProtocolContext, policyId: string, userId: string): Promise<boolean> {
  const directory = await directoryOf(ctx, policyId);
  return directory === undefined || knows(ctx, directory, userId);
}

/**
 * Throws `user_gone_upstream`, and then what the person authorized has ended; `refresh_token_invalid` when that ended
 * while the directory was asked; and `upstream_unavailable`: then nothing is lost, the client asks again.
 */
export async function assertStillThere(ctx: ProtocolContext, authorization: Authorization): Promise<void> {
  const { id, authPolicyId, userId, clientId } = authorization;
  const { services, site } = ctx;
  const directory = authPolicyId === null ? undefined : await directoryOf(ctx, authPolicyId);
  if (directory === undefined) return;
  if (await knows(ctx, directory, userId)) {
    if ((await findAuthorization(services, site.tenantId, id)) !== undefined) return;
    throw new Refusal('refresh_token_invalid', { clientId, userId });
  }
  if (await endAuthorization(services, site.tenantId, id)) await ended(ctx, authorization, 'user_gone_upstream');
  throw new Refusal('user_gone_upstream', { clientId, userId });
}
