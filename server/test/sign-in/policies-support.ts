/** Auth policies that people sign in by, made over the native API; browsers on their way to an upstream and back. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestServer } from '../harness.ts';
import type { Liar } from '../labs/liar.ts';
import { signInAtProvider } from '../labs/oidc-driver.ts';
import { withoutLimits } from '../management/support.ts';
import { authorizeUrl, Browser, callbackOf, exchange, native, type Page, pkce, type TestClient } from './support.ts';

/** Labs are on loopback. */
export const besideLabs = { ...withoutLimits, SEKISHO_ALLOW_PRIVATE_TARGETS: 'true' };

/** Makes a policy; returns its id. */
export async function makePolicy(
  server: TestServer,
  type: 'password' | 'ldap' | 'oauth1' | 'oauth2' | 'openid',
  configuration: object,
  more: Record<string, unknown> = {},
): Promise<string> {
  const name = `policy-${randomBytes(4).toString('hex')}`;
  return (await native(server, 'POST', '/auth-policies', { name, type, configuration, ...more })).id;
}

/** A policy that sends people to the liar, by OAuth 2 unless told. */
export const liarPolicy = (
  server: TestServer,
  liar: Liar,
  more: Record<string, unknown> = {},
  type: 'oauth2' | 'openid' = 'oauth2',
): Promise<string> => {
  const configuration = { ...(type === 'oauth2' ? liar.oauth2 : liar.oidc), clientSecret: liar.clientSecret };
  return makePolicy(server, type, configuration, { title: 'Liar', checkUserExists: false, ...more });
};

/** Limits an application or an organization to policies; null: no more. */
export const offerOnly = (
  server: TestServer,
  at: 'applications' | 'organizations',
  id: string,
  authPolicyIds: readonly string[] | null,
): Promise<unknown> => native(server, 'PATCH', `/${at}/${id}`, { authPolicyIds });

/** An authorization request under way, with the verifier of its code. */
export interface Asking {
  readonly browser: Browser;
  readonly verifier: string;
}

/** Opens an authorization request, in a browser that may know somebody. */
export async function ask(
  server: TestServer,
  client: TestClient,
  more: Record<string, string> = {},
  browser = new Browser(server),
): Promise<Asking> {
  const { verifier, challenge } = pkce();
  await browser.open(
    authorizeUrl('oidc', client, { code_challenge: challenge, code_challenge_method: 'S256', ...more }),
  );
  return { browser, verifier };
}

/** Chooses where to sign in; answers with where the browser is sent. */
export async function choose(browser: Browser, policy: string): Promise<string> {
  const { status, location, text } = await browser.submit('/upstream', { policy });
  assert.equal(status, 303, text);
  return location as string;
}

/** Goes through the liar, who asks nothing: the path that the browser is sent back to. */
export async function throughLiar(location: string): Promise<string> {
  const { headers } = await fetch(location, { redirect: 'manual' });
  const { pathname, search } = new URL(headers.get('location') as string);
  return `${pathname}${search}`;
}

/** Signs in at the liar, and comes back. */
export const signInAtLiar = async (browser: Browser, policy: string): Promise<Page> =>
  browser.open(await throughLiar(await choose(browser, policy)));

export const callbackUri = (server: TestServer, policy: string): string =>
  `${server.origin}/sign-in/callback/${policy}`;

/** Signs in at a provider that asks, and comes back as that one wants. */
export async function signInAt(
  server: TestServer,
  browser: Browser,
  policy: string,
  answers: Record<string, string>,
): Promise<Page> {
  const returned = await signInAtProvider(await choose(browser, policy), callbackUri(server, policy), { answers });
  const { pathname, search } = returned.url;
  if (returned.method === 'GET') return browser.open(`${pathname}${search}`);
  const answer = await formFromElsewhere(server, pathname, Object.fromEntries(returned.parameters));
  assert.equal(answer.status, 303);
  return browser.open(answer.headers.get('location') as string);
}

/** A form that another site lets the browser send: it comes without cookies. */
export const formFromElsewhere = (
  server: TestServer,
  path: string,
  form: Readonly<Record<string, string>>,
): Promise<Response> =>
  fetch(`${server.origin}${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { origin: 'https://upstream.example', 'sec-fetch-site': 'cross-site' },
    redirect: 'manual',
  });

/** The tokens of the code that the request ended with. */
export async function tokensOf(
  server: TestServer,
  client: TestClient,
  { browser, verifier }: Asking,
  more: Record<string, string> = {},
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
): Promise<any> {
  const { code } = callbackOf(browser.page);
  const answer = await exchange(server, 'oidc', client, { code, verifier }, more);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** A page says what is wrong, by a sentence, and offers the ordinary form still. */
export function assertProblem(page: Page, status: number, text: RegExp): void {
  assert.equal(page.status, status, page.text);
  assert.match(page.text, /role="alert"/);
  assert.match(page.text, text);
}

/** The reasons of refused sign-ins that were logged since. */
export const reasonsSince = async (server: TestServer, before: number): Promise<(string | null)[]> =>
  (await server.logEvents()).slice(before).flatMap(({ reason }) => (reason === null ? [] : [reason]));
