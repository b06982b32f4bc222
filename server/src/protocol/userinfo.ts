/** The userinfo endpoint (OpenID Connect Core §5.3): claims about the person a token speaks for. */
import { findAuthorization } from '../domain/authorizations/authorizations.ts';
import { clientMayUse, findOpaqueToken } from '../domain/authorizations/opaque-tokens.ts';
import { bindingOfRow } from './binding/binding.ts';
import { assertBinding, bindingOfClaim, type PresentedAccessToken } from './binding/present.ts';
import type { ProtocolContext } from './context.ts';
import { isJwt } from './opaque.ts';
import { type IssuerProfile, profileOfIssuer } from './profile.ts';
import { Refusal } from './refusal.ts';
import { loggingRefusal } from './refused.ts';
import { claimsOfPerson, loadPerson } from './tokens/person.ts';
import { authorizationOfTokenId, BadToken, verifyAccessToken } from './tokens/verify.ts';

/** Throws the refusals `userinfo_token_invalid` and `userinfo_scope_missing`, logged. */
export async function userinfo(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  presented: PresentedAccessToken | undefined,
): Promise<Record<string, unknown>> {
  return loggingRefusal(ctx, 'userinfo.refused', async () => {
    const { userId, scopes, clientId, signedInBy } = await subjectOf(ctx, profile, presented).catch((error) => {
      throw asRefusal(error);
    });
    if (!scopes.includes('openid')) {
      throw new Refusal('userinfo_scope_missing', { clientId, userId, scopes: ['openid'] });
    }
    const user = await loadPerson(ctx, userId);
    if (user?.status !== 'active') throw new Refusal('userinfo_token_invalid', { clientId, detail: 'user not active' });
    const claims = await claimsOfPerson(ctx, profile, user, { scopes, place: 'userinfo', clientId, signedInBy });
    return { sub: profile.subjectOfUser(user.id), ...claims };
  });
}

async function subjectOf(ctx: ProtocolContext, profile: IssuerProfile, presented: PresentedAccessToken | undefined) {
  if (presented === undefined) throw new Refusal('userinfo_token_invalid', { detail: 'no token' });
  const { token } = presented;
  if (!isJwt(token)) {
    const found = await findOpaqueToken(ctx.services, ctx.site.tenantId, token);
    if (found === undefined || found.issuer !== profile.name || !clientMayUse(found)) {
      throw new BadToken('no such token of this issuer');
    }
    await assertBinding(ctx, bindingOfRow(found), presented);
    const { user_id: userId, client_id: clientId, auth_policy_id: signedInBy } = found;
    return { userId, clientId, scopes: found.scopes.split(' '), signedInBy };
  }
  const verified = await verifyAccessToken(ctx, token);
  if (verified.userId === undefined || profileOfIssuer(ctx.site, verified.payload.iss) !== profile) {
    throw new BadToken('it speaks for no person of this issuer');
  }
  if (verified.bySharedSecret) throw new BadToken('its API could have written it itself');
  await assertBinding(ctx, bindingOfClaim(verified.confirmation), presented);
  const { userId, clientId, tokenId } = verified;
  const authorization = await findAuthorization(ctx.services, ctx.site.tenantId, authorizationOfTokenId(tokenId));
  if (authorization === undefined) throw new BadToken('what the person authorized has just ended');
  // A token of an API carries the scopes of OpenID Connect beside the API's.
  return { userId, clientId, scopes: verified.tokenScopes, signedInBy: authorization.authPolicyId };
}

/** What is wrong with the token is for the log; the answer is the same refusal always. */
const asRefusal = (error: unknown): unknown =>
  error instanceof BadToken ? new Refusal('userinfo_token_invalid', { detail: error.message }) : error;
