/**
 * An OpenID and OAuth 2 provider that tells the truth until it is told what to lie about. It asks nobody: whoever is sent
 * there comes back with a code at once.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { OAuth2Configuration, OidcConfiguration } from '../../src/upstream/oauth2/configuration.ts';
import { type BadAnswer, giveBadAnswer, json } from './liar-answers.ts';
import { jwkOf, newKey, type SigningKey, signed } from './liar-tokens.ts';
import { noFields } from './oidc.ts';

export type Endpoint = 'discovery' | 'authorize' | 'token' | 'jwks' | 'userinfo';
export type Members = Record<string, unknown>;

/** What it lies about; each gets the truth and gives back what is said instead. */
export interface Lies {
  metadata?: (truth: Members) => Members;
  /** What the browser comes back with. */
  callback?: (truth: URLSearchParams) => void;
  claims?: (truth: Members) => Members;
  /** The ID token of the claims. */
  idToken?: (claims: Members) => unknown;
  token?: (truth: Members) => Members;
  keys?: (truth: readonly Members[]) => unknown;
  userInfo?: (truth: Members) => Members;
  /** Waits before each answer, in milliseconds. */
  delayMs?: number;
  /** Waits for this before each answer. */
  until?: Promise<void>;
  answers?: Partial<Record<Endpoint, BadAnswer>>;
}

export interface Liar extends AsyncDisposable {
  readonly issuer: string;
  readonly clientSecret: string;
  readonly oidc: OidcConfiguration;
  readonly oauth2: OAuth2Configuration;
  readonly key: SigningKey;
  /** Replace it at any time. */
  lies: Lies;
  /** What was asked, in order. `/trap` is where nobody has any business. */
  readonly requests: { path: string; authorization: string | undefined; body: string }[];
  /** Bytes of bad answers that were handed to connections. */
  bytes: number;
  close(): Promise<void>;
}

const clientId = 'sekisho';

export async function startLiar(lies: Lies = {}, key = newKey()): Promise<Liar> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const liar: Liar = {
    issuer,
    clientSecret: 'a secret that both of us know: 0123456789abcdef',
    ...configurations(issuer),
    key,
    lies,
    requests: [],
    bytes: 0,
    close,
    [Symbol.asyncDispose]: close,
  };
  const nonces = new Map<string, string | null>();
  server.on('request', (request, response) => void answer(liar, nonces, request, response));
  return liar;
}

const configurations = (issuer: string) => {
  const client = {
    clientId,
    clientAuthMethod: 'client_secret_basic',
    fields: noFields,
    emailIsVerified: false,
  } as const;
  const oidc: OidcConfiguration = { ...client, issuer, scopes: ['email'], responseMode: 'query' };
  const oauth2: OAuth2Configuration = {
    ...client,
    issuer: null,
    authorizationUrl: `${issuer}/authorize`,
    tokenUrl: `${issuer}/token`,
    userInfoUrl: `${issuer}/userinfo`,
    scopes: [],
  };
  return { oidc, oauth2 };
};

const endpoints: Record<string, Endpoint> = {
  '/.well-known/openid-configuration': 'discovery',
  '/authorize': 'authorize',
  '/token': 'token',
  '/jwks': 'jwks',
  '/userinfo': 'userinfo',
};

async function answer(
  liar: Liar,
  nonces: Map<string, string | null>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname: path, searchParams } = new URL(request.url ?? '/', liar.issuer);
  const body = await text(request).catch(() => '');
  liar.requests.push({ path, authorization: request.headers.authorization, body });
  const { lies } = liar;
  if (lies.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, lies.delayMs));
  await lies.until;
  const endpoint = endpoints[path];
  if (endpoint === undefined) return void response.writeHead(404).end();
  const say =
    lies.answers?.[endpoint] ?? truth[endpoint](liar, endpoint === 'token' ? codeOf(body, nonces) : undefined);
  if (endpoint === 'authorize' && lies.answers?.authorize === undefined)
    return back(liar, nonces, searchParams, response);
  giveBadAnswer(say, response, (bytes) => {
    liar.bytes += bytes;
  });
}

const codeOf = (body: string, nonces: Map<string, string | null>): string | null | undefined =>
  nonces.get(new URLSearchParams(body).get('code') ?? '');

function back(liar: Liar, nonces: Map<string, string | null>, asked: URLSearchParams, response: ServerResponse): void {
  const code = `code-${nonces.size}`;
  nonces.set(code, asked.get('nonce'));
  const url = new URL(asked.get('redirect_uri') ?? '');
  url.searchParams.set('code', code);
  url.searchParams.set('state', asked.get('state') ?? '');
  liar.lies.callback?.(url.searchParams);
  response.writeHead(302, { location: url.href }).end();
}

/** What an honest provider says; of the token endpoint, for the nonce that belongs to the code. */
const truth: Record<Endpoint, (liar: Liar, nonce: string | null | undefined) => BadAnswer> = {
  discovery: ({ issuer, lies, key }) => {
    const metadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      userinfo_endpoint: `${issuer}/userinfo`,
      response_types_supported: ['code'],
      id_token_signing_alg_values_supported: [key.alg],
    };
    return json(lies.metadata?.(metadata) ?? metadata);
  },
  authorize: () => ({ status: 200 }),
  token: (liar, nonce) => {
    if (nonce === undefined) return json({ error: 'invalid_grant' }, 400);
    const { issuer, lies, key } = liar;
    const now = Math.floor(Date.now() / 1000);
    const honest = { iss: issuer, sub: 'person-1', aud: clientId, iat: now, exp: now + 300, auth_time: now };
    const claims = { ...honest, ...(nonce === null ? {} : { nonce }) };
    const told = lies.claims?.(claims) ?? claims;
    const answer = {
      access_token: 'an access token',
      token_type: 'Bearer',
      expires_in: 60,
      id_token: lies.idToken === undefined ? signed(key, told) : lies.idToken(told),
    };
    return json(lies.token?.(answer) ?? answer);
  },
  jwks: ({ lies, key }) => json({ keys: lies.keys?.([jwkOf(key)]) ?? [jwkOf(key)] }),
  userinfo: ({ lies }) => {
    const user = { sub: 'person-1', email: 'person@example.com', email_verified: true, name: 'A Person' };
    return json(lies.userInfo?.(user) ?? user);
  },
};
