/** How a client proves itself: a secret (RFC 6749 §2.3.1) or a private key (RFC 7523 §2.2). */
import { ConfigurationError } from '../errors.ts';
import { type AsymmetricAlgorithm, algorithmNamed } from '../jose/algorithms.ts';
import { encode } from '../jose/base64url.ts';
import { signJws } from '../jose/jws.ts';
import { type PrivateKey, readPrivateKey, type SigningKey } from '../jose/private-key.ts';

/** Either `clientSecret` or `privateKey`. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret?: string;
  /** How the secret is sent: in the form (the default) or in the Authorization header. */
  readonly clientAuthentication?: 'client_secret_post' | 'client_secret_basic';
  /** PEM of PKCS#8, a private JWK, or a `CryptoKey`. */
  readonly privateKey?: PrivateKey;
  /** Default: the key's own; RS256 for an RSA key that names none. */
  readonly privateKeyAlgorithm?: AsymmetricAlgorithm;
  /** The `kid` that the server knows the key by. Default: the JWK's own, or none. */
  readonly privateKeyId?: string;
}

/** Life of an assertion; each is used once. */
const assertionSeconds = 60;
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Keeps the secret or the key to itself: an object of this class shows neither when it is logged. */
export class ClientAuthentication {
  readonly clientId: string;
  readonly usesKey: boolean;
  readonly #credentials: ClientCredentials;
  readonly #now: () => number;
  #key: Promise<SigningKey> | undefined;

  constructor(credentials: ClientCredentials, now: () => number) {
    const { clientId, clientSecret, privateKey } = credentials;
    if (typeof clientId !== 'string' || clientId === '') throw new ConfigurationError('clientId is missing.');
    if ((clientSecret === undefined) === (privateKey === undefined)) {
      throw new ConfigurationError('Give either clientSecret or privateKey.');
    }
    if (clientSecret !== undefined && (typeof clientSecret !== 'string' || clientSecret === '')) {
      throw new ConfigurationError('clientSecret must be a text that is not empty.');
    }
    this.clientId = clientId;
    this.usesKey = privateKey !== undefined;
    this.#credentials = { ...credentials };
    this.#now = now;
  }

  /** Adds the proof to a request; `issuer` is the one an assertion is made for. */
  async prove(form: URLSearchParams, headers: Record<string, string>, issuer: string | undefined): Promise<void> {
    const { clientSecret, clientAuthentication } = this.#credentials;
    if (clientSecret === undefined) {
      form.set('client_id', this.clientId);
      form.set('client_assertion_type', assertionType);
      form.set('client_assertion', await this.#assertion(issuer as string));
    } else if (clientAuthentication === 'client_secret_basic') {
      headers.authorization = `Basic ${btoa(`${formEncode(this.clientId)}:${formEncode(clientSecret)}`)}`;
    } else {
      form.set('client_id', this.clientId);
      form.set('client_secret', clientSecret);
    }
  }

  /** A server's text without the secret, should it have repeated it. */
  hide(text: string): string {
    const { clientSecret } = this.#credentials;
    return clientSecret === undefined ? text : text.replaceAll(clientSecret, '***');
  }

  async #assertion(issuer: string): Promise<string> {
    const { privateKey, privateKeyAlgorithm, privateKeyId } = this.#credentials;
    this.#key ??= readPrivateKey(privateKey as PrivateKey, privateKeyAlgorithm, privateKeyId);
    const { key, alg, kid } = await this.#key;
    const algorithm = algorithmNamed(alg);
    if (algorithm === undefined) throw new ConfigurationError(`The key can not sign with ${alg}.`);
    const iat = Math.floor(this.#now() / 1000);
    // Its audience is the issuer, as one string: made for one server, it is of no use at another (RFC 7523 §3).
    const claims = {
      iss: this.clientId,
      sub: this.clientId,
      aud: issuer,
      iat,
      exp: iat + assertionSeconds,
      jti: encode(crypto.getRandomValues(new Uint8Array(24))),
    };
    return signJws(algorithm, key, { alg, typ: 'JWT', ...(kid === undefined ? {} : { kid }) }, claims);
  }
}

/** RFC 6749 appendix B. */
const formEncode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
