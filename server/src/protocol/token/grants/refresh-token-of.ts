import type { Authorization } from '../../../domain/authorizations/authorization.ts';
import { insertRefreshToken } from '../../../domain/authorizations/refresh-tokens.ts';
import { defaultRefreshTokenLifetimeSeconds } from '../../../domain/clients/sign-in.ts';
import { randomBase64Url } from '../../../kernel/random.ts';
import type { Binding } from '../../binding/binding.ts';
import type { ClientFacts } from '../../client-facts.ts';
import type { ProtocolContext } from '../../context.ts';

/** Whether an authorization comes with a refresh token. */
export const givesRefreshToken = (client: ClientFacts, { scopes }: Authorization): boolean =>
  client.grantTypes.includes('refresh_token') &&
  (scopes.includes('offline_access') || (client.type === 'web' && client.signIn.alwaysIssuesRefreshToken === true));

/** Lifetime of a client's refresh tokens, in milliseconds. */
export const refreshLifetimeMs = ({ signIn }: ClientFacts): number =>
  (signIn.refreshTokenLifetimeSeconds ?? defaultRefreshTokenLifetimeSeconds) * 1000;

/** The first refresh token of an authorization, kept when this settles. */
export async function newRefreshToken(
  ctx: ProtocolContext,
  client: ClientFacts,
  { id }: Pick<Authorization, 'id'>,
  binding: Binding,
  token: string = randomBase64Url(ctx.services.random, 32),
): Promise<string> {
  const now = ctx.services.clock.now();
  await insertRefreshToken(ctx.services, ctx.site.tenantId, token, {
    authorizationId: id,
    clientId: client.id,
    ...boundTo(client, binding),
    createdAt: now,
    expiresAt: now + refreshLifetimeMs(client),
  });
  return token;
}

/** RFC 9449 §5: of a public client the token is bound to the key; others prove who they are anyway. */
export const boundTo = (client: ClientFacts, binding: Binding) => ({
  dpopThumbprint: client.isPublic ? (binding.dpopThumbprint ?? null) : null,
  certificateThumbprint: client.isPublic ? (binding.certificateThumbprint ?? null) : null,
});
