/** Tokens that say nothing by themselves: refresh tokens, and access tokens for the userinfo endpoint. */
import { clientTakes } from '../domain/auth-policies/offer-lists.ts';
import { endAuthorization } from '../domain/authorizations/authorizations.ts';
import { clientMayUse, endOpaqueToken, findOpaqueToken } from '../domain/authorizations/opaque-tokens.ts';
import { findRefreshToken, type RefreshToken } from '../domain/authorizations/refresh-tokens.ts';
import { bindingOfRow, confirmationOf, tokenTypeOf } from './binding/binding.ts';
import { loadClientFacts } from './client-facts.ts';
import type { ProtocolContext } from './context.ts';
import { profileNamed } from './profile.ts';
import { ended } from './token/grants/ended.ts';
import { loadPerson } from './tokens/person.ts';

/** Whether a token could be a JWT of ours; the opaque ones have no dot. */
export const isJwt = (token: string): boolean => token.includes('.');

/** Tells of an opaque or refresh token, to who may see those of its client (RFC 7662 §2.2). */
export async function introspectOpaque(
  ctx: ProtocolContext,
  token: string,
  maySee: (clientId: string) => boolean,
): Promise<Record<string, unknown>> {
  const { tenantId } = ctx.site;
  const opaque = await findOpaqueToken(ctx.services, tenantId, token);
  if (opaque !== undefined) {
    const isGood = maySee(opaque.client_id) && opaque.user_status === 'active' && clientMayUse(opaque);
    if (!isGood) return { active: false };
    const profile = profileNamed(opaque.issuer);
    const binding = bindingOfRow(opaque);
    return {
      active: true,
      token_type: tokenTypeOf(binding),
      client_id: opaque.client_id,
      iss: profile.issuer(ctx.site),
      sub: profile.subjectOfUser(opaque.user_id),
      scope: opaque.scopes,
      iat: Math.floor(opaque.created_at / 1000),
      exp: Math.floor(opaque.expires_at / 1000),
      cnf: confirmationOf(binding),
    };
  }
  const refresh = await findRefreshToken(ctx.services, tenantId, token);
  return refresh !== undefined && maySee(refresh.clientId) && (await isAlive(ctx, refresh))
    ? refreshBody(ctx, refresh)
    : { active: false };
}

async function isAlive(ctx: ProtocolContext, token: RefreshToken): Promise<boolean> {
  const { usedAt, expiresAt, authorization, clientId } = token;
  if (usedAt !== null || Math.min(expiresAt, authorization.expiresAt) <= ctx.services.clock.now()) return false;
  const [{ client }, user] = await Promise.all([loadClientFacts(ctx, clientId), loadPerson(ctx, authorization.userId)]);
  return (
    client?.status === 'active' &&
    user?.status === 'active' &&
    clientTakes(client.offeredPolicyIds, authorization.authPolicyId)
  );
}

function refreshBody(ctx: ProtocolContext, { authorization, createdAt, expiresAt }: RefreshToken) {
  const profile = profileNamed(authorization.issuer);
  return {
    active: true,
    client_id: authorization.clientId,
    iss: profile.issuer(ctx.site),
    sub: profile.subjectOfUser(authorization.userId),
    scope: authorization.scopes.join(' '),
    iat: Math.floor(createdAt / 1000),
    exp: Math.floor(expiresAt / 1000),
  };
}

/**
 * Revokes an opaque or refresh token of the calling client; with a refresh token, used or not, ends all that rests on
 * its authorization (RFC 7009 §2.1). Another client's stays as it is and the answer is the same.
 */
export async function revokeOpaque(ctx: ProtocolContext, callerId: string, token: string): Promise<void> {
  const { tenantId } = ctx.site;
  const refresh = await findRefreshToken(ctx.services, tenantId, token);
  if (refresh !== undefined) {
    if (refresh.clientId !== callerId) return;
    if (await endAuthorization(ctx.services, tenantId, refresh.authorization.id)) {
      await ended(ctx, refresh.authorization, 'revoked');
    }
    return;
  }
  const opaque = await findOpaqueToken(ctx.services, tenantId, token);
  if (opaque?.client_id !== callerId || !(await endOpaqueToken(ctx.services, tenantId, token))) return;
  await ctx.services.journal.append({
    tenantId,
    kind: 'token.revoked',
    clientId: opaque.client_id,
    clientName: opaque.client_name,
    userId: opaque.user_id,
    description: 'opaque access token',
    ...ctx.origin,
  });
}
