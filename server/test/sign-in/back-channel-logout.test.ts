import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { retryAfterMs } from '../../src/domain/logout-notices/notices.ts';
import { eachEngine, engines, newPostgresDatabase, startServer, TestClock, type TestServer } from '../harness.ts';
import {
  Browser,
  claimsOf,
  codeOf,
  exchange,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  native,
  redirectUri,
  type TestClient,
  type TestUser,
} from './support.ts';

/** A client's server: keeps what it is sent, answers as it is told. */
class Receiver {
  readonly got: { url: string; type: string | undefined; cookie: string | undefined; token: string }[] = [];
  answer: (response: ServerResponse, request: IncomingMessage) => void = (response) => response.writeHead(200).end();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const { 'content-type': type, cookie } = request.headers;
        const token = new URLSearchParams(body).get('logout_token') ?? '';
        this.got.push({ url: request.url ?? '', type, cookie, token });
        this.answer(response, request);
      });
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  uri(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The claims of what came to a path. */
  claims(path: string) {
    return this.got.filter(({ url }) => url === path).map(({ token }) => claimsOf(token));
  }

  close(): Promise<unknown> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

const app = (server: TestServer, uri: string, more: Record<string, unknown> = {}) =>
  makeApp(server, 'Traditional', {
    oidcClientMetadata: { redirectUris: [redirectUri], postLogoutRedirectUris: [], backchannelLogoutUri: uri, ...more },
  });

/** Signs in to a client and gets its tokens. */
async function tokensOf(
  server: TestServer,
  browser: Browser,
  issuer: IssuerKey,
  client: TestClient,
  user: TestUser,
  more: Record<string, string> = {},
) {
  const answer = await exchange(server, issuer, client, await codeOf(browser, issuer, client, user, more));
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

const offline = { scope: 'openid offline_access', prompt: 'consent' };
const pending = (server: TestServer) => server.rows('logout_notices');

const sendDue = ({ composed }: TestServer): Promise<void> => composed.logoutSender.run();

const eventsOf = async (server: TestServer, kind: string, clientId: string) =>
  (await server.logEvents()).filter((event) => event.kind === kind && event.client_id === clientId);

eachEngine('back-channel logout', (engine) => {
  let server: TestServer;
  let receiver: Receiver;
  const clock = new TestClock();
  const send = () => sendDue(server);
  before(async () => {
    receiver = await new Receiver().listen();
    server = await startServer({ engine, clock, env: { SEKISHO_ALLOW_PRIVATE_TARGETS: 'true' } });
  });
  beforeEach(() => {
    receiver.answer = (response) => response.writeHead(200).end();
  });
  after(async () => {
    await server.close();
    await receiver.close();
  });

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    test(`${issuer}: every client of the session is told once, with a token that verifies`, async () => {
      const user = await makeUser(server);
      const path = (name: string) => `/${issuer}/${name}`;
      const online = await app(server, receiver.uri(path('online')));
      const goesOn = await app(server, receiver.uri(path('offline')));
      const silent = await makeApp(server);
      const codeOnly = await app(server, receiver.uri(path('code-only')));
      const browser = new Browser(server);
      const { id_token: idToken } = await tokensOf(server, browser, issuer, online, user);
      await tokensOf(server, browser, issuer, online, user);
      await tokensOf(server, browser, issuer, goesOn, user, offline);
      await tokensOf(server, browser, issuer, silent, user);
      await codeOf(browser, issuer, codeOnly, user);
      const elsewhere = new Browser(server);
      const atHome = await app(server, receiver.uri(path('elsewhere')));
      await tokensOf(server, elsewhere, issuer, atHome, user);

      const end = issuer === 'root' ? '/oidc/logout' : '/oidc/session/end';
      await browser.open(`${end}?id_token_hint=${idToken}`);
      await send();

      const { sid, sub } = claimsOf(idToken);
      for (const [name, client] of [
        ['online', online],
        ['offline', goesOn],
      ] as const) {
        const [got, ...more] = receiver.got.filter(({ url }) => url === path(name));
        assert.ok(got, name);
        assert.deepEqual(more, []);
        assert.equal(got.type, 'application/x-www-form-urlencoded');
        assert.equal(got.cookie, undefined);
        const jwks = (await server.request('GET', issuer === 'root' ? '/.well-known/jwks.json' : '/oidc/jwks')).body;
        const { payload, protectedHeader } = await jwtVerify(got.token, createLocalJWKSet(jwks), {
          issuer: issuers[issuer].issuer(server),
          audience: client.clientId,
          typ: 'logout+jwt',
          algorithms: ['RS256'],
          currentDate: new Date(clock.now()),
        });
        assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ']);
        assert.deepEqual(Object.keys(payload).sort(), ['aud', 'events', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub']);
        assert.equal(payload.sid, sid);
        assert.equal(payload.sub, sub);
        assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
        assert.ok((payload.exp as number) - (payload.iat as number) <= 120);
        assert.equal((await eventsOf(server, 'logout_notice.delivered', client.clientId)).length, 1);
      }
      assert.deepEqual(receiver.claims(path('code-only')), []);
      assert.deepEqual(receiver.claims(path('elsewhere')), []);
      assert.deepEqual(await pending(server), []);
    });
  }

  test('a logout token is no other token', async () => {
    const user = await makeUser(server);
    const client = await app(server, receiver.uri('/no-other'));
    const browser = new Browser(server);
    const { id_token: idToken } = await tokensOf(server, browser, 'oidc', client, user);
    await browser.open(`/oidc/session/end?id_token_hint=${idToken}`);
    await send();
    const token = receiver.got.find(({ url }) => url === '/no-other')?.token as string;
    assert.equal(decodeProtectedHeader(token).typ, 'logout+jwt');
    assert.equal((await server.request('GET', '/oidc/me', { token })).status, 401);
    assert.equal((await server.request('GET', '/api/users', { token })).status, 401);
    assert.equal((await server.request('GET', '/api/v2/users', { token })).status, 401);
    assert.equal((await new Browser(server).open(`/oidc/session/end?id_token_hint=${token}`)).status, 400);
    const assertion = await server.request('POST', '/oidc/token', {
      form: {
        grant_type: 'client_credentials',
        client_assertion: token,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      },
    });
    assert.equal(assertion.status, 401);
  });

  test('by whatever door a session ends', async () => {
    const doors: Record<string, (user: TestUser, sid: string, browser: Browser) => Promise<unknown>> = {
      one: ({ id }, sid) => native(server, 'DELETE', `/users/${id}/sessions/${sid}`),
      all: ({ id }) => native(server, 'DELETE', `/users/${id}/sessions`),
      password: ({ id }) => native(server, 'PATCH', `/users/${id}/password`, { password: 'another battery staple' }),
      blocked: ({ id }) => native(server, 'PATCH', `/users/${id}/is-suspended`, { isSuspended: true }),
      auth0: ({ id }) => server.manage('PATCH', `/users/auth0|${id}`, { blocked: true }),
      deleted: ({ id }) => native(server, 'DELETE', `/users/${id}`),
      somebodyElse: async (_user, _sid, browser) => {
        const other = await makeUser(server);
        const client = await makeApp(server);
        const { signIn } = { signIn: () => codeOf(browser, 'oidc', client, other, { prompt: 'login' }) };
        await signIn();
      },
    };
    for (const [door, open] of Object.entries(doors)) {
      const user = await makeUser(server);
      const client = await app(server, receiver.uri(`/door/${door}`));
      const browser = new Browser(server);
      const { id_token: idToken } = await tokensOf(server, browser, 'oidc', client, user, offline);
      await open(user, claimsOf(idToken).sid, browser);
      await send();
      const claims = receiver.claims(`/door/${door}`);
      assert.equal(claims.length, 1, door);
      assert.equal(claims[0].sub, user.id, door);
      // Where all end, no session is named: it means all of them (§2.4).
      const namesSession = door === 'one' || door === 'somebodyElse';
      assert.equal(claims[0].sid, namesSession ? claimsOf(idToken).sid : undefined, door);
    }
  });

  test('sign-out everywhere: once a client, or once a session where the client asks for it', async () => {
    const user = await makeUser(server);
    const plain = await app(server, receiver.uri('/everywhere/plain'));
    const strict = await app(server, receiver.uri('/everywhere/strict'), { backchannelLogoutSessionRequired: true });
    const sids: string[] = [];
    for (let browsers = 0; browsers < 2; browsers += 1) {
      const browser = new Browser(server);
      await tokensOf(server, browser, 'root', plain, user);
      sids.push(claimsOf((await tokensOf(server, browser, 'root', strict, user)).id_token).sid);
    }
    await native(server, 'DELETE', `/users/${user.id}/sessions`);
    await send();
    assert.deepEqual(
      receiver.claims('/everywhere/plain').map(({ sid }) => sid),
      [undefined],
    );
    assert.deepEqual(
      receiver
        .claims('/everywhere/strict')
        .map(({ sid }) => sid)
        .sort(),
      sids.sort(),
    );
  });

  test('a change that is refused tells nobody', async () => {
    const user = await makeUser(server);
    const client = await app(server, receiver.uri('/refused'));
    const { id_token: idToken } = await tokensOf(server, new Browser(server), 'oidc', client, user);
    const token = await server.managementToken(server.nativeAudience);
    const answer = await server.request('DELETE', `/api/users/${user.id}/sessions/nothing`, { token });
    assert.equal(answer.status, 404);
    const bad = idToken.slice(0, -6);
    assert.equal((await new Browser(server).open(`/oidc/session/end?id_token_hint=${bad}`)).status, 400);
    assert.deepEqual(await pending(server), []);
  });

  /** Signs somebody in and out, and leaves the notice. */
  async function oneNotice(path: string): Promise<{ client: TestClient }> {
    const user = await makeUser(server);
    const client = await app(server, path.startsWith('/') ? receiver.uri(path) : path);
    await tokensOf(server, new Browser(server), 'oidc', client, user);
    await native(server, 'DELETE', `/users/${user.id}/sessions`);
    return { client };
  }

  test('a client that fails is asked again, with a new token, some times', () =>
    clock.standingStill(async () => {
      // Before the notice: it may be sent by itself at once.
      receiver.answer = (response) => response.writeHead(503).end();
      const { client } = await oneNotice('/failing');
      const count = () => receiver.claims('/failing').length;
      await send();
      for (const [index, wait] of retryAfterMs.entries()) {
        assert.equal(count(), index + 1);
        clock.advance(wait - 1000);
        await send();
        assert.equal(count(), index + 1, 'not before its time');
        clock.advance(1000);
        await send();
      }
      assert.equal(count(), retryAfterMs.length + 1);
      assert.deepEqual(await pending(server), []);
      assert.equal(new Set(receiver.claims('/failing').map(({ jti }) => jti)).size, retryAfterMs.length + 1);
      const [event, ...more] = await eventsOf(server, 'logout_notice.failed', client.clientId);
      assert.deepEqual(more, []);
      assert.equal(event.description, 'the client answered 503');
    }));

  test('a client that comes back is told', async () => {
    receiver.answer = (response) => response.destroy();
    const { client } = await oneNotice('/back');
    await send();
    receiver.answer = (response) => response.writeHead(204).end();
    clock.advance(retryAfterMs[0]);
    await send();
    assert.equal(receiver.claims('/back').length, 2);
    assert.equal((await eventsOf(server, 'logout_notice.delivered', client.clientId)).length, 1);
    assert.deepEqual(await pending(server), []);
  });

  test('no redirect is followed, no answer waited for or read without end', async () => {
    const hostile: Record<string, (response: ServerResponse) => void> = {
      redirect: (response) => response.writeHead(307, { location: receiver.uri('/redirected') }).end(),
      endless: (response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
        response.on('close', () => clearInterval(timer));
      },
      silent: () => {},
    };
    for (const [name, answer] of Object.entries(hostile)) {
      receiver.answer = answer;
      await oneNotice(`/${name}`);
      const started = Date.now();
      await send();
      // The deadline is 5 s; a machine that stands still for some seconds is not without end.
      assert.ok(Date.now() - started < 20_000, name);
      const [row] = await pending(server);
      assert.equal(row?.attempts, 1, name);
      await server.composed.services.db.transact((trx) => trx.deleteFrom('logout_notices').execute());
    }
    assert.deepEqual(receiver.claims('/redirected'), []);
  });

  test('a slow client holds up nobody else', async () => {
    let slow: ServerResponse | undefined;
    let wasUnderWay: boolean | undefined;
    receiver.answer = (response, { url }) => {
      if (url === '/slow') slow = response;
      else {
        wasUnderWay = slow?.closed === false;
        response.writeHead(200).end();
      }
    };
    await oneNotice('/slow');
    const first = send();
    while (slow === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    // It comes when the other one is on its way already, and does not wait for its five seconds.
    await oneNotice('/quick');
    const second = send();
    while (receiver.claims('/quick').length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(wasUnderWay, true);
    await Promise.all([first, second]);
    await server.composed.services.db.transact((trx) => trx.deleteFrom('logout_notices').execute());
  });

  test('a client that is deleted is told nothing more', async () => {
    const { client } = await oneNotice('/deleted');
    await native(server, 'DELETE', `/applications/${client.clientId}`);
    assert.deepEqual(await pending(server), []);
  });

  test('by itself, soon', async () => {
    await oneNotice('/by-itself');
    const until = Date.now() + 20_000;
    while (receiver.claims('/by-itself').length === 0 && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(receiver.claims('/by-itself').length, 1);
  });
});

eachEngine('back-channel logout without the setting', (engine) => {
  let server: TestServer;
  let canary: Receiver;
  before(async () => {
    canary = await new Receiver().listen();
    server = await startServer({ engine });
  });
  after(async () => {
    await server.close();
    await canary.close();
  });

  test('nothing goes to an address that is not public', async () => {
    const { port } = canary;
    for (const uri of [
      `http://127.0.0.1:${port}/`,
      `http://localhost:${port}/`,
      `https://127.0.0.1:${port}/`,
      `https://localhost:${port}/`,
      `https://[::1]:${port}/`,
      `https://[::ffff:7f00:1]:${port}/`,
      'https://169.254.169.254/latest/meta-data/',
      'https://10.0.0.1/',
    ]) {
      const user = await makeUser(server);
      const client = await app(server, uri);
      await tokensOf(server, new Browser(server), 'oidc', client, user);
      await native(server, 'DELETE', `/users/${user.id}/sessions`);
      await sendDue(server);
      const [event] = await eventsOf(server, 'logout_notice.failed', client.clientId);
      assert.match(event?.description ?? '', /not public|only https/, uri);
    }
    assert.deepEqual(await pending(server), []);
    assert.deepEqual(canary.got, []);
  });
});

test('two nodes: each notice is sent once', async () => {
  assert.ok(engines.includes('postgres'));
  const databaseUrl = await newPostgresDatabase();
  const env = { SEKISHO_ALLOW_PRIVATE_TARGETS: 'true' };
  const receiver = await new Receiver().listen();
  const nodes = [await startServer({ databaseUrl, env }), await startServer({ databaseUrl, env })];
  try {
    const [first, second] = nodes as [TestServer, TestServer];
    const user = await makeUser(first);
    const browser = new Browser(first);
    for (let count = 0; count < 20; count += 1) {
      await tokensOf(first, browser, 'oidc', await app(first, receiver.uri(`/${count}`)), user);
    }
    await native(first, 'DELETE', `/users/${user.id}/sessions`);
    await Promise.all([first, second].map(sendDue));
    await Promise.all([first, second].map(sendDue));
    assert.deepEqual(receiver.got.map(({ url }) => url).sort(), Array.from({ length: 20 }, (_, n) => `/${n}`).sort());
    assert.deepEqual(await pending(first), []);
  } finally {
    for (const node of nodes) await node.close();
    await receiver.close();
  }
});
