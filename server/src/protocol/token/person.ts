/**
 * A token for a person: what was authorized, at what the request names, as far as the person and the client may today.
 *
 *   redeem → what for → may the person? → scopes → use up what was shown → mint → log → answer
 */
import { decideUserAccess } from '../../domain/access/decide.ts';
import { clientTakes } from '../../domain/auth-policies/offer-lists.ts';
import type { Authorization } from '../../domain/authorizations/authorization.ts';
import { insertOpaqueToken } from '../../domain/authorizations/opaque-tokens.ts';
import { organizationConsented } from '../../domain/consents/consents.ts';
import type { User } from '../../domain/users/user.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import { strangerTo } from '../authorize/under-way.ts';
import { confirmationOf, tokenTypeOf } from '../binding/binding.ts';
import type { ClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { audienceOfOrganization, type IssuerProfile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import type { About } from '../refused.ts';
import type { AudienceFacts } from '../token-facts.ts';
import { rfc9068Of } from '../tokens/claims.ts';
import { mintIdToken } from '../tokens/id-token.ts';
import { isIdentityScope, organizationsResource, organizationsScope } from '../tokens/identity-scopes.ts';
import { mintAccessToken } from '../tokens/mint.ts';
import { loadPerson } from '../tokens/person.ts';
import { loadPersonFacts, type PersonFacts } from '../user-facts.ts';
import type { PersonGrant, PersonGrantType, Redeemed } from './grants/grant-type.ts';
import type { TokenAnswer } from './request.ts';

/** Lifetime of an access token that is good at the userinfo endpoint only, in seconds. */
const opaqueLifetimeSeconds = 3600;

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
  return mint(ctx, asked, { grant, user, target, decided });
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

/** What a token is for. */
type Target =
  | { readonly kind: 'userinfo' }
  | {
      readonly kind: 'api' | 'organization';
      /** As the token names it. */
      readonly audience: string;
      readonly organizationId: string | undefined;
    };

function targetOf({ profile, client, request }: Redeemed, authorization: Authorization): Target {
  const { audiences, scopes } = authorization;
  const organizationId = request.organization ?? authorization.organizationId ?? undefined;
  // As where people sign in.
  if (request.organization !== undefined && client.signIn.organizationUsage === 'deny') {
    throw new Refusal('parameter_invalid', { clientId: client.id, parameter: 'organization' });
  }
  // The organization of the authorization itself needs no scope: the person chose it.
  const isAnother = request.organization !== undefined && request.organization !== authorization.organizationId;
  if (isAnother && !scopes.includes(organizationsScope)) {
    throw new Refusal('organization_scope_missing', { clientId: client.id, scopes: [organizationsScope] });
  }
  if (request.audience !== undefined) {
    if (!audiences.includes(request.audience) || request.audience === organizationsResource) {
      throw new Refusal('target_invalid', { parameter: 'resource', clientId: client.id });
    }
    return { kind: 'api', audience: request.audience, organizationId };
  }
  const [only, ...others] = audiences.filter((audience) => audience !== organizationsResource);
  const alone = others.length === 0 ? only : undefined;
  if (request.organization !== undefined && (profile.organizationAlone === 'organization' || alone === undefined)) {
    return { kind: 'organization', audience: audienceOfOrganization(request.organization), organizationId };
  }
  const namesApi = profile.personAlone === 'authorized_audience' || !scopes.includes('openid');
  return alone !== undefined && namesApi ? { kind: 'api', audience: alone, organizationId } : { kind: 'userinfo' };
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

interface Decided {
  readonly facts: AudienceFacts;
  /** Scopes of the API or the organization. */
  readonly scopes: readonly string[];
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

async function mint(
  ctx: ProtocolContext,
  redeemed: Redeemed,
  what: { grant: PersonGrant; user: User; target: Target; decided: Decided | undefined },
): Promise<TokenAnswer> {
  const { profile, client, request, binding } = redeemed;
  const { grant, user, target, decided } = what;
  const { authorization } = grant;
  const asked = request.scopes ?? authorization.scopes;
  const identityScopes = authorization.scopes.filter((scope) => isIdentityScope(scope) && asked.includes(scope));
  const scopes =
    decided === undefined
      ? identityScopes
      : [...(profile.identityScopesInApiTokens ? identityScopes : []), ...decided.scopes];
  const lifetime = decided?.facts.tokenLifetimeSeconds ?? opaqueLifetimeSeconds;
  const expiresInSeconds = Math.min(lifetime, grant.maximumLifetimeSeconds ?? lifetime);
  const tokenId = `${authorization.id}.${randomBase64Url(ctx.services.random, 9)}`;
  const givesIdToken = grant.givesIdToken && authorization.scopes.includes('openid');
  const [accessToken, idToken, refreshToken] = await Promise.all([
    decided === undefined || target.kind === 'userinfo'
      ? opaqueToken(ctx, redeemed, authorization, scopes, expiresInSeconds)
      : apiToken(ctx, redeemed, authorization, { decided, target, scopes, tokenId, expiresInSeconds }),
    givesIdToken
      ? mintIdToken(ctx, profile, client, { authorization, user, scopes: authorization.scopes, nonce: grant.nonce })
      : undefined,
    grant.refreshToken?.(),
    ctx.services.journal.append({
      tenantId: ctx.site.tenantId,
      kind: 'token.issued',
      clientId: client.id,
      clientName: client.name,
      userId: user.id,
      audience: target.kind === 'userinfo' ? undefined : target.audience,
      scope: scopes.join(' '),
      tokenId,
      description: request.grantType,
      ...detailsOf(target, authorization),
      ...ctx.origin,
    }),
  ]);
  return {
    accessToken,
    tokenType: tokenTypeOf(binding),
    expiresInSeconds,
    scopes,
    idToken,
    refreshToken,
    issuedTokenType: grant.issuedTokenType,
  };
}

/** The organization it speaks for, and who acts for the person. */
function detailsOf(target: Target, { actor }: Authorization): { details?: Record<string, unknown> } {
  const organization = target.kind === 'userinfo' ? undefined : target.organizationId;
  if (organization === undefined && actor === null) return {};
  return {
    details: { ...(organization === undefined ? {} : { organization }), ...(actor === null ? {} : { actor }) },
  };
}

async function opaqueToken(
  ctx: ProtocolContext,
  { client, binding }: Redeemed,
  authorization: Authorization,
  scopes: readonly string[],
  lifetimeSeconds: number,
): Promise<string> {
  const token = randomBase64Url(ctx.services.random, 32);
  const now = ctx.services.clock.now();
  await insertOpaqueToken(ctx.services, token, {
    tenant_id: ctx.site.tenantId,
    authorization_id: authorization.id,
    client_id: client.id,
    scopes: scopes.join(' '),
    dpop_thumbprint: binding.dpopThumbprint ?? null,
    certificate_thumbprint: binding.certificateThumbprint ?? null,
    created_at: now,
    expires_at: now + lifetimeSeconds * 1000,
  });
  return token;
}

function apiToken(
  ctx: ProtocolContext,
  { profile, client, binding }: Redeemed,
  authorization: Authorization,
  token: {
    decided: Decided;
    target: Exclude<Target, { kind: 'userinfo' }>;
    scopes: readonly string[];
    tokenId: string;
    expiresInSeconds: number;
  },
): Promise<string> {
  const { facts } = token.decided;
  const issuedAt = Math.floor(ctx.services.clock.now() / 1000);
  const { organizationId } = token.target;
  return mintAccessToken(ctx, inDialectOf(profile, facts), {
    issuer: profile.issuer(ctx.site),
    subject: profile.subjectOfUser(authorization.userId),
    audience: token.target.audience,
    clientId: client.id,
    organization:
      organizationId === undefined || facts.resourceServerId === null
        ? undefined
        : { claim: profile.organizationClaim, id: organizationId },
    scopes: token.scopes,
    ofClient: false,
    confirmation: confirmationOf(binding),
    actor: authorization.actor ?? undefined,
    issuedAt,
    expiresAt: issuedAt + token.expiresInSeconds,
    tokenId: token.tokenId,
  });
}

const inDialectOf = (profile: IssuerProfile, facts: AudienceFacts): AudienceFacts =>
  profile.claims === 'rfc9068' ? { ...facts, dialect: rfc9068Of(facts.dialect) } : facts;
