/**
 * Signs people in by Kerberos. The tickets of a person are a process's, so each sign-in has one: with a folder of its own
 * for them, an environment without ours, the password on its standard input, and no life beyond the deadline.
 *
 *   here ─ job on stdin ─> gssapi-child.ts ─ kinit ─ connection ─ GSSAPI ─ entry ─ stdout ─> here
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Gate } from '../../kernel/gate.ts';
import type { GuardSettings } from '../guarded-fetch.ts';
import { UpstreamError } from '../identity.ts';
import { upstreamDeadlineMs } from '../redirect.ts';
import type { LdapConfiguration, LdapSecrets } from './configuration.ts';
import type { LdapCredentials } from './credentials.ts';
import { type GssapiJob, readAnswer } from './gssapi-job.ts';
import { findKerberos } from './kerberos.ts';
import type { LdapEntry } from './operations.ts';
import { type Principal, principalOf } from './principal.ts';
import { late } from './socket.ts';
import { assertNoClearText } from './target.ts';

/** A process is some 50 MB. Who waits does so within its own deadline: those before it began earlier. */
const children = new Gate(4, 28);
const tooMany = () => new UpstreamError('unavailable', 'too many sign in by Kerberos already');

/** The entry of the person. Throws as `signIn` does; `misconfigured` where Kerberos is not installed. */
export async function signInByGssapi(
  guard: GuardSettings,
  configuration: LdapConfiguration,
  secrets: LdapSecrets,
  credentials: LdapCredentials,
  signal: AbortSignal,
): Promise<LdapEntry> {
  assertNoClearText(configuration);
  const parts = findKerberos();
  if (parts === undefined) throw new UpstreamError('misconfigured', 'the package kerberos, or kinit, is not installed');
  const principal = principalOf(credentials, configuration.realm);
  const begunAt = performance.now();
  return children.run(async () => {
    const deadlineMs = Math.floor(upstreamDeadlineMs - (performance.now() - begunAt));
    if (signal.aborted || deadlineMs <= 0) throw late();
    const job = { guard, configuration, secrets, credentials, principal, parts, deadlineMs };
    return inOwnFolder((folder) => runChild(job, folder, signal));
  }, tooMany);
}

/** Mode 0700, and nothing of it stays. */
async function inOwnFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-tickets-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runChild(job: GssapiJob, folder: string, signal: AbortSignal): Promise<LdapEntry> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'gssapi-child.ts')], {
    cwd: folder,
    env: await environmentIn(folder, job.principal),
    stdio: ['pipe', 'pipe', 'ignore'],
    // A group of its own, so that kinit ends with it.
    detached: true,
  });
  const ended = once(child, 'close');
  const onAbort = () => endGroup(child.pid);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(job));
  try {
    const [answer] = await Promise.all([text(child.stdout), ended]);
    return readAnswer(answer);
  } catch (error) {
    if (signal.aborted) throw late();
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError('unavailable', 'the Kerberos process failed', error);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Nothing of this process's, which may hold secrets, but what Kerberos is found and set up by. */
async function environmentIn(folder: string, { hasOwnRealm }: Principal): Promise<NodeJS.ProcessEnv> {
  const { PATH, KRB5_CONFIG } = process.env;
  const ownConfiguration = join(folder, 'krb5.conf');
  // A realm that somebody types must not make this machine ask whatever hosts that somebody's DNS names.
  if (hasOwnRealm)
    await writeFile(ownConfiguration, '[libdefaults]\n dns_lookup_kdc = false\n dns_lookup_realm = false\n');
  const configuration = hasOwnRealm ? `${ownConfiguration}:${KRB5_CONFIG ?? '/etc/krb5.conf'}` : KRB5_CONFIG;
  const cache = getCompileCacheDir();
  return {
    PATH,
    // Starts in half the time with what this process has compiled.
    ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) }),
    LC_ALL: 'C',
    KRB5CCNAME: `FILE:${join(folder, 'tickets')}`,
    ...(configuration === undefined ? {} : { KRB5_CONFIG: configuration }),
  };
}
