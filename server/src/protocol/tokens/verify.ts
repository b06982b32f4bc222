/**
 * Reads an access token of ours that somebody presents: signature, issuer, type, times, revocation, and what its client
 * may do today at its audience. Used by introspection and the management APIs alike.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { type AccessDecision, decideClientAccess, decideUserAccess } from '../../domain/access/decide.ts';
import { accessFactsFrom, presentedTokenFacts } from '../../domain/access/facts.ts';
import { type LoadedOrganization, loadOrganizationFacts } from '../../domain/access/organization-facts.ts';
import { findAuthorization } from '../../domain/authorizations/authorizations.ts';
import { aliasedIdentifier } from '../../domain/resource-servers/aliased-identifier.ts';
import { signingSecretContext } from '../../domain/resource-servers/resource-server.ts';
import { organizationItself } from '../../domain/resource-servers/system.ts';
import { storedIdentifierOf } from '../../domain/tenants/sites.ts';
import { jose } from '../../kernel/jose.ts';
import type { ProtocolContext } from '../context.ts';
import { type IssuerProfile, organizationOfAudience, profileOfIssuer } from '../profile.ts';
import { loadPersonFacts } from '../user-facts.ts';

/** Longest token that is looked at, in characters. */
const maximumTokenLength = 64 * 1024;
/** How far ahead `iat` may be, in seconds: clocks of several nodes. */
const clockSkewSeconds = 5;

/** A token that is good today. */
export interface PresentedToken {
  readonly clientId: string;
  readonly clientName: string;
  /** The person it speaks for; undefined where the client speaks for itself. */
  readonly userId: string | undefined;
  /** What the token is bound to, as its claim `cnf` says. */
  readonly confirmation: unknown;
  readonly tokenId: string;
  readonly audience: string;
  /** Null where the audience is an organization itself. */
  readonly resourceServerId: string | null;
  /** Which management audience it is for, if it is for one. */
  readonly systemKind: string | null;
  /** The organization it speaks for. */
  readonly organization: { readonly id: string; readonly path: string } | undefined;
  /** The token's scopes that its client is still allowed. */
  readonly scopes: readonly string[];
  /** What its client is allowed today at this audience, whatever the token says. */
  readonly allowedScopes: readonly string[];
  readonly tokenScopes: readonly string[];
  readonly type: string;
  /** Signed with a secret that the API has too: it could have written it itself, so it is good at that API only. */
  readonly bySharedSecret: boolean;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly payload: JWTPayload;
}

/** Why a presented token is not good; for the log. */
export class BadToken extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'BadToken';
  }
}

interface Claims {
  payload: JWTPayload;
  profile: IssuerProfile;
  /** The organization it speaks for, whichever claim says so. */
  organization: string | undefined;
  kid: string;
  alg: string;
  typ: string;
  clientId: string;
  userId: string | undefined;
  audience: string;
  tokenId: string;
}

type Row = NonNullable<(typeof presentedTokenFacts)['row']>;

/** A token that we issued and that has not expired, whatever its client may do with it today. */
export interface IssuedToken {
  readonly clientId: string;
  readonly userId: string | undefined;
  readonly clientName: string;
  readonly tokenId: string;
  readonly audience: string;
  /** Id of the organization it speaks for. */
  readonly organization: string | undefined;
  readonly expiresAt: number;
}

/** Verifies that a token is one of ours, for its revocation; throws `BadToken`. */
export async function verifyIssuedToken(ctx: ProtocolContext, token: string): Promise<IssuedToken> {
  const { claims, row } = await verified(ctx, token);
  const { clientId, userId, tokenId, audience, organization, payload } = claims;
  return {
    clientId,
    userId,
    clientName: row.client_name as string,
    tokenId,
    audience,
    organization,
    expiresAt: payload.exp as number,
  };
}

