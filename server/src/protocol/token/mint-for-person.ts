/** The tokens of an answer for a person, once all is decided and what was shown is used up. */
import type { Authorization } from '../../domain/authorizations/authorization.ts';
import { insertOpaqueToken } from '../../domain/authorizations/opaque-tokens.ts';
import type { User } from '../../domain/users/user.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import { confirmationOf, tokenTypeOf } from '../binding/binding.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import type { AudienceFacts } from '../token-facts.ts';
import { rfc9068Of } from '../tokens/claims.ts';
import { mintIdToken } from '../tokens/id-token.ts';
import { isIdentityScope } from '../tokens/identity-scopes.ts';
import { mintAccessToken } from '../tokens/mint.ts';
import type { PersonGrant, Redeemed } from './grants/grant-type.ts';
import type { TokenAnswer } from './request.ts';
import type { Target } from './target.ts';

/** Lifetime of an access token that is good at the userinfo endpoint only, in seconds. */
const opaqueLifetimeSeconds = 3600;

/** What was decided for an API, or an organization. */
export interface Decided {
  readonly facts: AudienceFacts;
  /** Scopes of the API or the organization. */
  readonly scopes: readonly string[];
}

/** Makes the tokens of the answer, and logs that. */
export async function mintForPerson(
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
