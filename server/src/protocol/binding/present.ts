/** Where tokens are asked for and where they are used: what ties them to their holder is proven here, by one rule. */
import { certificateThumbprint } from '../../kernel/client-certificates.ts';
import type { ClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { BadToken } from '../tokens/verify.ts';
import type { Binding, PresentedBinding } from './binding.ts';
import { BadProof, verifyDpopProof } from './dpop.ts';

/**
 * What the tokens of a request are bound to: the key of its DPoP proof, whoever the client is, and its certificate, where
 * the client is set so. Call it once the client is authenticated and before anything is used up. Throws the refusals
 * `dpop_proof_missing`, `dpop_proof_invalid`, `dpop_proof_replayed`, `certificate_missing`.
 */
export async function bindingOf(
  ctx: ProtocolContext,
  client: Pick<ClientFacts, 'id' | 'signIn'>,
  presented: PresentedBinding,
): Promise<Binding> {
  const { requiresDpop, bindsTokensToCertificate } = client.signIn;
  const { dpopProof, certificate } = presented;
  if (dpopProof === undefined && requiresDpop) throw new Refusal('dpop_proof_missing', { clientId: client.id });
  if (certificate === undefined && bindsTokensToCertificate) {
    throw new Refusal('certificate_missing', { clientId: client.id });
  }
  return {
    ...(dpopProof === undefined ? {} : { dpopThumbprint: await thumbprintOf(ctx, client.id, presented, dpopProof) }),
    ...(bindsTokensToCertificate ? { certificateThumbprint: certificateThumbprint(certificate as Buffer) } : {}),
  };
}

/** The thumbprint of a proof's key, for an endpoint of the protocol. Throws a `Refusal`. */
async function thumbprintOf(
  ctx: ProtocolContext,
  clientId: string,
  { method, path }: PresentedBinding,
  proof: string,
): Promise<string> {
  try {
    return await verifyDpopProof(ctx, proof, { method, path });
  } catch (error) {
    if (!(error instanceof BadProof)) throw error;
    const reason = error.isReplay ? 'dpop_proof_replayed' : 'dpop_proof_invalid';
    throw new Refusal(reason, { clientId, detail: error.message });
  }
}

/** An access token as a request presents it. */
export interface PresentedAccessToken {
  readonly token: string;
  readonly scheme: 'Bearer' | 'DPoP';
  readonly binding: PresentedBinding;
}

/** The token is bound, and the request does not show that its sender holds what it is bound to. */
export class BadBinding extends BadToken {
  /** Whether it is the proof that is not good (RFC 9449 §7.1). */
  readonly ofProof: boolean;
  constructor(detail: string, ofProof: boolean) {
    super(detail);
    this.name = 'BadBinding';
    this.ofProof = ofProof;
  }
}

/** Reads the claim `cnf` of a token of ours. Throws `BadToken` when it says what we do not know. */
export function bindingOfClaim(cnf: unknown): Binding {
  if (cnf === undefined) return {};
  const { jkt, 'x5t#S256': x5t, ...others } = (cnf ?? {}) as Record<string, unknown>;
  const isKnown = [jkt, x5t].every((value) => value === undefined || typeof value === 'string');
  if (!isKnown || (jkt ?? x5t) === undefined || Object.keys(others).length > 0) throw new BadToken('cnf is not known');
  return { dpopThumbprint: jkt as string | undefined, certificateThumbprint: x5t as string | undefined };
}

/**
 * Checks that whoever presents a token holds what it is bound to (RFC 9449 §7, RFC 8705 §3). Call it last: it uses up the
 * proof. Throws `BadBinding`.
 */
export async function assertBinding(
  ctx: ProtocolContext,
  bound: Binding,
  { token, scheme, binding: { dpopProof, certificate, method, path } }: PresentedAccessToken,
): Promise<void> {
  if (bound.certificateThumbprint !== undefined) {
    if (certificate === undefined) throw new BadBinding('the token is bound to a certificate; none was shown', false);
    if (certificateThumbprint(certificate) !== bound.certificateThumbprint) {
      throw new BadBinding('the token is bound to another certificate', false);
    }
  }
  if (bound.dpopThumbprint === undefined) {
    if (scheme === 'DPoP') throw new BadBinding('the token is not bound to a key', false);
    return;
  }
  if (scheme !== 'DPoP') throw new BadBinding('the token is bound to a key and was presented as Bearer', false);
  if (dpopProof === undefined) throw new BadBinding('there is no DPoP proof', true);
  const thumbprint = await verifyDpopProof(ctx, dpopProof, { method, path, accessToken: token }).catch((error) => {
    throw error instanceof BadProof ? new BadBinding(`DPoP proof: ${error.message}`, true) : error;
  });
  if (thumbprint !== bound.dpopThumbprint) throw new BadBinding('the token is bound to another key', false);
}
