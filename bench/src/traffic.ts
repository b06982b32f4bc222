/** The load of the kill test: tokens, revocations and changes at the same time, each written into the ledger. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from './ledger.ts';
import { Management, RefusedError } from './management.ts';
import type { Installation } from './server.ts';
import { audiences, type Credentials, clientForm, fetchToken, scopes, tokenForm, tokenPath } from './target.ts';

const workers = { tokens: 8, revocations: 2, changes: 3 };

/** Runs until `killed` is aborted; then answers that were lost are nobody's fault, while a refusal always is one. */
export async function runTraffic(
  installation: Installation,
  client: Credentials,
  ledger: Ledger,
  killed: AbortSignal,
): Promise<void> {
  const management = await Management.open(installation);
  ledger.issued(management.token);
  const requests = { port: installation.port, path: tokenPath, form: tokenForm(client, audiences.ES256) };
  const jobs: [number, () => Promise<void>][] = [
    [workers.tokens, async () => void ledger.issued(await fetchToken(requests))],
    [workers.revocations, () => revokeOne(installation, client, ledger)],
    [workers.changes, () => changeSomething(management, ledger)],
  ];
  await Promise.all(jobs.flatMap(([count, job]) => Array.from({ length: count }, () => repeatUntil(killed, job))));
}

async function repeatUntil(killed: AbortSignal, job: () => Promise<void>): Promise<void> {
  while (!killed.aborted) {
    try {
      await job();
    } catch (error) {
      if (!killed.aborted || error instanceof RefusedError) throw error;
    }
  }
}

async function revokeOne(installation: Installation, client: Credentials, ledger: Ledger): Promise<void> {
  const entry = ledger.takeRevocable();
  if (entry === undefined) return sleep(2);
  entry.state = 'unsure';
  await postForm(installation, '/oauth/revoke', client, entry.token);
  entry.state = 'revoked';
  // Leaves enough tokens alive to see that not all are simply refused.
  await sleep(2);
}

/** The life of a client: made, granted, renamed, and perhaps its grant or itself deleted. */
async function changeSomething(management: Management, ledger: Ledger): Promise<void> {
  const name = `Client ${Math.random()}`;
  const { clientId } = await management.createClient(name);
  const client = ledger.registered(clientId, name);
  const grant = ledger.granted(await management.createGrant(clientId, audiences.ES256, scopes));

  const newName = `${name} renamed`;
  client.names = [name, newName];
  await management.renameClient(clientId, newName);
  client.names = [newName];

  if (Math.random() < 0.4) {
    grant.state = 'unsure';
    await management.deleteGrant(grant.id);
    grant.state = 'gone';
  }
  if (Math.random() < 0.4) {
    client.state = 'unsure';
    if (grant.state === 'there') grant.state = 'unsure';
    await management.deleteClient(clientId);
    client.state = 'gone';
    grant.state = 'gone';
  }
}

/** A form about a token from its client (RFC 7009, RFC 7662). Throws unless the answer is 200. */
export async function postForm(
  installation: Installation,
  path: string,
  client: Credentials,
  token: string,
): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://localhost:${installation.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: clientForm(client, { token }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new RefusedError(`POST ${path}: ${answer.status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
}
