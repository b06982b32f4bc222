/** Whom an exchanged token speaks for, and how far: read from the token that a request shows (RFC 8693 §2.1). */
import type { ActorClaim, Authorization } from '../../domain/authorizations/authorization.ts';
import { findAuthorization } from '../../domain/authorizations/authorizations.ts';
import { clientMayUse, findOpaqueToken } from '../../domain/authorizations/opaque-tokens.ts';
import { findAppSession } from '../../domain/sessions/app-sessions.ts';
import { findSubjectToken } from '../../domain/subject-tokens/use.ts';
import { revokeAppSession } from '../app-sessions/sessions.ts';
import { bindingOfRow } from '../binding/binding.ts';
import { bindingOfClaim } from '../binding/present.ts';
import { loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { isJwt } from '../opaque.ts';
import { organizationOfAudience } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { isStillThere } from '../sign-in/still-there.ts';
import { isIdentityScope, organizationsScope } from '../tokens/identity-scopes.ts';
import { authorizationOfTokenId } from '../tokens/verify.ts';
import type { Redeemed } from './grants/grant-type.ts';
import { assertBinding, verifiedJwt } from './shown-token.ts';
import { impersonationTokenType, policySessionTokenType } from './subject-token-types.ts';

/** Longest life of a token by an impersonation token, in seconds: that itself is over in minutes. */
const impersonationSeconds = 3600;

/** What the new token may be at most. */
export interface Subject {
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly organizationId: string | null;
  readonly amr: readonly string[];
  /** The policy the person signed in by; null: an administrator lets the client act. */
  readonly authPolicyId: string | null;
  readonly authenticatedAt: number;
  /** Milliseconds. */
  readonly expiresAt: number;
  /** Who acts already. */
  readonly actor: ActorClaim | null;
  /** What the token is for when the request names nothing. */
  readonly target: { readonly audience?: string; readonly organization?: string };
  /** The authorization it ends with. */
  readonly parentId: string | undefined;
  /** Hash of what has to be used up. */
  readonly singleUse: string | undefined;
  /** The session it ends with. */
  readonly sessionId: string | null;
  /** Nothing was authorized before: without scopes in the request it may get whatever the person may have. */
  readonly takesAll: boolean;
}

/** Reads the subject token. Throws `subject_token_invalid`, `subject_token_of_client`, `binding_mismatch`. */
export async function subjectOf(ctx: ProtocolContext, redeemed: Redeemed): Promise<Subject> {
  const { subjectToken = '', subjectTokenType } = redeemed.request.given;
  if (subjectTokenType === impersonationTokenType) return impersonation(ctx, redeemed, subjectToken);
  if (subjectTokenType === policySessionTokenType) return ofAppSession(ctx, redeemed, subjectToken);
  return isJwt(subjectToken) ? ofJwt(ctx, redeemed, subjectToken) : ofOpaque(ctx, redeemed, subjectToken);
}

const invalid = ({ client }: Redeemed, detail: string, userId?: string) =>
  new Refusal('subject_token_invalid', { clientId: client.id, userId, detail });

/** An administrator made it: nothing was authorized before, so the person's own access is the bound. */
async function impersonation(ctx: ProtocolContext, redeemed: Redeemed, token: string): Promise<Subject> {
  const found = await findSubjectToken(ctx.services, ctx.site.tenantId, token);
  const now = ctx.services.clock.now();
  if (found === undefined || found.usedAt !== null || found.expiresAt <= now) {
    throw invalid(redeemed, 'unknown, used or over', found?.userId);
  }
  return {
    ...boundByPerson(redeemed),
    userId: found.userId,
    amr: [],
    authPolicyId: null,
    authenticatedAt: now,
    expiresAt: now + impersonationSeconds * 1000,
    singleUse: found.hash,
    sessionId: null,
  };
}

/** Somebody signed in to the app, which asked for nothing then. The session is its own: no other client can use it. */
async function ofAppSession(ctx: ProtocolContext, redeemed: Redeemed, token: string): Promise<Subject> {
  const session = await findAppSession(ctx.services, ctx.site.tenantId, token);
  if (session?.clientId !== redeemed.client.id) throw invalid(redeemed, 'no such session of this client counts');
  const { id, userId, amr, authPolicyId, authenticatedAt, expiresAt } = session;
  if (!(await isStillThere(ctx, authPolicyId, userId))) {
    await revokeAppSession(ctx, token);
    throw new Refusal('user_gone_upstream', { clientId: redeemed.client.id, userId });
  }
  return {
    ...boundByPerson(redeemed),
    ...{ userId, amr, authPolicyId, authenticatedAt, expiresAt },
    singleUse: undefined,
    sessionId: id,
  };
}

/** What the request asks for, as far as the person may have it. */
const boundByPerson = ({ request: { audience, organization, scopes = [] } }: Redeemed) => ({
  scopes: scopes.filter((scope) => scope !== 'offline_access'),
  audiences: audience === undefined ? [] : [audience],
  organizationId: organization ?? null,
  actor: null,
  target: {},
  parentId: undefined,
  takesAll: true,
});

/** A token of an API: its own scopes are the bound, and its own organization. */
async function ofJwt(ctx: ProtocolContext, redeemed: Redeemed, token: string): Promise<Subject> {
  const { profile, client, binding } = redeemed;
  const presented = await verifiedJwt(ctx, redeemed, token, invalid);
  const { userId, tokenScopes, organization, audience } = presented;
  if (userId === undefined) throw new Refusal('subject_token_of_client', { clientId: client.id });
  assertBinding(redeemed, bindingOfClaim(presented.confirmation), binding);
  const authorization = await findAuthorization(
    ctx.services,
    ctx.site.tenantId,
    authorizationOfTokenId(presented.tokenId),
  );
  if (authorization === undefined) throw invalid(redeemed, 'what the person authorized has ended', userId);
  await assertFirstParty(ctx, redeemed, presented.clientId, userId);
  // Where tokens of APIs do not carry it, what was authorized says whether organizations may be named.
  const mayNameOrganization =
    !profile.identityScopesInApiTokens &&
    organization === undefined &&
    authorization.scopes.includes(organizationsScope);
  const own = tokenScopes.filter((scope) => organization === undefined || scope !== organizationsScope);
  return bounded(authorization, {
    scopes: mayNameOrganization ? [...own, organizationsScope] : own,
    organizationId: organization?.id ?? null,
    expiresAt: presented.expiresAt * 1000,
    target: targetOf(redeemed, organizationOfAudience(audience), audience),
  });
}

/** A request that names nothing is for what the subject token is for. */
function targetOf({ request }: Redeemed, organization: string | undefined, audience: string): Subject['target'] {
  if (request.audience !== undefined || request.organization !== undefined) return {};
  return organization === undefined ? { audience } : { organization };
}

/** A token for the userinfo endpoint stands for the sign-in: what was authorized there is the bound. */
async function ofOpaque(ctx: ProtocolContext, redeemed: Redeemed, token: string): Promise<Subject> {
  const found = await findOpaqueToken(ctx.services, ctx.site.tenantId, token);
  if (found === undefined || found.issuer !== redeemed.profile.name || !clientMayUse(found)) {
    throw invalid(redeemed, 'no such token of this issuer', found?.user_id);
  }
  assertBinding(redeemed, bindingOfRow(found), redeemed.binding);
  const authorization = await findAuthorization(ctx.services, ctx.site.tenantId, found.authorization_id);
  if (authorization === undefined) throw invalid(redeemed, 'what the person authorized has ended', found.user_id);
  await assertFirstParty(ctx, redeemed, found.client_id, found.user_id);
  const carried = found.scopes.split(' ');
  return bounded(authorization, {
    scopes: authorization.scopes.filter((scope) => !isIdentityScope(scope) || carried.includes(scope)),
    organizationId: authorization.organizationId,
    expiresAt: found.expires_at,
    target: {},
  });
}

const bounded = (
  authorization: Authorization,
  bounds: Pick<Subject, 'scopes' | 'organizationId' | 'expiresAt' | 'target'>,
): Subject => ({
  ...bounds,
  userId: authorization.userId,
  // There is no refresh token to be had.
  scopes: bounds.scopes.filter((scope) => scope !== 'offline_access'),
  audiences: authorization.audiences,
  amr: authorization.amr,
  authPolicyId: authorization.authPolicyId,
  authenticatedAt: authorization.authenticatedAt,
  expiresAt: Math.min(bounds.expiresAt, authorization.expiresAt),
  actor: authorization.actor,
  parentId: authorization.id,
  singleUse: undefined,
  sessionId: null,
  takesAll: false,
});

/** What a person let somebody else's application do is for that application. */
async function assertFirstParty(
  ctx: ProtocolContext,
  redeemed: Redeemed,
  clientId: string,
  userId: string,
): Promise<void> {
  const { client } = await loadClientFacts(ctx, clientId);
  if (client?.firstParty !== true) throw invalid(redeemed, 'it was issued to a third-party client', userId);
}
