import { randomInt } from 'node:crypto';
import type { RequestSource } from './requests.ts';
import type { Algorithm } from './token.ts';

/** A running server that is measured, ours or a peer. */
export interface Target {
  name: string;
  pid: number;
  port: number;
  jwksUrl: string;
  /** Milliseconds from the spawn to its word that it is ready. */
  readyMs: number;
  /** `performance.now()` at the spawn. */
  spawnedAt: number;
  /** A token request of the registered client for the API that signs with `algorithm`. */
  requests(algorithm: Algorithm): RequestSource;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** The API of each algorithm, and the scopes that its client may have. */
export const audiences: Readonly<Record<Algorithm, string>> = {
  RS256: 'https://rs256.bench.example/',
  ES256: 'https://es256.bench.example/',
};
export const scopes: readonly string[] = ['read:items', 'write:items'];

export interface Credentials {
  clientId: string;
  clientSecret: string;
}

/** An id and a secret of the shape that servers generate: 32 and 64 of `[0-9A-Za-z]`. */
export const newCredentials = (): Credentials => ({ clientId: alphanumerics(32), clientSecret: alphanumerics(64) });

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const alphanumerics = (length: number): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

/** Our token endpoint. */
export const tokenPath = '/oauth/token';

/** The form of a client-credentials request (RFC 6749 §4.4.2) with the secret in the body. */
export const clientForm = (client: Credentials, more: Readonly<Record<string, string>>): string =>
  new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client.clientId,
    client_secret: client.clientSecret,
    ...more,
  }).toString();

/** The same as our server reads it. */
export const tokenForm = (client: Credentials, audience: string): string => clientForm(client, { audience });

/** One token over `fetch`, as any caller would get it. Throws when it is refused. */
export async function fetchToken(requests: RequestSource): Promise<string> {
  const answer = await fetch(`http://localhost:${requests.port}${requests.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: requests.form,
  });
  const body = (await answer.json()) as { access_token?: string };
  if (body.access_token === undefined) throw new Error(`No token: ${answer.status} ${JSON.stringify(body)}`);
  return body.access_token;
}
