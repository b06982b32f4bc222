/** What an access token says, once its signature is verified (RFC 9068 §4, RFC 7519 §4.1). */
import { InvalidTokenError } from '../errors.ts';

/** An access token that is good here. Times are in seconds since the epoch. */
export interface AccessToken {
  readonly issuer: string;
  /** `sub`: a user's id; for a client its id, or `<id>@clients`. */
  readonly subject: string;
  /** `client_id`, in the classic profile `azp`. */
  readonly clientId: string;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly permissions: readonly string[];
  /** `org_id`, `organization_id`, or the audience `urn:logto:organization:<id>`. */
  readonly organizationId: string | undefined;
  /** `jti`. */
  readonly tokenId: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** All claims, as they stand in the token. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface ClaimRules {
  readonly audiences: readonly string[];
  readonly organizationTokens: boolean;
  readonly clockToleranceSeconds: number;
}

type Claims = Readonly<Record<string, unknown>>;

const organizationAudience = /^urn:logto:organization:(.+)$/;

/** Checks every claim but `cnf` (`dpop.ts`) and returns them typed; throws an `InvalidTokenError`. `nowSeconds` is the verifier's clock. */
export function readClaims(claims: Claims, type: string, rules: ClaimRules, nowSeconds: number): AccessToken {
  const { iss, sub, jti } = claims;
  const audience = readAudience(claims.aud);
  const clientId = readClientId(claims);
  if (!isText(iss) || !isText(sub) || !(jti === undefined || isText(jti))) throw new InvalidTokenError('claim_invalid');
  const { issuedAt, expiresAt } = checkTimes(claims, rules.clockToleranceSeconds, nowSeconds);
  if (!isForUs(audience, rules)) throw new InvalidTokenError('audience_not_accepted');
  if (type === 'jwt') refuseOtherTokens(claims, audience, clientId);
  return {
    issuer: iss,
    subject: sub,
    clientId,
    audience,
    scopes: readScopes(claims.scope),
    permissions: readPermissions(claims.permissions),
    organizationId: readOrganization(claims, audience),
    tokenId: jti,
    issuedAt,
    expiresAt,
    claims,
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
/** JSON reads a number that is too large as infinity: such a token would never end. */
const isTime = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

function readAudience(aud: unknown): readonly string[] {
  const audience = typeof aud === 'string' ? [aud] : aud;
  if (!isTexts(audience) || audience.length === 0) throw new InvalidTokenError('claim_invalid');
  return audience;
}

/** Two names of one thing must not say two things. */
function readClientId({ client_id, azp }: Claims): string {
  const clientId = client_id ?? azp;
  if (!isText(clientId)) throw new InvalidTokenError('not_an_access_token');
  if (azp !== undefined && azp !== clientId) throw new InvalidTokenError('claim_invalid');
  return clientId;
}

function checkTimes({ exp, nbf, iat }: Claims, tolerance: number, now: number) {
  if (!isTime(exp) || !isTime(iat) || !(nbf === undefined || isTime(nbf))) throw new InvalidTokenError('claim_invalid');
  if (exp <= now - tolerance) throw new InvalidTokenError('expired');
  if (iat > now + tolerance || (nbf !== undefined && nbf > now + tolerance)) {
    throw new InvalidTokenError('not_yet_valid');
  }
  return { issuedAt: iat, expiresAt: exp };
}

function isForUs(audience: readonly string[], rules: ClaimRules): boolean {
  if (audience.some((entry) => rules.audiences.includes(entry))) return true;
  // An organization token speaks for one organization and nothing else.
  const [first = ''] = audience;
  return rules.organizationTokens && audience.length === 1 && organizationAudience.test(first);
}

/**
 * In the classic profile the type `JWT` tells an access token from no other token (RFC 9068 §5). What only other tokens
 * have is refused: an ID token is for its client, and carries a nonce or a hash; a logout token carries events.
 */
function refuseOtherTokens(claims: Claims, audience: readonly string[], clientId: string): void {
  const foreign = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'];
  if (audience.includes(clientId) || foreign.some((name) => claims[name] !== undefined)) {
    throw new InvalidTokenError('not_an_access_token');
  }
}

/** RFC 6749 §3.3: separated by spaces. */
export function readScopes(scope: unknown): readonly string[] {
  if (scope === undefined) return [];
  if (typeof scope !== 'string') throw new InvalidTokenError('claim_invalid');
  return scope.split(' ').filter(Boolean);
}

export function readPermissions(permissions: unknown): readonly string[] {
  if (permissions === undefined) return [];
  if (!isTexts(permissions)) throw new InvalidTokenError('claim_invalid');
  return permissions;
}

/** Whatever names an organization must name the same one. */
function readOrganization(claims: Claims, audience: readonly string[]): string | undefined {
  const named = [claims.org_id, claims.organization_id].filter((value) => value !== undefined);
  const fromAudience = audience.flatMap((entry) => organizationAudience.exec(entry)?.[1] ?? []);
  const found = new Set([...named, ...fromAudience]);
  const [organizationId] = found;
  if (found.size > 1 || !(organizationId === undefined || isText(organizationId))) {
    throw new InvalidTokenError('claim_invalid');
  }
  return organizationId;
}
