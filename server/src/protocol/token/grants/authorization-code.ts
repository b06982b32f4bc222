import { createHash, timingSafeEqual } from 'node:crypto';
import {
  endAuthorization,
  type FoundByCode,
  findByCode,
  useCode,
} from '../../../domain/authorizations/authorizations.ts';
import type { Binding } from '../../binding/binding.ts';
import type { ProtocolContext } from '../../context.ts';
import { Refusal } from '../../refusal.ts';
import { ended } from './ended.ts';
import type { PersonGrant, Redeemed } from './grant-type.ts';
import { givesRefreshToken, newRefreshToken } from './refresh-token-of.ts';

/** RFC 6749 §4.1.3 with RFC 7636: a code is good once, for the client, the redirect URI and the verifier it is bound to. */
export async function redeem(ctx: ProtocolContext, redeemed: Redeemed): Promise<PersonGrant> {
  const { profile, client, request, binding } = redeemed;
  const { code, redirectUri, codeVerifier } = request.given;
  if (code === undefined) throw new Refusal('parameter_invalid', { parameter: 'code', clientId: client.id });
  const { tenantId } = ctx.site;
  const found = await findByCode(ctx.services, tenantId, code);
  const refuse = (reason: 'code_invalid' | 'redirect_uri_mismatch') =>
    new Refusal(reason, { clientId: client.id, userId: found?.userId });
  // Told from an unknown one to nobody: a code of another client or issuer.
  if (found === undefined || found.clientId !== client.id || found.issuer !== profile.name)
    throw refuse('code_invalid');
  if (found.codeUsedAt !== null) throw await replayed(ctx, found);
  if (found.expiresAt <= ctx.services.clock.now()) throw refuse('code_invalid');
  if (found.redirectUri !== redirectUri) throw refuse('redirect_uri_mismatch');
  assertVerifier(found, codeVerifier);
  assertKey(found, binding);
  return {
    authorization: found,
    nonce: found.nonce,
    givesIdToken: true,
    async consume() {
      // Of two at once one changes the row; the other is a replay.
      if (!(await useCode(ctx.services, tenantId, found.id))) throw await replayed(ctx, found);
    },
    async refreshToken() {
      return givesRefreshToken(client, found) ? newRefreshToken(ctx, client, found, binding) : undefined;
    },
  };
}

/** RFC 6749 §4.1.2: somebody else may have the code, so what came of it ends. */
async function replayed(ctx: ProtocolContext, found: FoundByCode): Promise<Refusal> {
  if (await endAuthorization(ctx.services, ctx.site.tenantId, found.id)) await ended(ctx, found, 'code_replayed');
  return new Refusal('code_replayed', { clientId: found.clientId, userId: found.userId });
}

/** RFC 7636 §4.6, and no verifier where no challenge was sent (RFC 9700 §4.8.2). */
function assertVerifier({ codeChallenge, clientId, userId }: FoundByCode, verifier: string | undefined): void {
  const wrong = () => new Refusal('code_verifier_wrong', { clientId, userId });
  if (codeChallenge === null) {
    if (verifier !== undefined) throw wrong();
    return;
  }
  if (verifier === undefined || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) throw wrong();
  const challenge = createHash('sha256').update(verifier).digest();
  const expected = Buffer.from(codeChallenge, 'base64url');
  if (expected.length !== challenge.length || !timingSafeEqual(expected, challenge)) throw wrong();
}

/** RFC 9449 §10: a code that was asked for with a key is exchanged with that key. */
function assertKey({ dpopThumbprint, clientId, userId }: FoundByCode, binding: Binding): void {
  if (dpopThumbprint === null || dpopThumbprint === binding.dpopThumbprint) return;
  throw new Refusal('binding_mismatch', { clientId, userId });
}
