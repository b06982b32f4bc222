/** What a sign-in gave to a client, and whether any of it is still good: what the security tests of sign-in share. */
import assert from 'node:assert/strict';
import type { Answer, TestServer } from '../harness.ts';
import { sendTo } from '../token/nodes.ts';
import {
  Browser,
  type Callback,
  codeOf,
  exchange,
  type IssuerKey,
  issuers,
  redirectUri,
  refresh,
  type TestClient,
  type TestUser,
} from './support.ts';

/** A request of a client that people sign in to, with everything that can be asked for. */
export const everything = { scope: 'openid profile offline_access', prompt: 'consent' };

export interface Granted {
  issuer: IssuerKey;
  client: TestClient;
  callback: Callback & { verifier: string };
  accessToken: string;
  refreshToken: string;
  idToken: string;
  browser: Browser;
}

/** Signs in with a new browser and exchanges the code; asks for a refresh token unless told. */
export async function grantedTo(
  server: TestServer,
  issuer: IssuerKey,
  client: TestClient,
  user: TestUser,
  more: Record<string, string | string[]> = {},
): Promise<Granted> {
  const browser = new Browser(server);
  const callback = await codeOf(browser, issuer, client, user, { ...everything, ...more });
  if (callback.code === undefined && browser.page.text.includes('/consent')) {
    throw new Error('a consent page waits');
  }
  const answer = await exchange(server, issuer, client, callback);
  assert.equal(answer.status, 200, answer.text);
  return {
    issuer,
    client,
    callback,
    accessToken: answer.body.access_token,
    refreshToken: answer.body.refresh_token,
    idToken: answer.body.id_token,
    browser,
  };
}

/** Asks the introspection endpoint as the client itself. */
export async function isActive(
  server: TestServer,
  { issuer, client }: Pick<Granted, 'issuer' | 'client'>,
  token: string,
) {
  const answer = await server.request('POST', issuers[issuer].introspect, {
    form: { client_id: client.clientId, client_secret: client.clientSecret ?? '', token },
  });
  assert.equal(answer.status, 200, answer.text);
  if (answer.body.active === false) assert.deepEqual(answer.body, { active: false });
  return answer.body.active as boolean;
}

/** Status of the userinfo endpoint for a token. */
export const userinfoStatus = async (server: TestServer, issuer: IssuerKey, token: string): Promise<number> =>
  (await server.request('GET', issuers[issuer].userinfo, { token })).status;

/** Of what came of one authorization nothing is good any more. */
export async function assertOver(server: TestServer, granted: Granted): Promise<void> {
  assert.equal(await userinfoStatus(server, granted.issuer, granted.accessToken), 401, 'the access token is over');
  if (granted.client.clientSecret !== undefined) {
    assert.equal(await isActive(server, granted, granted.accessToken), false);
    assert.equal(await isActive(server, granted, granted.refreshToken), false);
  }
  const again = await refresh(server, granted.issuer, granted.client, granted.refreshToken);
  assert.equal(`${again.status} ${again.body.error}`, '400 invalid_grant', again.text);
}

/** All of it is good. */
export async function assertGood(server: TestServer, granted: Granted): Promise<void> {
  assert.equal(await userinfoStatus(server, granted.issuer, granted.accessToken), 200);
  if (granted.client.clientSecret === undefined) return;
  assert.equal(await isActive(server, granted, granted.accessToken), true);
  assert.equal(await isActive(server, granted, granted.refreshToken), true);
}

/** A token request to one node of several. */
export const tokenAt = (
  node: TestServer,
  issuer: IssuerKey,
  client: TestClient,
  parameters: Record<string, string>,
): Promise<Answer> =>
  sendTo(node, 'POST', issuers[issuer].token, {
    form: {
      client_id: client.clientId,
      ...(client.clientSecret === undefined ? {} : { client_secret: client.clientSecret }),
      ...parameters,
    },
  });

/** The parameters that exchange a code. */
export const codeParameters = ({ code, verifier }: Callback & { verifier: string }): Record<string, string> => ({
  grant_type: 'authorization_code',
  code: code ?? '',
  redirect_uri: redirectUri,
  code_verifier: verifier,
});

/** Twenty times the same at once, in turn at each of the nodes. */
export const twenty = <T>(nodes: readonly TestServer[], ask: (node: TestServer) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 20 }, (_, index) => ask(nodes[index % nodes.length] as TestServer)));

/** How many answers had each status. */
export function statuses(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/**
 * Does what must be refused: nothing changed but for the log, and the last event tells the real reason. Returns what it
 * did.
 */
export async function changesNothing<T>(
  server: TestServer,
  work: () => Promise<T>,
  expected: { kind: string; reason: string },
): Promise<T> {
  const before = { state: await server.stateHash(), events: (await server.logEvents()).length };
  const result = await work();
  assert.equal(await server.stateHash(), before.state, 'nothing changed');
  const events = (await server.logEvents()).slice(before.events).map(({ kind, reason }) => ({ kind, reason }));
  assert.ok(
    events.some(({ kind, reason }) => kind === expected.kind && reason === expected.reason),
    `no event ${JSON.stringify(expected)} in ${JSON.stringify(events)}`,
  );
  return result;
}
