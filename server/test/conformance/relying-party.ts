/**
 * A relying party as the modules need one: it asks, follows the pages, and checks what it gets as OpenID Connect Core
 * §3.1.2.7, §3.1.3.5 and §3.1.3.7 tell every client to.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import type { Answer, TestServer } from '../harness.ts';
import { Browser, callbackOf, type Page, type TestClient, type TestUser } from '../sign-in/support.ts';
import { basic } from '../token/refusals.ts';

/** One module of the suite: the test is called as the module is. */
export const module = (name: string, work: () => Promise<void>): void => {
  test(name, work);
};

// biome-ignore lint/suspicious/noExplicitAny: metadata is checked where it is used
export type Metadata = Record<string, any>;

/** What a sign-in ended with. */
export interface Outcome {
  page: Page;
  code: string | undefined;
  error: string | undefined;
  parameters: URLSearchParams;
  nonce: string | undefined;
}

/** The tokens of a code, checked. */
export interface Tokens {
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
  body: any;
  claims: JWTPayload;
}

export class RelyingParty {
  readonly server: TestServer;
  readonly metadata: Metadata;
  readonly client: TestClient;
  readonly user: TestUser;
  readonly redirectUri: string;
  browser: Browser;
  /** How the client proves who it is. */
  authentication: 'basic' | 'post' | (() => Promise<Record<string, string>>) = 'basic';

  constructor(
    server: TestServer,
    metadata: Metadata,
    who: { client: TestClient; user: TestUser; redirectUri: string },
  ) {
    this.server = server;
    this.metadata = metadata;
    this.client = who.client;
    this.user = who.user;
    this.redirectUri = who.redirectUri;
    this.browser = new Browser(server);
  }

  pathOf(url: string): string {
    assert.ok(url.startsWith(`${this.server.origin}/`), url);
    return url.slice(this.server.origin.length);
  }

