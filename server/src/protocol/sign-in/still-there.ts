/**
 * Whether the directory still knows somebody who signed in by it: asked at each refresh, where the policy has an account to
 * search with. Other upstreams say who somebody is only while the person is there.
 */
import { listIdentitiesOfUser } from '../../domain/auth-policies/identities.ts';
import { authPolicyOf, builtInPasswordId, secretsOf } from '../../domain/auth-policies/policy.ts';
import { findPolicyRow } from '../../domain/auth-policies/read-policies.ts';
import type { Authorization } from '../../domain/authorizations/authorization.ts';
import { endAuthorization } from '../../domain/authorizations/authorizations.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { ended } from '../token/grants/ended.ts';
import { contextOf } from './open-session.ts';
import { asking, upstreamServices } from './upstreams.ts';

/**
 * Throws `user_gone_upstream`, and then what the person authorized has ended; and `upstream_unavailable`, when the
 * directory does not answer: then nothing is lost, the client asks again.
 */
export async function assertStillThere(ctx: ProtocolContext, authorization: Authorization): Promise<void> {
  const { authPolicyId: policyId, userId, clientId } = authorization;
  if (policyId === null || policyId === builtInPasswordId) return;
  const row = await findPolicyRow(ctx.services, ctx.site.tenantId, policyId);
  if (row?.type !== 'ldap') return;
  const policy = authPolicyOf(ctx.services, row);
  const { canFindLdapUser, findLdapUser } = await import('../../upstream/ldap/check.ts');
  if (policy.type !== 'ldap' || !canFindLdapUser(policy.configuration)) return;
  const domain = contextOf(ctx);
  const identities = await listIdentitiesOfUser(domain, domain.db.read, userId);
  const known = identities.flatMap(({ policyId: of, subject, username }) =>
    of === policyId && username !== null ? [{ subject, username }] : [],
  );
  const { configuration } = policy;
  for (const person of known) {
    const find = () => findLdapUser(upstreamServices(ctx), configuration, secretsOf(ctx.services, row), person);
    if (await asking(ctx, policyId, find)) return;
  }
  if (await endAuthorization(ctx.services, ctx.site.tenantId, authorization.id)) {
    await ended(ctx, authorization, 'user_gone_upstream');
  }
  throw new Refusal('user_gone_upstream', { clientId, userId });
}
