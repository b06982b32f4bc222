/** People who sign in, driven through the pages by a cookie jar; no script runs, as for a browser without JavaScript. */
import { createHash, randomBytes } from 'node:crypto';
import type { Answer, TestServer } from '../harness.ts';

export const redirectUri = 'https://app.example/callback';
export const password = 'correct horse battery';

/** The two issuers, as tests loop over them. */
export const issuers = {
  root: {
    authorize: '/authorize',
    token: '/oauth/token',
    userinfo: '/userinfo',
    revoke: '/oauth/revoke',
    introspect: '/oauth/introspect',
    par: '/oauth/par',
    issuer: (server: TestServer) => server.issuer,
  },
  oidc: {
    authorize: '/oidc/auth',
    token: '/oidc/token',
    userinfo: '/oidc/me',
    revoke: '/oidc/token/revocation',
    introspect: '/oidc/token/introspection',
    par: '/oidc/par',
    issuer: (server: TestServer) => `${server.origin}/oidc`,
  },
} as const;
export type IssuerKey = keyof typeof issuers;
export const bothIssuers = Object.keys(issuers) as IssuerKey[];

export interface TestUser {
  id: string;
  email: string;
  password: string;
}

export interface TestClient {
  clientId: string;
  /** Undefined for a public client. */
  clientSecret: string | undefined;
}

/** A new user with a password, made over the native API. */
export async function makeUser(server: TestServer, more: Record<string, unknown> = {}): Promise<TestUser> {
  const email = `user-${randomBytes(4).toString('hex')}@example.com`;
  const body = await native(server, 'POST', '/users', {
    primaryEmail: email,
    name: 'Hanako Sekino',
    password,
    ...more,
  });
  return { id: body.id, email: (more.primaryEmail as string | undefined) ?? email, password };
}

/** A new application that people sign in to, made over the native API. */
export async function makeApp(
  server: TestServer,
  type: 'Traditional' | 'SPA' | 'Native' = 'Traditional',
  more: Record<string, unknown> = {},
): Promise<TestClient> {
  const { oidcClientMetadata, ...rest } = more;
  const body = await native(server, 'POST', '/applications', {
    name: 'Portal',
    type,
    oidcClientMetadata: { redirectUris: [redirectUri], postLogoutRedirectUris: [], ...(oidcClientMetadata ?? {}) },
    ...rest,
  });
  return { clientId: body.id, clientSecret: body.secret };
}

const tokens = new WeakMap<TestServer, Promise<string>>();

/** Calls the native API as the first management client; throws unless the status is 2xx. */
export async function native(
  server: TestServer,
  method: string,
  path: string,
  json?: unknown,
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
): Promise<any> {
  if (!tokens.has(server)) tokens.set(server, server.managementToken(server.nativeAudience));
  const token = (await tokens.get(server)) as string;
  const answer = await server.request(method, `/api${path}`, json === undefined ? { token } : { token, json });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.body;
}

/** A PKCE verifier with its challenge (RFC 7636 §4). */
export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** A page, or a redirect that was not followed. */
export interface Page {
  status: number;
  url: string;
  location: string | undefined;
  headers: Headers;
  text: string;
}

/** A server of this process, or one of its own. */
export type Origin = Pick<TestServer, 'origin'>;

/** A browser: keeps cookies, follows redirects within the server, fills in forms. */
export class Browser {
  readonly server: Origin;
  readonly cookies = new Map<string, string>();
  page!: Page;

  constructor(server: Origin) {
    this.server = server;
  }

  /** Opens a path and follows redirects as long as they stay at the server. */
  async open(path: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.#follow(await this.#send('GET', path, undefined, headers));
  }

  /** Sends the form of the open page whose action ends with `action`, with its hidden fields and these values. */
  async submit(
    action: string,
    values: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Page> {
    const form = formsOf(this.page.text).find((one) => one.action.split('?')[0]?.endsWith(action));
    if (form === undefined) throw new Error(`no form ${action} on ${this.page.url}: ${this.page.text.slice(0, 600)}`);
    return this.post(form.action, { ...form.hidden, ...values }, headers);
  }

  /** Sends any form, and follows. */
  async post(path: string, values: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    return this.#follow(await this.#send('POST', path, new URLSearchParams(values), headers));
  }

  /** Signs in on the open page. */
  signIn(user: Pick<TestUser, 'email' | 'password'>): Promise<Page> {
    return this.submit('/sign-in', { identifier: user.email, password: user.password });
  }

  async #follow(page: Page): Promise<Page> {
    let current = page;
    for (let hops = 0; hops < 10; hops += 1) {
      const { location } = current;
      if (location === undefined || !isOwn(this.server, location)) break;
      current = await this.#send('GET', location);
    }
    this.page = current;
    return current;
  }