  /** The parameters of a request; undefined leaves one out. */
  request(changes: Record<string, string | undefined> = {}): Record<string, string> {
    const all = {
      client_id: this.client.clientId,
      redirect_uri: this.redirectUri,
      response_type: 'code',
      scope: 'openid',
      state: randomBytes(8).toString('hex'),
      nonce: randomBytes(8).toString('hex'),
      ...changes,
    };
    return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  url(parameters: Record<string, string>): string {
    return `${this.pathOf(this.metadata.authorization_endpoint)}?${new URLSearchParams(parameters)}`;
  }

  /** Asks, signs in where a page asks for it, and reads the answer. */
  async authorize(changes: Record<string, string | undefined> = {}): Promise<Outcome> {
    const parameters = this.request(changes);
    await this.browser.open(this.url(parameters));
    await this.pages();
    return this.outcome(parameters);
  }

  /** Answers the pages as the person does. */
  async pages(): Promise<void> {
    if (this.browser.page.location !== undefined) return;
    if (this.browser.page.text.includes('/sign-in')) await this.browser.signIn(this.user);
    if (this.browser.page.location === undefined && this.browser.page.text.includes('/consent')) {
      await this.browser.submit('/consent', { decision: 'allow' });
    }
  }

  /** RFC 6749 §4.1.2, RFC 9207. */
  outcome(asked: Record<string, string>): Outcome {
    const { page } = this.browser;
    const { code, error, parameters } = callbackOf(page);
    const target = asked.redirect_uri ?? this.redirectUri;
    assert.ok(page.location?.startsWith(`${target}${target.includes('?') ? '&' : '?'}`), page.location);
    assert.equal(parameters.get('state') ?? undefined, asked.state);
    assert.equal(parameters.get('iss'), this.metadata.issuer);
    assert.notEqual(code === undefined, error === undefined, 'a code or an error');
    return { page, code, error, parameters, nonce: asked.nonce };
  }

  /** A request to the token endpoint. */
  async token(parameters: Record<string, string>): Promise<Answer> {
    const { clientId, clientSecret = '' } = this.client;
    const { authentication } = this;
    const byBasic = authentication === 'basic';
    const proof =
      typeof authentication === 'function'
        ? await authentication()
        : { client_id: clientId, client_secret: clientSecret };
    return this.server.request('POST', this.pathOf(this.metadata.token_endpoint), {
      form: { ...(byBasic ? {} : proof), ...parameters },
      headers: byBasic ? basic(clientId, clientSecret) : {},
    });
  }

  exchange({ code }: Pick<Outcome, 'code'>, more: Record<string, string> = {}): Promise<Answer> {
    const redirect_uri = this.redirectUri;
    return this.token({ grant_type: 'authorization_code', code: code ?? '', redirect_uri, ...more });
  }

  /** Exchanges the code and checks what comes. */
  async redeem(outcome: Outcome, more: Record<string, string> = {}): Promise<Tokens> {
    assert.equal(outcome.error, undefined, outcome.page.location);
    return this.checked(await this.exchange(outcome, more), outcome.nonce);
  }

  /** RFC 6749 §5.1, Core §3.1.3.3. */
  async checked(answer: Answer, nonce: string | undefined): Promise<Tokens> {
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const { access_token, token_type, expires_in, id_token } = answer.body;
    assert.ok(typeof access_token === 'string' && access_token.length >= 22, 'enough entropy');
    assert.equal(String(token_type).toLowerCase(), 'bearer');
    assert.ok(Number.isInteger(expires_in) && expires_in > 0);
    return { body: answer.body, claims: await this.idToken(id_token, nonce) };
  }

  /** Core §2, §3.1.3.7. */
  async idToken(idToken: string, nonce: string | undefined): Promise<JWTPayload> {
    const keys = (await this.server.request('GET', this.pathOf(this.metadata.jwks_uri))).body;
    const { payload, protectedHeader } = await jwtVerify(idToken, createLocalJWKSet(keys), {
      issuer: this.metadata.issuer,
      audience: this.client.clientId,
      algorithms: ['RS256'],
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
      currentDate: new Date(this.server.composed.services.clock.now()),
    });
    assert.ok(typeof protectedHeader.kid === 'string', 'a key is named where there are several');
    assert.equal(payload.aud, this.client.clientId, 'for this client alone');
    assert.ok(payload.azp === undefined || payload.azp === this.client.clientId);
    assert.equal(payload.nonce, nonce);
    const { sub = '', iat = 0, exp = 0 } = payload;
    assert.ok(sub.length > 0 && sub.length <= 255 && /^[\x20-\x7e]+$/.test(sub));
    const now = this.server.composed.services.clock.now() / 1000;
    assert.ok(iat <= now + 1 && iat > now - 60, 'issued just now');
    assert.ok(exp > iat);
    if (payload.auth_time !== undefined) assert.ok((payload.auth_time as number) <= now + 1);
    return payload;
  }

  /** Core §5.3.2. */
  // biome-ignore lint/suspicious/noExplicitAny: claims are compared, not typed
  async userinfo(accessToken: string, subject: string | undefined): Promise<any> {
    const answer = await this.server.request('GET', this.pathOf(this.metadata.userinfo_endpoint), {
      token: accessToken,
    });
    return this.claims(answer, subject);
  }

  claims(answer: Answer, subject: string | undefined) {
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(answer.body.sub, subject, 'about the person of the ID token');
    return answer.body;
  }

  /** A page of ours that tells the person, and leads nowhere (RFC 6749 §3.1.2.4). */
  errorPage(status = 400): void {
    const { page } = this.browser;
    assert.equal(page.status, status, page.text.slice(0, 300));
    assert.equal(page.location, undefined);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
  }
}

/** Metadata as a client finds it. */
export async function discover(server: TestServer, issuer: string): Promise<Metadata> {
  const path = `${issuer.slice(server.origin.length).replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await server.request('GET', path);
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.equal(answer.body.issuer, issuer);
  return answer.body;
}
