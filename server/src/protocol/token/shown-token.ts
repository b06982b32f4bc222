/** What is asked of every token that a request shows to be exchanged, whichever part it has. */
import type { Binding } from '../binding/binding.ts';
import type { ProtocolContext } from '../context.ts';
import { profileOfIssuer } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { BadToken, type PresentedToken, verifyAccessToken } from '../tokens/verify.ts';
import type { Redeemed } from './grants/grant-type.ts';

/** A JWT that is good today, of this very issuer. */
export async function verifiedJwt(
  ctx: ProtocolContext,
  redeemed: Redeemed,
  token: string,
  refusal: (redeemed: Redeemed, detail: string) => Refusal,
): Promise<PresentedToken> {
  try {
    const presented = await verifyAccessToken(ctx, token);
    if (profileOfIssuer(ctx.site, presented.payload.iss) !== redeemed.profile) throw new BadToken('of another issuer');
    if (presented.bySharedSecret) throw new BadToken('its API could have written it itself');
    return presented;
  } catch (error) {
    throw error instanceof BadToken ? refusal(redeemed, error.message) : error;
  }
}

/** What is bound to a key or certificate is exchanged by who holds that, and the new token is bound to it too. */
export function assertBinding({ client }: Redeemed, bound: Binding, shown: Binding): void {
  const isSame =
    (bound.dpopThumbprint === undefined || bound.dpopThumbprint === shown.dpopThumbprint) &&
    (bound.certificateThumbprint === undefined || bound.certificateThumbprint === shown.certificateThumbprint);
  if (!isSame) throw new Refusal('binding_mismatch', { clientId: client.id });
}
