/** Introspection (RFC 7662) and revocation (RFC 7009) of access tokens. */
import { decideClientAccess } from '../domain/access/decide.ts';
import { expandScopes } from '../domain/resource-servers/system.ts';
import { defineStatement } from '../storage/statement.ts';
import { authenticateClient } from './client-auth/authenticate.ts';
import type { PresentedCredentials } from './client-auth/presented.ts';
import type { ProtocolContext } from './context.ts';
import { introspectOpaque, isJwt, revokeOpaque } from './opaque.ts';
import type { IssuerProfile } from './profile.ts';
import { Refusal } from './refusal.ts';
import { guarded } from './refused.ts';
import { loadTokenFacts, type TokenFacts } from './token-facts.ts';
import {
  BadToken,
  type IssuedToken,
  type PresentedToken,
  verifyAccessToken,
  verifyIssuedToken,
} from './tokens/verify.ts';

export interface TokenOperation {
  readonly credentials: PresentedCredentials;
  readonly token: string | undefined;
}

/** The scope, at the native management audience, that lets a client introspect any token of the tenant. */
export const introspectScope = 'introspect:tokens';

/**
 * Tells whether a token is active, to the client it was issued to, to a client linked to its API, and to whoever holds
 * `introspect:tokens`; to anybody else no token is. Throws a `Refusal` when the caller is not authenticated.
 */
export function introspect(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  request: TokenOperation,
): Promise<Record<string, unknown>> {
  return guarded(ctx, 'endpoint.refused', request, async () => {
    const caller = await authenticated(ctx, profile, request);
    const text = request.token as string;
    if (!isJwt(text)) {
      return introspectOpaque(ctx, text, (id) => id === caller.client?.id || seesEveryToken(ctx, caller));
    }
    const token = await orNothing(verifyAccessToken(ctx, text));
    if (token === undefined || !(await maySee(ctx, caller, token))) return { active: false };
    const { scope: _, ...claims } = token.payload;
    return {
      active: true,
      token_type: isBoundToKey(token.confirmation) ? 'DPoP' : 'Bearer',
      client_id: token.clientId,
      ...claims,
      // What the client may still do counts, not what the token once said.
      ...(token.scopes.length === 0 ? {} : { scope: token.scopes.join(' ') }),
      ...(claims.permissions === undefined ? {} : { permissions: token.scopes }),
    };
  });
}

const isBoundToKey = (confirmation: unknown): boolean =>
  typeof confirmation === 'object' && confirmation !== null && 'jkt' in confirmation;

const revokeToken = defineStatement<{ tenantId: string; jti: string; expiresAt: number }>(
  'token_revoke',
  `insert into revoked_tokens (tenant_id, jti, expires_at) values (:tenantId, :jti, :expiresAt) on conflict do nothing`,
);

const linkedApi = defineStatement<{ tenantId: string; clientId: string }, { resource_server_id: string | null }>(
  'linked_api',
  'select resource_server_id from clients where tenant_id = :tenantId and id = :clientId',
);

/**
 * Revokes an access token of the calling client, also one that its grant does not cover just now: it must not come back
 * with the grant. A token that is invalid, or another client's, stays as it is and the answer is the same (RFC 7009
 * §2.2). Throws a `Refusal` when the caller is not authenticated.
 */
export function revoke(ctx: ProtocolContext, profile: IssuerProfile, request: TokenOperation): Promise<void> {
  return guarded(ctx, 'endpoint.refused', request, async () => {
    const caller = await authenticated(ctx, profile, request, { publicClients: true });
    const clientId = caller.client?.id as string;
    const text = request.token as string;
    if (!isJwt(text)) return revokeOpaque(ctx, clientId, text);
    const token = await orNothing(verifyIssuedToken(ctx, text));
    if (token?.clientId === clientId) await revokeJwt(ctx, token);
  });
}

async function revokeJwt(ctx: ProtocolContext, token: IssuedToken): Promise<void> {
  const { db, journal } = ctx.services;
  const { tokenId, audience, clientId, clientName, userId, organization } = token;
  const args = { tenantId: ctx.site.tenantId, jti: tokenId, expiresAt: token.expiresAt * 1000 };
  if ((await db.write(revokeToken, args)) === 0) return;
  await journal.append({
    tenantId: ctx.site.tenantId,
    kind: 'token.revoked',
    clientId,
    clientName,
    userId,
    audience,
    tokenId,
    ...(organization === undefined ? {} : { details: { organization } }),
    ...ctx.origin,
  });
}

async function authenticated(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  request: TokenOperation,
  options: { publicClients?: boolean } = {},
): Promise<TokenFacts> {
  const native = ctx.services.systemApis.find(({ kind }) => kind === 'api');
  const facts = await loadTokenFacts(ctx, request.credentials.clientId ?? '', {
    audience: `${ctx.site.origin}${native?.path}`,
  });
  const client = await authenticateClient(ctx, profile, facts.client, request.credentials, options);
  if (client.status !== 'active') throw new Refusal('client_disabled', { clientId: client.id });
  if (request.token === undefined) throw new Refusal('token_missing', { parameter: 'token' });
  return facts;
}

/** Why a token is not good is nobody's business here. */
async function orNothing<T>(verifying: Promise<T>): Promise<T | undefined> {
  try {
    return await verifying;
  } catch (error) {
    if (error instanceof BadToken) return undefined;
    throw error;
  }
}

async function maySee(ctx: ProtocolContext, caller: TokenFacts, token: PresentedToken): Promise<boolean> {
  const callerId = caller.client?.id as string;
  if (token.clientId === callerId || seesEveryToken(ctx, caller)) return true;
  const [linked] = await ctx.services.db.run(linkedApi, { tenantId: ctx.site.tenantId, clientId: callerId });
  return token.resourceServerId !== null && linked?.resource_server_id === token.resourceServerId;
}

/** Whether the caller holds `introspect:tokens` today. */
function seesEveryToken(ctx: ProtocolContext, caller: TokenFacts): boolean {
  const native = ctx.services.systemApis.find(({ kind }) => kind === 'api');
  const decision = decideClientAccess(caller.access, undefined);
  return native !== undefined && decision.allowed && expandScopes(native, decision.scopes).has(introspectScope);
}
