/** `kinit`: from a password to the tickets of this process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { UpstreamError, type UpstreamFailure } from '../identity.ts';
import type { Principal } from './principal.ts';

/** What `kinit` says (in the C locale), and what of it is about the person. */
const meanings: readonly (readonly [RegExp, UpstreamFailure])[] = [
  [/password incorrect|preauthentication failed|not found in kerberos database/i, 'credentials_refused'],
  [/revoked|expired|cannot read password|policy rejects/i, 'credentials_refused'],
  [/cannot find kdc|default realm|configuration file|clock skew/i, 'misconfigured'],
];

/**
 * Tickets for a few minutes, for nobody else to use, in the cache that KRB5CCNAME names. Throws `credentials_refused`,
 * `misconfigured`, `unavailable`.
 */
export async function getTickets(
  path: string,
  { name, hasOwnRealm }: Principal,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  const options = ['-l', '5m', '-F', '-P', '--'];
  const child = spawn(path, [...options, name], { stdio: ['pipe', 'ignore', 'pipe'], signal });
  const ended = once(child, 'close');
  child.stdin.on('error', () => {});
  child.stdin.end(`${password}\n`);
  const [said, [code]] = await Promise.all([text(child.stderr), ended]);
  if (code === 0) return;
  const failure = meanings.find(([pattern]) => pattern.test(said))?.[1] ?? 'unavailable';
  // A realm that nobody knows is the person's mistake where the person wrote it.
  const isTypo = hasOwnRealm && failure === 'misconfigured';
  throw new UpstreamError(isTypo ? 'credentials_refused' : failure, `kinit gets no ticket (${reasonIn(said)})`);
}

/** Without the principal and its realm: people type their password into the wrong field. What is quoted may hold quotes. */
const reasonIn = (said: string): string =>
  (said.trim().split('\n').at(-1) ?? '')
    .replace(/(['"]).*\1/, '…')
    .replace(/^kinit: | (?:while|when) .*$/g, '')
    .slice(0, 128);
