/** A provider of OAuth 1.0a on loopback: Python's oauthlib, from Debian's package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hasOauthlib, oauthlibMissing, python } from '../../../scripts/oauthlib.ts';
import type { OAuth1Configuration } from '../../src/upstream/oauth1/configuration.ts';
import { noFields } from './oidc.ts';

export interface OAuth1Lab extends AsyncDisposable {
  readonly issuer: string;
  readonly consumerSecret: string;
  /** How a policy is set up for it. */
  readonly oauth1: OAuth1Configuration;
  close(): Promise<void>;
}

/** Why there is no provider here, for `describe(name, { skip: noOAuth1Lab }, …)`. */
export const noOAuth1Lab: string | false = hasOauthlib() ? false : oauthlibMissing;

/** Starts it; it knows one consumer, with this redirect URI (whatever its query is). */
export async function startOAuth1Lab(redirectUri: string, port = 0): Promise<OAuth1Lab> {
  const consumerKey = 'sekisho-consumer';
  const consumerSecret = "a consumer's secret & more, with = and % in it";
  const callback = new URL(redirectUri);
  callback.search = '';
  const program = fileURLToPath(new URL('oauth1-provider.py', import.meta.url));
  const child = spawn(python, [program, consumerKey, callback.href], {
    env: { CONSUMER_SECRET: consumerSecret, PORT: String(port), PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const issuer = `http://127.0.0.1:${await firstLine(child)}`;
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  };
  const oauth1: OAuth1Configuration = {
    consumerKey,
    requestTokenUrl: `${issuer}/request_token`,
    authorizeUrl: `${issuer}/authorize`,
    accessTokenUrl: `${issuer}/access_token`,
    profileUrl: `${issuer}/profile.json?include_email=true&q=a+b%20(c)*`,
    fields: { ...noFields, id: 'id', username: 'screen_name', email: 'contact.mail' },
    emailIsVerified: false,
  };
  return { issuer, consumerSecret, oauth1, close, [Symbol.asyncDispose]: close };
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface(child.stdout!)) return line;
  throw new Error('the OAuth 1 provider did not start');
}