  async #send(
    method: string,
    path: string,
    body?: URLSearchParams,
    headers: Record<string, string> = {},
  ): Promise<Page> {
    const url = new URL(path, this.server.origin).href;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const text = await response.text();
    const location = response.headers.get('location') ?? undefined;
    return { status: response.status, url, location, headers: response.headers, text };
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';');
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    const isOver = attributes.some((attribute) => attribute.trim().toLowerCase() === 'max-age=0');
    if (isOver) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(equals + 1).trim());
  }
}

const isOwn = (server: Origin, location: string): boolean =>
  new URL(location, server.origin).origin === new URL(server.origin).origin;

/** The forms of a page with their hidden fields. */
export function formsOf(html: string): { action: string; hidden: Record<string, string> }[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = '', content = '']) => ({
    action: decode(attributeOf(attributes, 'action') ?? ''),
    hidden: Object.fromEntries(
      [...content.matchAll(/<input\b([^>]*)>/g)]
        .map(([, text = '']) => text)
        .filter((text) => attributeOf(text, 'type') === 'hidden')
        .map((text) => [decode(attributeOf(text, 'name') ?? ''), decode(attributeOf(text, 'value') ?? '')]),
    ),
  }));
}

const attributeOf = (text: string, name: string): string | undefined =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1];

const decode = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** What a client got back at its redirect URI. */
export interface Callback {
  code: string | undefined;
  error: string | undefined;
  parameters: URLSearchParams;
}

/** Reads the redirect to the client that a flow ended with. */
export function callbackOf(page: Page): Callback {
  if (page.location === undefined)
    throw new Error(`no redirect at ${page.url}: ${page.status} ${page.text.slice(0, 600)}`);
  const parameters = new URL(page.location).searchParams;
  return { code: parameters.get('code') ?? undefined, error: parameters.get('error') ?? undefined, parameters };
}

/** The URL of an authorization request. */
export function authorizeUrl(
  issuer: IssuerKey,
  client: TestClient,
  more: Record<string, string | string[]> = {},
): string {
  const parameters = new URLSearchParams();
  const all = {
    client_id: client.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid',
    state: 's1',
    ...more,
  };
  for (const [name, value] of Object.entries(all)) for (const one of [value].flat()) parameters.append(name, one);
  return `${issuers[issuer].authorize}?${parameters}`;
}

/** A whole sign-in up to the code. */
export async function codeOf(
  browser: Browser,
  issuer: IssuerKey,
  client: TestClient,
  user: TestUser,
  more: Record<string, string | string[]> = {},
): Promise<Callback & { verifier: string }> {
  const { verifier, challenge } = pkce();
  await browser.open(
    authorizeUrl(issuer, client, { code_challenge: challenge, code_challenge_method: 'S256', ...more }),
  );
  if (browser.page.location === undefined) await browser.signIn(user);
  return { ...callbackOf(browser.page), verifier };
}

/** A request to the token endpoint, with the client's credentials. */
export function tokenRequest(
  server: TestServer,
  issuer: IssuerKey,
  client: TestClient,
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const secret = client.clientSecret === undefined ? {} : { client_secret: client.clientSecret };
  return server.request('POST', issuers[issuer].token, {
    form: { client_id: client.clientId, ...secret, ...parameters },
    headers,
  });
}

/** Exchanges a code. */
export const exchange = (
  server: TestServer,
  issuer: IssuerKey,
  client: TestClient,
  callback: { code: string | undefined; verifier: string },
  more: Record<string, string> = {},
): Promise<Answer> =>
  tokenRequest(server, issuer, client, {
    grant_type: 'authorization_code',
    code: callback.code ?? '',
    redirect_uri: redirectUri,
    code_verifier: callback.verifier,
    ...more,
  });

/** Refreshes. */
export const refresh = (
  server: TestServer,
  issuer: IssuerKey,
  client: TestClient,
  refreshToken: string,
  more: Record<string, string> = {},
): Promise<Answer> =>
  tokenRequest(server, issuer, client, { grant_type: 'refresh_token', refresh_token: refreshToken, ...more });

/** The claims of a JWT, unverified. */
// biome-ignore lint/suspicious/noExplicitAny: claims are compared, not typed
export const claimsOf = (jwt: string): any =>
  JSON.parse(Buffer.from(jwt.split('.')[1] as string, 'base64url').toString('utf8'));
