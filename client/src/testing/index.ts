/**
 * Tokens for the tests of your own API, offline: an issuer with real keys that exists in memory only. Its `fetch` answers
 * discovery, keys and introspection, so the verifier under test does all it does in production.
 */
import { type AsymmetricAlgorithm, algorithmNamed, type CryptoKey, type Jwk } from '../jose/algorithms.ts';
import { encode } from '../jose/base64url.ts';
import { signJws } from '../jose/jws.ts';

export interface TestIssuerOptions {
  /** Default `https://issuer.test/`. */
  readonly issuer?: string;
  /** The audience of the tokens. Default `https://api.test`. */
  readonly audience?: string;
  /** Default ES256. */
  readonly algorithm?: AsymmetricAlgorithm;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

/** Claims of a token; what is left out gets a good value, what is undefined stays out. `scope` may be a list. */
export interface TestClaims {
  readonly scope?: string | readonly string[];
  readonly [claim: string]: unknown;
}

export interface MintOptions {
  /** Members of the header; undefined leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Default 300. */
  readonly expiresInSeconds?: number;
}

export interface TestIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** The published keys. */
  readonly jwks: { readonly keys: readonly Jwk[] };
  /** For the verifier's option `fetch`. Throws for any other address: no test reaches the network by it. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The verifier's options, ready to use. */
  readonly verifierOptions: {
    readonly issuer: string;
    readonly audience: string;
    readonly fetch: TestIssuer['fetch'];
    readonly now: () => number;
  };
  /** An access token (RFC 9068) that is good, unless the claims say otherwise. */
  mint(claims?: TestClaims, options?: MintOptions): Promise<string>;
  /** One that ended an hour ago. */
  mintExpired(claims?: TestClaims): Promise<string>;
  /** One for another API. */
  mintForOtherAudience(claims?: TestClaims): Promise<string>;
  /** One from another issuer, signed with this one's key. */
  mintFromOtherIssuer(claims?: TestClaims): Promise<string>;
  /** One whose signature is by a key that is not published. */
  mintWithWrongKey(claims?: TestClaims): Promise<string>;
  /** From now on introspection says that the token is not active. */
  revoke(token: string): void;
}

/** Makes a key pair, and with it the issuer. */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const {
    issuer = 'https://issuer.test/',
    audience = 'https://api.test',
    algorithm = 'ES256',
    now = Date.now,
  } = options;
  const [pair, stranger] = await Promise.all([generate(algorithm), generate(algorithm)]);
  const published = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const { kty, crv, n, e, x, y } = published as Record<string, string>;
  const kid = 'test-key';
  const material = JSON.parse(JSON.stringify({ kty, crv, n, e, x, y })) as { kty: string };
  const jwks = { keys: [{ ...material, kid, alg: algorithm, use: 'sig' }] };
  const revoked = new Set<string>();

  const sign = (key: CryptoKey, claims: TestClaims, { header, expiresInSeconds = 300 }: MintOptions = {}) => {
    const iat = Math.floor(now() / 1000);
    const { scope } = claims;
    const payload = {
      iss: issuer,
      sub: 'test-client@clients',
      aud: audience,
      client_id: 'test-client',
      iat,
      exp: iat + expiresInSeconds,
      jti: encode(crypto.getRandomValues(new Uint8Array(16))),
      ...claims,
      ...(Array.isArray(scope) ? { scope: scope.join(' ') } : {}),
    };
    return signJws(
      algorithmNamed(algorithm) as NonNullable<ReturnType<typeof algorithmNamed>>,
      key,
      { alg: algorithm, typ: 'at+jwt', kid, ...header },
      payload,
    );
  };
  const mint = (claims: TestClaims = {}, minting: MintOptions = {}) => sign(pair.privateKey, claims, minting);
  const fetch = serve(issuer, jwks, (token) => revoked.has(token));

  return {
    issuer,
    audience,
    jwks,
    fetch,
    verifierOptions: { issuer, audience, fetch, now },
    mint,
    mintExpired: (claims) => mint({ iat: Math.floor(now() / 1000) - 7200, ...claims }, { expiresInSeconds: -3600 }),
    mintForOtherAudience: (claims) => mint({ ...claims, aud: 'https://other-api.test' }),
    mintFromOtherIssuer: (claims) => mint({ ...claims, iss: 'https://other-issuer.test/' }),
    mintWithWrongKey: (claims = {}) => sign(stranger.privateKey, claims),
    revoke: (token) => revoked.add(token),
  };
}

interface Pair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

function generate(name: AsymmetricAlgorithm): Promise<Pair> {
  const algorithm = algorithmNamed(name);
  if (algorithm === undefined || algorithm.kty === 'oct') throw new TypeError(`${name} has no key pair.`);
  const rsa = algorithm.kty === 'RSA' ? { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) } : {};
  const parameters = { ...algorithm.key, ...rsa } as { name: string; namedCurve: string };
  return crypto.subtle.generateKey(parameters, true, ['sign', 'verify']) as Promise<Pair>;
}

/** The issuer's endpoints, in memory. */
function serve(issuer: string, jwks: TestIssuer['jwks'], isRevoked: (token: string) => boolean): TestIssuer['fetch'] {
  const base = issuer.replace(/\/$/, '');
  const metadata = { issuer, jwks_uri: `${base}/jwks`, introspection_endpoint: `${base}/introspect` };
  return async (url, init) => {
    if (url === `${base}/.well-known/openid-configuration`) return Response.json(metadata);
    if (url === metadata.jwks_uri) return Response.json(jwks);
    if (url !== metadata.introspection_endpoint) throw new Error(`The test issuer has nothing at ${url}.`);
    const token = new URLSearchParams(String(init.body)).get('token') ?? '';
    return Response.json(isRevoked(token) ? { active: false } : { active: true, ...claimsOf(token) });
  };
}

function claimsOf(token: string): Record<string, unknown> {
  const part = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (character) => character.charCodeAt(0))));
}
