import { createHash } from 'node:crypto';
import type { Credentials } from '../target.ts';
import type { Caller } from './browser.ts';

/** A server at which somebody has signed in, and what a client asks it. */
export interface PeopleTarget {
  readonly name: string;
  readonly pid: number;
  readonly browser: Caller;
  readonly client: Credentials;
  readonly authorizePath: string;
  readonly tokenPath: string;
  /** Beside what every authorization request has. */
  readonly more: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export const redirectUri = 'https://app.bench.example/callback';
const verifier = 'bench-verifier-bench-verifier-bench-verifier';
const challenge = createHash('sha256').update(verifier).digest('base64url');

/** The authorization request that every round sends. */
export const authorizationUrl = ({ client, authorizePath, more }: PeopleTarget): string =>
  `${authorizePath}?${new URLSearchParams({
    client_id: client.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'state',
    nonce: 'nonce',
    ...more,
  })}`;

export interface PeopleTokens {
  access_token: string;
  id_token: string;
  refresh_token: string;
}

/** Authorize with the session there is, then exchange the code (RFC 6749 §4.1). Throws when a token is missing. */
export async function codeRound(target: PeopleTarget): Promise<PeopleTokens> {
  const { browser, client, tokenPath, more } = target;
  const authorized = await browser.get(authorizationUrl(target));
  const location = authorized.headers.location ?? '';
  const code = URL.canParse(location) ? new URL(location).searchParams.get('code') : null;
  if (code === null)
    throw new Error(`${target.name}: no code: ${authorized.status} ${location} ${authorized.text.slice(0, 300)}`);
  return tokens(
    target,
    await browser.post(tokenPath, {
      grant_type: 'authorization_code',
      client_id: client.clientId,
      client_secret: client.clientSecret,
      redirect_uri: redirectUri,
      code,
      code_verifier: verifier,
      ...(more.resource === undefined ? {} : { resource: more.resource }),
    }),
  );
}

/** One use of a refresh token (RFC 6749 §6). */
export async function refreshRound(target: PeopleTarget, refreshToken: string): Promise<PeopleTokens> {
  const { browser, client, tokenPath, more } = target;
  return tokens(
    target,
    await browser.post(tokenPath, {
      grant_type: 'refresh_token',
      client_id: client.clientId,
      client_secret: client.clientSecret,
      refresh_token: refreshToken,
      ...(more.resource === undefined ? {} : { resource: more.resource }),
    }),
  );
}

function tokens({ name }: PeopleTarget, { status, text }: { status: number; text: string }): PeopleTokens {
  const body = status === 200 ? (JSON.parse(text) as Partial<PeopleTokens>) : {};
  const { access_token, id_token, refresh_token } = body;
  if (access_token === undefined || id_token === undefined || refresh_token === undefined) {
    throw new Error(`${name}: not all tokens: ${status} ${text.slice(0, 300)}`);
  }
  // The same work everywhere: both tokens are signed.
  if (access_token.split('.').length !== 3) throw new Error(`${name}: the access token is no JWT`);
  return { access_token, id_token, refresh_token };
}
