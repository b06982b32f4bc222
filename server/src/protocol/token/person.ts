/**
 * A token for a person: what was authorized, at what the request names, as far as the person and the client may today.
 *
 *   redeem → what for → may the person? → scopes → use up what was shown → mint → log → answer
 */
import { decideUserAccess } from '../../domain/access/decide.ts';
import { clientTakes } from '../../domain/auth-policies/offer-lists.ts';
import type { Authorization } from '../../domain/authorizations/authorization.ts';
import { organizationConsented } from '../../domain/consents/consents.ts';
import type { User } from '../../domain/users/user.ts';
import { strangerTo } from '../authorize/under-way.ts';
import type { ClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import type { About } from '../refused.ts';
import type { AudienceFacts } from '../token-facts.ts';
import { loadPerson } from '../tokens/person.ts';
import { loadPersonFacts, type PersonFacts } from '../user-facts.ts';
import type { PersonGrant, PersonGrantType, Redeemed } from './grants/grant-type.ts';
import { type Decided, mintForPerson } from './mint-for-person.ts';
import type { TokenAnswer } from './request.ts';
import { type Target, targetOf } from './target.ts';

/** Issues a token for a person. Throws a `Refusal`; until `consume` nothing that was shown is used up. */
export async function issueForPerson(
  ctx: ProtocolContext,
  type: PersonGrantType,
  redeemed: Redeemed,
  about: About,
): Promise<TokenAnswer> {
  const { client } = redeemed;
  const grant = await type.redeem(ctx, redeemed);
  const { authorization, exchange } = grant;
  const request = { ...redeemed.request, ...exchange?.target };
  const asked = { ...redeemed, request };
  about.userId = authorization.userId;
  const user = await activeUser(ctx, authorization.userId, client.id);
  assertScopesAuthorized(request.scopes, authorization, client.id);
  assertPolicyTaken(client, authorization);
  const target = targetOf(asked, authorization);
  about.audience = target.kind === 'userinfo' ? undefined : target.audience;
  await assertStillInside(ctx, asked, authorization, target);
  const decided = target.kind === 'userinfo' ? undefined : await decide(ctx, asked, grant, target);

  await grant.consume();
  return mintForPerson(ctx, asked, { grant, user, target, decided });
}

/** Whoever is blocked, waits for approval or was deleted gets nothing, whatever was authorized. */
async function activeUser(ctx: ProtocolContext, userId: string, clientId: string): Promise<User> {
  const user = await loadPerson(ctx, userId);
  if (user === undefined || user.status !== 'active') throw new Refusal('user_inactive', { clientId, userId });
  return user;
}

/** RFC 6749 §6: never more than was authorized. */
function assertScopesAuthorized(asked: readonly string[] | undefined, { scopes }: Authorization, clientId: string) {
  const surplus = (asked ?? []).filter((scope) => !scopes.includes(scope));
  if (surplus.length > 0) throw new Refusal('scope_not_authorized', { clientId, scopes: surplus });
}

/** Who came in by a policy that is not offered for the client any more is given nothing, by refresh, device or exchange. */
function assertPolicyTaken({ id: clientId, offeredPolicyIds }: ClientFacts, { authPolicyId, userId }: Authorization) {
  if (!clientTakes(offeredPolicyIds, authPolicyId)) throw new Refusal('policy_not_offered', { clientId, userId });
}

/** Who signed in for an organization is out with it, also where no token speaks for it: the ID token says it. */
async function assertStillInside(
  ctx: ProtocolContext,
  { client }: Redeemed,
  { userId, organizationId, authPolicyId }: Authorization,
  target: Target,
): Promise<void> {
  const isDecided = target.kind !== 'userinfo' && target.organizationId === organizationId;
  if (organizationId === null || isDecided) return;
  const stranger = await strangerTo(ctx, { client, organizationId }, { userId, authPolicyId });
  if (stranger !== undefined) throw stranger;
}

async function decide(
  ctx: ProtocolContext,
  { profile, client, request }: Redeemed,
  { authorization: { userId, scopes: authorized, authPolicyId: signedInBy }, exchange }: PersonGrant,
  { kind, audience, organizationId }: Exclude<Target, { kind: 'userinfo' }>,
): Promise<Decided> {
  const about = { clientId: client.id, userId, audience };
  const target = kind === 'organization' ? 'organization' : { audience };
  const facts = await loadPersonFacts(ctx, { userId, clientId: client.id, target, organizationId, signedInBy });
  if (facts === undefined) throw new Refusal('user_inactive', about);
  if (exchange !== undefined && isManagement(facts)) throw new Refusal('exchange_at_management', about);
  const decision = decideUserAccess(facts.access, facts.organization);
  if (!decision.allowed) throw new Refusal(decision.reason, { ...about, ofPerson: true });
  const mayAct =
    organizationId === undefined ||
    client.firstParty ||
    (await organizationConsented(ctx.services, ctx.site.tenantId, { userId, clientId: client.id, organizationId }));
  if (!mayAct) throw new Refusal('organization_not_consented', about);
  const takesAll = exchange?.takesAll === true && request.scopes === undefined && profile.absentScope === 'all_allowed';
  const asked = request.scopes ?? authorized;
  return {
    facts: facts.audience as AudienceFacts,
    scopes: takesAll
      ? decision.scopes
      : decision.scopes.filter((scope) => authorized.includes(scope) && asked.includes(scope)),
  };
}

const isManagement = ({ access: { resourceServer } }: PersonFacts): boolean =>
  typeof resourceServer === 'object' && resourceServer.isSystem;
