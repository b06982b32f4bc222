/** RHMAP's clients, as they send: JSON under their own headers, every answer an object with `status`. */
import type { Answer, TestServer } from '../harness.ts';
import { native } from '../sign-in/support.ts';

export const base = '/box/srv/1.1';
export const policyPath = `${base}/admin/authpolicy`;

/** Providers of the tests are on loopback. */
export const localTargets = { SEKISHO_ALLOW_PRIVATE_TARGETS: 'true' };

const keys = new WeakMap<TestServer, Promise<string>>();

/** An API key of the first management client for everything, or for `scopes`. */
export const makeKey = async (server: TestServer, scopes: readonly string[] = ['all']): Promise<string> => {
  const expiresAt = server.composed.services.clock.now() + 30 * 86_400_000;
  return (await native(server, 'POST', '/api-keys', { label: 'RHMAP', scopes, expiresAt })).value;
};

/** One of the calls that manage policies, with an API key. */
export async function manage(server: TestServer, call: string, json: unknown = {}): Promise<Answer> {
  if (!keys.has(server)) keys.set(server, makeKey(server));
  const key = (await keys.get(server)) as string;
  return server.request('POST', `${policyPath}/${call}`, { json, headers: { 'x-fh-auth-user': key } });
}

/** The same; throws unless it succeeds. */
export async function managed(server: TestServer, call: string, json: unknown = {}): Promise<Answer['body']> {
  const { status, body, text } = await manage(server, call, json);
  if (status !== 200 || body.status !== 'ok') throw new Error(`${call}: ${status} ${text}`);
  return body;
}

export interface TestPolicy {
  guid: string;
  policyId: string;
}

let made = 0;

/** A new policy, of the users of this server unless told. */
export async function makePolicy(server: TestServer, more: Record<string, unknown> = {}): Promise<TestPolicy> {
  made += 1;
  const policyId = `policy-${made}`;
  const policy = { policyId, policyType: 'FEEDHENRY', configurations: { provider: 'FEEDHENRY' }, ...more };
  return { policyId, ...(await managed(server, 'create', policy)) };
}

/** What an app calls, without a key. */
export const callApp = (
  server: TestServer,
  call: string,
  json: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> => server.request('POST', `${policyPath}/${call}`, { json, headers });

/** `$fh.auth`, as fh-js-sdk sends it. */
export const auth = (
  server: TestServer,
  policy: Pick<TestPolicy, 'policyId'>,
  app: { clientId: string },
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Answer> =>
  callApp(
    server,
    'auth',
    {
      policyId: policy.policyId,
      clientToken: app.clientId,
      environment: 'default',
      params: {},
      device: '0123456789abcdef',
      __fh: { cuid: '0123456789abcdef', destination: 'web', sdk_version: 'FH_JS_SDK/3.1.0', appid: app.clientId },
      ...more,
    },
    headers,
  );

/** With a name and a password. */
export const signIn = (
  server: TestServer,
  policy: Pick<TestPolicy, 'policyId'>,
  app: { clientId: string },
  user: { email: string; password: string },
): Promise<Answer> => auth(server, policy, app, { params: { userId: user.email, password: user.password } });

/** The token of a session; throws when nobody was signed in. */
export async function sessionOf(...args: Parameters<typeof signIn>): Promise<string> {
  const { body, text } = await signIn(...args);
  if (typeof body.sessionToken !== 'string') throw new Error(`no session: ${text}`);
  return body.sessionToken;
}

/** Whether a session counts. */
export const isValid = async (server: TestServer, sessionToken: string): Promise<boolean> => {
  const { status, body } = await callApp(server, 'verifysession', { sessionToken, key: 'sessionToken' });
  if (status !== 200 || body.status !== 'ok') throw new Error(JSON.stringify(body));
  return body.isValid;
};
