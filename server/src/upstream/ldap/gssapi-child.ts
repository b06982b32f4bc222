/** The process that signs one person in by Kerberos; `gssapi.ts` starts it and has its tickets' folder removed after it. */
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { UpstreamError } from '../identity.ts';
import { withDirectory } from './directory.ts';
import { bindGssapi, type KerberosLibrary } from './gssapi-bind.ts';
import { type GssapiJob, writeAnswer } from './gssapi-job.ts';
import { getTickets } from './kinit.ts';
import type { LdapEntry } from './operations.ts';
import { ownEntry } from './sign-in.ts';

const job = JSON.parse(await text(process.stdin)) as GssapiJob;
process.stdout.write(writeAnswer(await signIn(job).catch(failureOf)));

async function signIn({
  guard,
  configuration,
  secrets,
  credentials,
  principal,
  parts,
  deadlineMs,
}: GssapiJob): Promise<LdapEntry> {
  const signal = AbortSignal.timeout(deadlineMs);
  const library = createRequire(import.meta.url)(parts.packagePath) as KerberosLibrary;
  await getTickets(parts.kinitPath, principal, credentials.password, signal);
  return withDirectory(guard, configuration, signal, async (connection) => {
    await bindGssapi(connection, library);
    return ownEntry(connection, configuration, secrets, credentials.user);
  });
}

function failureOf(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  return new UpstreamError('unavailable', `Kerberos is out of order (${(error as Error).message})`);
}
