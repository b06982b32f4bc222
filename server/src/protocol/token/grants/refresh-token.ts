import { endAuthorization } from '../../../domain/authorizations/authorizations.ts';
import {
  findRefreshToken,
  insertRefreshToken,
  type RefreshToken,
  refreshGraceMs,
  successorOf,
  useRefreshToken,
} from '../../../domain/authorizations/refresh-tokens.ts';
import type { Binding } from '../../binding/binding.ts';
import type { ClientFacts } from '../../client-facts.ts';
import type { ProtocolContext } from '../../context.ts';
import { Refusal } from '../../refusal.ts';
import { assertStillThere } from '../../sign-in/still-there.ts';
import { ended } from './ended.ts';
import type { PersonGrant, Redeemed } from './grant-type.ts';
import { refreshLifetimeMs } from './refresh-token-of.ts';

/**
 * RFC 6749 §6 with rotation (RFC 9700 §4.14.2). A public client's token is exchanged at each use, a confidential one's
 * once most of its life is over. A token that was exchanged is still answered for `refreshGraceMs`, always with the same
 * successor, as long as that one was not used; later it is a replay, and all that rests on the authorization ends.
 */
export async function redeem(
  ctx: ProtocolContext,
  { profile, client, request, binding }: Redeemed,
): Promise<PersonGrant> {
  const presented = request.given.refreshToken;
  if (presented === undefined) {
    throw new Refusal('parameter_invalid', { parameter: 'refresh_token', clientId: client.id });
  }
  const { services, site } = ctx;
  const found = await findRefreshToken(services, site.tenantId, presented);
  const now = services.clock.now();
  if (
    found === undefined ||
    found.clientId !== client.id ||
    found.authorization.issuer !== profile.name ||
    found.expiresAt <= now ||
    found.authorization.expiresAt <= now
  ) {
    throw new Refusal('refresh_token_invalid', { clientId: client.id, userId: found?.authorization.userId });
  }
  assertBound(found, binding);
  if (found.usedAt !== null && !(await mayRepeat(ctx, found, presented))) throw await replayed(ctx, found);
  await assertStillThere(ctx, found.authorization);
  const rotates = found.usedAt !== null || rotatesNow(client, found, now);
  return {
    authorization: found.authorization,
    givesIdToken: true,
    async consume() {
      if (!rotates || (await useRefreshToken(services, site.tenantId, found.hash))) return;
      // Another request was faster: within the grace time both get the same successor.
      const again = await findRefreshToken(services, site.tenantId, presented);
      if (again === undefined) throw new Refusal('refresh_token_invalid', { clientId: client.id });
      if (!(await mayRepeat(ctx, again, presented))) throw await replayed(ctx, found);
    },
    async refreshToken() {
      if (!rotates) return presented;
      const successor = successorOf(services, presented);
      await insertRefreshToken(services, site.tenantId, successor, {
        authorizationId: found.authorization.id,
        clientId: client.id,
        dpopThumbprint: found.dpopThumbprint,
        certificateThumbprint: found.certificateThumbprint,
        createdAt: now,
        // What runs in a browser does not stay signed in by staying open.
        expiresAt: client.type === 'browser' ? found.expiresAt : now + refreshLifetimeMs(client),
      });
      return successor;
    },
  };
}

function assertBound(found: RefreshToken, binding: Binding): void {
  const { dpopThumbprint, certificateThumbprint } = found;
  const isSame =
    (dpopThumbprint === null || dpopThumbprint === binding.dpopThumbprint) &&
    (certificateThumbprint === null || certificateThumbprint === binding.certificateThumbprint);
  if (isSame) return;
  throw new Refusal('binding_mismatch', { clientId: found.clientId, userId: found.authorization.userId });
}

/** Part of its life after which a confidential client's token is exchanged. */
const wornAfter = 0.7;
/** A token that lives this long is not exchanged, in milliseconds. */
const longLivedMs = 365 * 86_400_000;

function rotatesNow(client: ClientFacts, token: RefreshToken, now: number): boolean {
  const isBound = token.dpopThumbprint !== null || token.certificateThumbprint !== null;
  // RFC 9700 §4.14.2: whatever the client is set to, a token that anybody could use is exchanged.
  if (client.isPublic && !isBound) return true;
  if (client.signIn.rotatesRefreshTokens === false) return false;
  const lifetime = token.expiresAt - token.createdAt;
  return client.isPublic || (lifetime < longLivedMs && now - token.createdAt >= lifetime * wornAfter);
}

async function mayRepeat(ctx: ProtocolContext, { usedAt }: RefreshToken, presented: string): Promise<boolean> {
  if (usedAt === null) return true;
  if (ctx.services.clock.now() - usedAt > refreshGraceMs) return false;
  const successor = await findRefreshToken(ctx.services, ctx.site.tenantId, successorOf(ctx.services, presented));
  return successor === undefined || successor.usedAt === null;
}

async function replayed(ctx: ProtocolContext, { authorization }: RefreshToken): Promise<Refusal> {
  if (await endAuthorization(ctx.services, ctx.site.tenantId, authorization.id)) {
    await ended(ctx, authorization, 'refresh_token_replayed');
  }
  return new Refusal('refresh_token_replayed', { clientId: authorization.clientId, userId: authorization.userId });
}
