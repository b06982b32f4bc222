/** DPoP proofs (RFC 9449 §4): each says, of one request, that its sender holds the key the token is bound to. */
import { ConfigurationError } from '../errors.ts';
import { type Algorithm, type AsymmetricAlgorithm, algorithmNamed, type CryptoKey } from '../jose/algorithms.ts';
import { bytesOf, encode } from '../jose/base64url.ts';
import { signJws } from '../jose/jws.ts';
import { type PrivateKey, readPrivateKey } from '../jose/private-key.ts';
import { type PublicJwk, publicMembers, thumbprintOf } from '../jose/thumbprint.ts';

/**
 * `true` makes a key that lives and dies with this process. A key of your own is EC, Ed25519, or RSA with the algorithm
 * PS256; a `CryptoKey` must be extractable, for its public half goes into every proof.
 */
export type DpopOptions = true | { readonly privateKey: PrivateKey; readonly algorithm?: AsymmetricAlgorithm };

/** The request a proof is for. */
export interface DpopRequest {
  readonly method: string;
  /** Where it goes; query and fragment do not matter. */
  readonly url: string;
  /** The access token that goes with it, at an API. */
  readonly accessToken?: string;
}

interface ProofKey {
  readonly key: CryptoKey;
  readonly alg: AsymmetricAlgorithm;
  readonly jwk: PublicJwk;
}

/** Most servers whose nonce is remembered. */
const maximumNonces = 100;

export class DpopProver {
  readonly #options: DpopOptions;
  readonly #now: () => number;
  readonly #nonces = new Map<string, string>();
  #key: Promise<ProofKey> | undefined;

  constructor(options: DpopOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  /** A proof for one request, to be sent once, in the header `DPoP`. Throws a `ConfigurationError`. */
  async proof({ method, url, accessToken }: DpopRequest): Promise<string> {
    const { key, alg, jwk } = await this.#proofKey();
    const { origin, pathname } = new URL(url);
    const nonce = this.#nonces.get(origin);
    const claims = {
      jti: encode(crypto.getRandomValues(new Uint8Array(24))),
      htm: method.toUpperCase(),
      htu: `${origin}${pathname}`,
      iat: Math.floor(this.#now() / 1000),
      ...(accessToken === undefined ? {} : { ath: await hashOf(accessToken) }),
      ...(nonce === undefined ? {} : { nonce }),
    };
    return signJws(algorithmNamed(alg) as Algorithm, key, { alg, typ: 'dpop+jwt', jwk }, claims);
  }

  /** Of the key, as the claim `cnf` names it. */
  async thumbprint(): Promise<string> {
    return thumbprintOf((await this.#proofKey()).jwk);
  }

  /** Remembers the nonce that a server wants to see (RFC 9449 §8); says whether it is a new one. */
  noteNonce(url: string, nonce: string | null): boolean {
    const { origin } = new URL(url);
    if (nonce === null || this.#nonces.get(origin) === nonce) return false;
    if (this.#nonces.size >= maximumNonces) this.#nonces.clear();
    this.#nonces.set(origin, nonce);
    return true;
  }

  #proofKey(): Promise<ProofKey> {
    this.#key ??= this.#options === true ? generate() : read(this.#options.privateKey, this.#options.algorithm);
    return this.#key;
  }
}

export const hashOf = async (token: string): Promise<string> =>
  encode(new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(token))));

async function generate(): Promise<ProofKey> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
    'verify',
  ]);
  return { key: privateKey, alg: 'ES256', jwk: publicMembers(await crypto.subtle.exportKey('jwk', publicKey)) };
}

async function read(privateKey: PrivateKey, algorithm: AsymmetricAlgorithm | undefined): Promise<ProofKey> {
  const { key, alg } = await readPrivateKey(privateKey, algorithm, undefined, true);
  if (!key.extractable) throw new ConfigurationError('The CryptoKey for DPoP must be extractable.');
  return { key, alg, jwk: publicMembers(await crypto.subtle.exportKey('jwk', key)) };
}
