import { temporaryFolder } from '../folder.ts';
import { Management } from '../management.ts';
import { NativeApi } from '../organizations/api.ts';
import { type Engine, newInstallation, startServer } from '../server.ts';
import { audiences, scopes } from '../target.ts';
import { Caller, type HttpAnswer } from './browser.ts';
import { authorizationUrl, type PeopleTarget, redirectUri } from './rounds.ts';

export const password = 'a password of the benchmark';
const email = 'person@bench.example';

/** What a person sees before it is signed in, in bytes. */
export interface PageWeight {
  page: number;
  styles: number;
}

export interface OurPeople extends PeopleTarget {
  readonly weight: PageWeight;
  /** Sends the sign-in form again in a new browser; resolves to its milliseconds. */
  timeSignIn(): Promise<number>;
}

/** Starts our server with one person, one client and one API, and signs the person in. */
export async function startOurPeople(name: string, engine: Engine): Promise<OurPeople> {
  const installation = await newInstallation(name, temporaryFolder('sign-in'), engine);
  const server = await startServer(installation);
  const management = await Management.open(installation);
  await management.createResourceServer(audiences.RS256, 'RS256', scopes);
  const api = await NativeApi.open(installation);
  const { body: user } = await api.call('POST', '/users', { primaryEmail: email, name: 'Person', password });
  const { body: application } = await api.call('POST', '/applications', {
    name: 'Benchmark',
    type: 'Traditional',
    oidcClientMetadata: { redirectUris: [redirectUri], postLogoutRedirectUris: [] },
  });
  await giveScopes(api, user.id as string);
  const target = {
    name,
    pid: server.pid,
    browser: new Caller(server.port),
    client: { clientId: application.id as string, clientSecret: application.secret as string },
    authorizePath: '/authorize',
    tokenPath: '/oauth/token',
    more: { scope: `openid offline_access ${scopes.join(' ')}`, audience: audiences.RS256 },
    stop: () => server.stop(),
  };
  const page = await openSignIn(target, target.browser);
  await sendSignIn(target.browser, page);
  return {
    ...target,
    weight: await weightOf(target.browser, page.text),
    async timeSignIn() {
      const browser = new Caller(server.port);
      const form = await openSignIn(target, browser);
      const startedAt = performance.now();
      await sendSignIn(browser, form);
      const ms = performance.now() - startedAt;
      browser.close();
      return ms;
    },
  };
}

/** A role with the API's scopes, for the person. */
async function giveScopes(api: NativeApi, userId: string): Promise<void> {
  const { body: resources } = await api.call('GET', '/resources?includeScopes=true');
  const list = resources as unknown as { indicator: string; scopes: { id: string }[] }[];
  const resource = list.find(({ indicator }) => indicator === audiences.RS256);
  const scopeIds = resource?.scopes.map(({ id }) => id) ?? [];
  const { body: role } = await api.call('POST', '/roles', { name: 'Reader', description: 'Reads items', scopeIds });
  await api.call('POST', `/users/${userId}/roles`, { roleIds: [role.id] });
}

async function openSignIn(target: PeopleTarget, browser: Caller): Promise<HttpAnswer & { path: string }> {
  const { headers } = await browser.get(authorizationUrl(target), true);
  const path = headers.location ?? '';
  return { ...(await browser.get(path, true)), path };
}

async function sendSignIn(browser: Caller, { text, path }: { text: string; path: string }): Promise<void> {
  // Each form of the page has fields of its own.
  const own = text.split('<form').find((form) => /action="[^"]*\/sign-in[?"]/.test(form)) ?? '';
  const hidden = [...own.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
    /name="([^"]*)"/.exec(input)?.[1] ?? '',
    /value="([^"]*)"/.exec(input)?.[1] ?? '',
  ]);
  const form = { ...Object.fromEntries(hidden), identifier: email, password };
  const { status, headers, text: answer } = await browser.post(`${path}/sign-in`, form, true);
  if (status !== 303 || headers['set-cookie'] === undefined)
    throw new Error(`No sign-in: ${status} ${answer.slice(0, 300)}`);
}

async function weightOf(browser: Caller, page: string): Promise<PageWeight> {
  const links = [...page.matchAll(/<link\b[^>]*href="([^"]+)"/g)].map(([, href]) => href as string);
  let styles = 0;
  for (const href of links) styles += Buffer.byteLength((await browser.get(href.replaceAll('&amp;', '&'))).text);
  return { page: Buffer.byteLength(page), styles };
}
