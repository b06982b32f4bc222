/** A provider of OAuth 1.0a on loopback: Python's oauthlib, from Debian's package. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { canInstallPackages, installPackage } from '../../../scripts/apt.ts';
import type { OAuth1Configuration } from '../../src/upstream/oauth1/configuration.ts';
import { noFields } from './oidc.ts';

export interface OAuth1Lab extends AsyncDisposable {
  readonly issuer: string;
  readonly consumerSecret: string;
  /** How a policy is set up for it. */
  readonly oauth1: OAuth1Configuration;
  close(): Promise<void>;
}

/** Debian's own: others do not see Debian's packages. */
const python = '/usr/bin/python3';

/** Why there is no provider here, for `describe(name, { skip: noOAuth1Lab }, …)`; as root it is installed. */
export const noOAuth1Lab: string | false = await whatIsMissing();

async function whatIsMissing(): Promise<string | false> {
  if (hasLibrary()) return false;
  if (!canInstallPackages()) return `python3-oauthlib for ${python} is missing (Debian's package python3-oauthlib)`;
  try {
    await installPackage('python3-oauthlib');
  } catch (error) {
    return (error as Error).message;
  }
  return hasLibrary() ? false : `python3-oauthlib was installed, and ${python} does not find it`;
}

function hasLibrary(): boolean {
  if (!existsSync(python)) return false;
  try {
    execFileSync(python, ['-c', 'import oauthlib'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

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