/** Verifies that a token is good today, of either issuer of the tenant; throws `BadToken`. */
export async function verifyAccessToken(ctx: ProtocolContext, token: string): Promise<PresentedToken> {
  const { claims, row, organization } = await verified(ctx, token);
  const ofOrganization = organizationOfAudience(claims.audience) !== undefined;
  if (row.resource_server_id === null && !ofOrganization) {
    throw new BadToken(`the audience ${claims.audience} does not exist here`);
  }
  if (row.revoked_jti !== null) throw new BadToken('the token was revoked');
  const { decision, organizationPath } =
    claims.userId === undefined
      ? await decisionForClient(ctx, row, organization, ofOrganization)
      : await decisionForPerson(ctx, claims, claims.userId);
  if (!decision.allowed) throw new BadToken(`there is no access any more: ${decision.reason}`);

  const { scope, iat, exp } = claims.payload;
  const tokenScopes = typeof scope === 'string' && scope !== '' ? scope.split(' ') : [];
  return {
    clientId: claims.clientId,
    clientName: row.client_name as string,
    userId: claims.userId,
    confirmation: claims.payload.cnf,
    tokenId: claims.tokenId,
    audience: claims.audience,
    resourceServerId: row.resource_server_id,
    systemKind: row.system_kind,
    organization: claims.organization === undefined ? undefined : { id: claims.organization, path: organizationPath },
    scopes: tokenScopes.filter((value) => decision.scopes.includes(value)),
    allowedScopes: decision.scopes,
    tokenScopes,
    type: claims.typ,
    bySharedSecret: claims.alg === 'HS256',
    issuedAt: iat as number,
    expiresAt: exp as number,
    payload: claims.payload,
  };
}

interface TodaysAccess {
  readonly decision: AccessDecision;
  readonly organizationPath: string;
}

async function decisionForClient(
  ctx: ProtocolContext,
  row: Row,
  organization: LoadedOrganization | undefined,
  ofOrganization: boolean,
): Promise<TodaysAccess> {
  const access = await accessFactsFrom(ctx.services.db, ctx.site.tenantId, row);
  const facts = ofOrganization ? { ...access, resourceServer: 'organization' as const } : access;
  return { decision: decideClientAccess(facts, organization?.facts), organizationPath: organization?.path ?? '' };
}

/** A person's token rests on an authorization and ends with it. */
async function decisionForPerson(ctx: ProtocolContext, claims: Claims, userId: string): Promise<TodaysAccess> {
  const { clientId, audience, organization: organizationId } = claims;
  const target = organizationOfAudience(audience) === undefined ? { audience } : ('organization' as const);
  const id = authorizationOfTokenId(claims.tokenId);
  const authorization = await findAuthorization(ctx.services, ctx.site.tenantId, id);
  if (authorization?.userId !== userId || authorization.clientId !== clientId) {
    throw new BadToken('what the person authorized has ended');
  }
  const signedInBy = authorization.authPolicyId;
  const facts = await loadPersonFacts(ctx, { userId, clientId, target, organizationId, signedInBy });
  if (facts === undefined) throw new BadToken('the user does not exist any more');
  return { decision: decideUserAccess(facts.access, facts.organization), organizationPath: facts.organizationPath };
}

/** The id of a person's token begins with its authorization's. */
export const authorizationOfTokenId = (tokenId: string): string => tokenId.split('.')[0] as string;

async function verified(ctx: ProtocolContext, token: string) {
  const claims = await readClaims(ctx, token);
  const { row, organization } = await factsOf(ctx, claims);
  if (row === undefined) throw new BadToken('the tenant does not exist');
  if (row.tenant_status !== 'active') throw new BadToken('the tenant is suspended');
  if (row.client_id === null) throw new BadToken('the client does not exist any more');
  const key = verificationKey(ctx, claims, row);
  await verifySignatureAndTimes(ctx, token, key, claims);
  // A client that was deleted and made again under its old id is another one: the tokens of the first do not revive.
  if ((claims.payload.iat as number) < Math.floor((row.client_created_at ?? 0) / 1000)) {
    throw new BadToken('the token is older than its client');
  }
  return { claims, row, organization };
}

/** One query, and for an organization a second one beside it; an audience that nothing is stored under may be an alias. */
async function factsOf(ctx: ProtocolContext, claims: Claims) {
  const { db, systemApis } = ctx.services;
  const { tenantId } = ctx.site;
  const { clientId, kid, tokenId: jti, organization: organizationId } = claims;
  const at = async (identifier: string) => {
    const organization =
      organizationId === undefined || claims.userId !== undefined
        ? undefined
        : loadOrganizationFacts(db, { tenantId, organizationId, subjectId: clientId, identifier });
    const [row] = await db.run(presentedTokenFacts, { tenantId, clientId, identifier, kid, jti });
    return { row, organization: await organization };
  };
  if (organizationOfAudience(claims.audience) !== undefined) return at(organizationItself);
  const found = await at(storedIdentifierOf({ site: ctx.site, systemApis }, claims.audience));
  if (found.row === undefined || found.row.resource_server_id !== null) return found;
  const alias = await aliasedIdentifier(db, tenantId, claims.audience);
  return alias === undefined ? found : at(alias);
}

