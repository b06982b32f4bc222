/** What ties a token to its holder beside the token itself: a key (RFC 9449) or a certificate (RFC 8705). */
import type { Confirmation } from '../tokens/claims.ts';

/** What a request showed, read at the edge; nothing of it is believed yet. */
export interface PresentedBinding {
  /** Of the request: a proof is made for one method and URL. */
  readonly method: string;
  /** As it was sent, with its query if it has one. */
  readonly path: string;
  /** The `DPoP` header. */
  readonly dpopProof?: string | undefined;
  /** The client's certificate, DER. */
  readonly certificate?: Buffer | undefined;
}

/** What was verified. */
export interface Binding {
  /** SHA-256 thumbprint of the key of a DPoP proof (RFC 7638), base64url. */
  readonly dpopThumbprint?: string | undefined;
  /** SHA-256 of the certificate, base64url. */
  readonly certificateThumbprint?: string | undefined;
}

export const unbound: Binding = {};

/** What a token that is kept as a row is bound to. */
export const bindingOfRow = (row: {
  dpop_thumbprint: string | null;
  certificate_thumbprint: string | null;
}): Binding => ({
  dpopThumbprint: row.dpop_thumbprint ?? undefined,
  certificateThumbprint: row.certificate_thumbprint ?? undefined,
});

/** The claim `cnf` of a token that is bound so. */
export function confirmationOf({ dpopThumbprint, certificateThumbprint }: Binding): Confirmation | undefined {
  if (dpopThumbprint === undefined && certificateThumbprint === undefined) return undefined;
  return {
    ...(dpopThumbprint === undefined ? {} : { jkt: dpopThumbprint }),
    ...(certificateThumbprint === undefined ? {} : { 'x5t#S256': certificateThumbprint }),
  };
}

/** RFC 9449 §5: what an answer calls the token. */
export const tokenTypeOf = ({ dpopThumbprint }: Binding): 'Bearer' | 'DPoP' =>
  dpopThumbprint === undefined ? 'Bearer' : 'DPoP';
