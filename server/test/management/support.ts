/** What the tests of the management APIs share: callers with given scopes, tokens made by hand, requests to any host. */
import { createPrivateKey, createSign, type KeyObject, randomUUID } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { TestServer } from '../harness.ts';

/** Floods of refusals are what these tests are made of. */
export const withoutLimits = {
  SEKISHO_RATE_LIMIT_FAILURES_PER_CLIENT: '0',
  SEKISHO_RATE_LIMIT_FAILURES_PER_ADDRESS: '0',
};

export interface Caller {
  clientId: string;
  clientSecret: string;
  grantId: string;
  token: string;
}

/** A new client that holds exactly `scopes` at a management audience, with a token of them. */
export async function callerWith(
  server: TestServer,
  scopes: readonly string[],
  audience = server.managementAudience,
): Promise<Caller> {
  const client = await server.manage('POST', '/clients', { name: 'Caller', app_type: 'non_interactive' });
  const grant = await server.manage('POST', '/client-grants', { client_id: client.client_id, audience, scope: scopes });
  const credentials = { client_id: client.client_id, client_secret: client.client_secret };
  const answer = await server.token({ ...credentials, audience });
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text}`);
  return {
    clientId: client.client_id,
    clientSecret: client.client_secret,
    grantId: grant.id,
    token: answer.body.access_token,
  };
}

/** Calls `check` for every item, eight at a time. */
export async function forAll<T>(items: readonly T[], check: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await check(item);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

export const encoded = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** The parts of a JWT, decoded. */
// biome-ignore lint/suspicious/noExplicitAny: tokens are compared, not typed
export function decoded(token: string): { header: any; payload: any; signature: string } {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const json = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: json(header), payload: json(payload), signature };
}

/** The tenant's current signing key of an algorithm. */
export async function signingKey(
  server: TestServer,
  tenantId = 'default',
  alg = 'RS256',
): Promise<{ kid: string; key: KeyObject; jwk: Record<string, string> }> {
  const rows = await server.rows('signing_keys');
  const row = rows.find((one) => one.tenant_id === tenantId && one.alg === alg && one.state === 'current');
  const key = await server.composed.services.keys.privateKey(tenantId, row.kid);
  return { kid: row.kid, key, jwk: JSON.parse(row.public_jwk) };
}

/** Signs header and payload, each an object or ready-made JSON text, with an RSA key. */
export function signed(header: unknown, payload: unknown, key: KeyObject): string {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${createSign('sha256').update(input).sign(key, 'base64url')}`;
}

/** Header and claims of a good token of `clientId` for a management audience. */
export function goodToken(server: TestServer, clientId: string, kid: string, audience = server.managementAudience) {
  const now = Math.floor(server.composed.services.clock.now() / 1000);
  return {
    header: { alg: 'RS256', typ: 'at+jwt', kid } as Record<string, unknown>,
    payload: {
      iss: server.issuer,
      sub: `${clientId}@clients`,
      aud: audience,
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
      scope: 'read:clients',
      client_id: clientId,
    } as Record<string, unknown>,
  };
}

export const privateKeyOf = (pem: string): KeyObject => createPrivateKey(pem);

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
  body: any;
  text: string;
}

/** One request with the path exactly as given, and any Host header. `fetch` would tidy both. */
export function rawRequest(
  server: TestServer,
  method: string,
  path: string,
  options: { host?: string; token?: string; headers?: Record<string, string>; body?: string | Uint8Array } = {},
): Promise<RawAnswer> {
  const headers: Record<string, string> = { host: options.host ?? `localhost:${server.port}`, ...options.headers };
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  if (options.body !== undefined) headers['content-length'] = String(Buffer.byteLength(options.body));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: server.port, method, path: '/', headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(text), text });
        });
      },
    );
    // Set after the constructor's own check of the path, which refuses some of what is tried here.
    request.path = path;
    request.on('error', reject);
    request.end(options.body);
  });
}

/** Sends bytes as they are and gives back the answer's status, for what no HTTP client would send. */
export function rawBytes(server: TestServer, bytes: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    // The server may hang up before it has read everything; what it said so far counts.
    socket.on('error', () => {});
    socket.on('close', () => {
      const text = Buffer.concat(parts).toString();
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text });
    });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