/** Reads what the query needs; nothing of it is believed before the signature is verified. */
async function readClaims(ctx: ProtocolContext, token: string): Promise<Claims> {
  const { decodeJwt, decodeProtectedHeader } = await jose();
  if (token.length > maximumTokenLength) throw new BadToken('the token is too long');
  let header: { kid?: unknown; alg?: unknown; typ?: unknown };
  let payload: JWTPayload;
  try {
    header = decodeProtectedHeader(token);
    payload = decodeJwt(token);
  } catch {
    throw new BadToken('the token is not a JWT');
  }
  const profile = profileOfIssuer(ctx.site, payload.iss);
  if (profile === undefined) throw new BadToken('unexpected "iss" claim value');
  const subject = profile.subjectOf(payload);
  const { aud, jti } = payload;
  // A token of ours has one audience, as a string: a list could carry two meanings.
  if (typeof aud !== 'string' || typeof jti !== 'string' || subject === undefined) {
    throw new BadToken('the token has not the claims of an access token of this server');
  }
  const { kid = '', alg, typ } = header;
  if (typeof kid !== 'string' || typeof alg !== 'string' || (typ !== 'JWT' && typ !== 'at+jwt')) {
    throw new BadToken('the token has not the header of an access token of this server');
  }
  const organization = organizationOfAudience(aud) ?? payload[profile.organizationClaim];
  if (organization !== undefined && typeof organization !== 'string') {
    throw new BadToken('the organization of the token is no text');
  }
  const { clientId, userId } = subject;
  // They go into a query, and PostgreSQL takes no NUL; nothing we issue has one.
  if ([kid, aud, jti, clientId, userId, organization].some((value) => value?.includes('\0'))) {
    throw new BadToken('the token holds a NUL');
  }
  return { payload, profile, kid, alg, typ, clientId, userId, organization, audience: aud, tokenId: jti };
}

/** The key that must have signed: named by `kid` and not revoked, or the API's own secret for HS256. */
function verificationKey(ctx: ProtocolContext, claims: Claims, row: Row): KeyObject {
  const { tenantId } = ctx.site;
  if (claims.alg === 'HS256') {
    if (row.signing_alg !== 'HS256' || row.signing_secret === null)
      throw new BadToken('the API does not sign with HS256');
    const context = signingSecretContext(tenantId, row.resource_server_id as string);
    return createSecretKey(Buffer.from(ctx.services.cipher.decrypt(row.signing_secret, context)));
  }
  if (row.signing_public_jwk === null) throw new BadToken('the signing key is not known');
  if (row.signing_key_state === 'revoked') throw new BadToken('the signing key is revoked');
  if (row.signing_key_alg !== claims.alg) throw new BadToken('the signing key is of another algorithm');
  return ctx.services.keys.publicKey(tenantId, claims.kid, row.signing_public_jwk);
}

async function verifySignatureAndTimes(
  ctx: ProtocolContext,
  token: string,
  key: KeyObject,
  claims: Claims,
): Promise<void> {
  const currentDate = new Date(ctx.services.clock.now());
  try {
    await (await jose()).jwtVerify(token, key, {
      algorithms: [claims.alg],
      issuer: claims.profile.issuer(ctx.site),
      requiredClaims: ['exp', 'iat', 'sub', 'aud', 'jti'],
      currentDate,
    });
  } catch (error) {
    throw new BadToken((error as Error).message);
  }
  const { iat, exp } = claims.payload;
  // A number too large for JSON's reader becomes infinite: such a token would never end.
  if (!Number.isSafeInteger(exp)) throw new BadToken('exp is not a time');
  if (typeof iat !== 'number' || iat > currentDate.getTime() / 1000 + clockSkewSeconds) {
    throw new BadToken('the token is not yet valid');
  }
}
