/** What is good once, or at one door, is good nowhere else: every kind of value at every door but its own. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { sendTo, startNodes } from '../token/nodes.ts';
import { withoutLimits } from '../token/refusals.ts';
import { everything, statuses, twenty } from './granted.ts';
import {
  authorizeUrl,
  Browser,
  bothIssuers,
  codeOf,
  exchange,
  formsOf,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  pkce,
  redirectUri,
  refresh,
  type TestClient,
  type TestUser,
} from './support.ts';

eachEngine('values that are good once', (engine) => {
  let server: TestServer;
  let user: TestUser;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    user = await makeUser(server);
    app = await makeApp(server);
  });
  after(() => server.close());

  /** One of each kind, not used up, all of one client and one person. */
  async function values(issuer: IssuerKey) {
    const browser = new Browser(server);
    const spent = await codeOf(browser, issuer, app, user, everything);
    const tokens = (await exchange(server, issuer, app, spent)).body;
    const code = await codeOf(browser, issuer, app, user, everything);
    const query = new URLSearchParams(authorizeUrl(issuer, app).split('?')[1]);
    const pushed = await server.request('POST', issuers[issuer].par, {
      form: { ...Object.fromEntries(query), client_secret: app.clientSecret as string },
    });
    const waiting = new Browser(server);
    await waiting.open(authorizeUrl(issuer, app));
    const interaction = new URL(waiting.page.url).pathname.split('/').at(-1) as string;
    const authorizations = await server.rows('authorizations');
    const cookie = (name: string) => browser.cookies.get(name) as string;
    return {
      verifier: code.verifier,
      browser,
      kinds: {
        code: code.code as string,
        'refresh token': tokens.refresh_token as string,
        'access token': tokens.access_token as string,
        'ID token': tokens.id_token as string,
        'request URI': pushed.body.request_uri as string,
        'handle of a request URI': (pushed.body.request_uri as string).split(':').at(-1) as string,
        'page of a sign-in': interaction,
        'secret of a session': cookie('sekisho-session'),
        'secret of a browser': cookie('sekisho-browser'),
        'id of a session': (await server.rows('sessions'))[0].id as string,
        'id of an authorization': authorizations[0].id as string,
        'hash of a code': authorizations[0].code_hash as string,
        'hash of a refresh token': (await server.rows('refresh_tokens'))[0].token_hash as string,
        state: 's1',
        'id of a client': app.clientId,
        'id of a user': user.id,
        'secret of a client': app.clientSecret as string,
      },
    };
  }

  for (const issuer of bothIssuers) {
    test(`${issuer}: every kind of value at every other door`, async () => {
      const { verifier, browser, kinds } = await values(issuer);
      const doors: Record<string, { takes: string[]; try: (value: string) => Promise<void> }> = {
        'authorization code': {
          takes: ['code'],
          try: async (value) => refusedGrant(await exchange(server, issuer, app, { code: value, verifier })),
        },
        'refresh token': {
          takes: ['refresh token'],
          try: async (value) => refusedGrant(await refresh(server, issuer, app, value)),
        },
        userinfo: {
          takes: ['access token'],
          try: async (token) => {
            const answer = await server.request('GET', issuers[issuer].userinfo, { token });
            assert.equal(answer.status, 401);
            assert.equal(answer.body.error, 'invalid_token');
          },
        },
        'management API': {
          takes: [],
          try: async (token) => {
            assert.equal((await server.request('GET', '/api/v2/clients', { token })).status, 401);
            assert.equal((await server.request('GET', '/api/applications', { token })).status, 401);
          },
        },
        introspection: {
          takes: ['access token', 'refresh token'],
          try: async (token) => {
            const form = { client_id: app.clientId, client_secret: app.clientSecret as string, token };
            const answer = await server.request('POST', issuers[issuer].introspect, { form });
            assert.deepEqual(answer.body, { active: false });
          },
        },
        revocation: {
          takes: ['access token', 'refresh token'],
          try: async (token) => {
            const form = { client_id: app.clientId, client_secret: app.clientSecret as string, token };
            const answer = await server.request('POST', issuers[issuer].revoke, { form });
            assert.equal(answer.status, 200);
          },
        },
        'pushed request': {
          takes: ['request URI'],
          try: async (value) => {
            for (const uri of [value, `urn:ietf:params:oauth:request_uri:${value}`]) {
              if (uri === kinds['request URI']) continue;
              const query = new URLSearchParams({ client_id: app.clientId, request_uri: uri });
              await browser.open(`${issuers[issuer].authorize}?${query}`);
              assert.equal(browser.page.status, 404);
              assert.equal(browser.page.location, undefined);
            }
          },
        },
        'page of a sign-in': {
          // The browser is another one, so not even this.
          takes: [],
          try: async (value) => {
            await browser.open(`/interaction/${encodeURIComponent(value)}`);
            assert.equal(browser.page.status, 404);
          },
        },
        'cookie of a session': {
          takes: ['secret of a session'],
          try: async (value) => {
            const thief = new Browser(server);
            thief.cookies.set('sekisho-session', value);
            const proof = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
            await thief.open(authorizeUrl(issuer, app, { ...proof, prompt: 'none' }));
            assert.match(thief.page.location ?? '', /error=login_required/);
          },
        },
        'secret of a client': {
          takes: ['secret of a client'],
          try: async (value) => {
            const form = { client_id: app.clientId, client_secret: value, token: 'x' };
            assert.equal((await server.request('POST', issuers[issuer].introspect, { form })).status, 401);
          },
        },
        'ID token as a hint': {
          takes: ['ID token'],
          try: async (value) => {
            await browser.open(authorizeUrl(issuer, app, { prompt: 'none', id_token_hint: value }));
            assert.match(browser.page.location ?? '', /error=invalid_request/);
          },
        },
      };
      const before = await server.stateHash();
      for (const [door, { takes, try: attempt }] of Object.entries(doors)) {
        for (const [kind, value] of Object.entries(kinds)) {
          if (takes.includes(kind)) continue;
          await attempt(value).catch((error) => {
            throw new Error(`a ${kind} as ${door}: ${error.message}`);
          });
        }
      }
      assert.equal(await server.stateHash(), before, 'nothing was used up, made or ended');
      const code = { code: kinds.code, verifier };
      assert.equal((await exchange(server, issuer, app, code)).status, 200, 'the code is still good');
      assert.equal((await refresh(server, issuer, app, kinds['refresh token'])).status, 200);
    });

    test(`${issuer}: texts that are no value at all`, async () => {
      const odd = [
        '__proto__',
        'constructor',
        'null',
        'undefined',
        "' or 1=1 --",
        '%00',
        '../../etc/passwd',
        'あ'.repeat(43),
        'A'.repeat(60_000),
        '\u0000',
        'a.b',
        'a.b.c',
        '..',
      ];
      const before = await server.stateHash();
      const { verifier } = pkce();
      for (const value of odd) {
        const answers = [
          await exchange(server, issuer, app, { code: value, verifier }),
          await refresh(server, issuer, app, value),
        ];
        for (const answer of answers) refusedGrant(answer);
        const form = { client_id: app.clientId, client_secret: app.clientSecret as string, token: value };
        const introspected = await server.request('POST', issuers[issuer].introspect, { form });
        assert.ok(introspected.status === 400 || introspected.body.active === false, introspected.text);
        const revoked = await server.request('POST', issuers[issuer].revoke, { form });
        assert.ok([200, 400].includes(revoked.status), revoked.text);
      }
      const none = { grant_type: 'authorization_code', redirect_uri: redirectUri };
      const credentials = { client_id: app.clientId, client_secret: app.clientSecret as string };
      const missing = await server.request('POST', issuers[issuer].token, { form: { ...credentials, ...none } });
      assert.equal(`${missing.status} ${missing.body.error}`, '400 invalid_request');
      assert.equal(await server.stateHash(), before);
    });
  }
});

function refusedGrant(answer: Answer): void {
  assert.equal(answer.status, 400, answer.text);
  assert.ok(['invalid_grant', 'invalid_request'].includes(answer.body.error), answer.text);
  assert.equal(answer.body.access_token, undefined);
}

describe('on two nodes over one PostgreSQL, twenty at once', () => {
  let nodes: [TestServer, TestServer];
  let user: TestUser;
  before(async () => {
    nodes = await startNodes();
    user = await makeUser(nodes[0]);
  });
  after(async () => {
    for (const node of nodes) await node.close();
  });

  const cookieOf = ({ cookies }: Browser) => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const codesIn = (answers: readonly Answer[]) =>
    answers.map(({ headers }) => headers.get('location') ?? '').filter((location) => location.includes('code='));
  const authorizationsFor = async ({ clientId }: TestClient) =>
    (await nodes[0].rows('authorizations')).filter(({ client_id }) => client_id === clientId).length;

  for (const issuer of bothIssuers) {
    test(`${issuer}: a pushed request gives one code`, async () => {
      const [first] = nodes;
      const app = await makeApp(first);
      const browser = new Browser(first);
      await codeOf(browser, issuer, app, user);
      const query = new URLSearchParams(authorizeUrl(issuer, app).split('?')[1]);
      const form = { ...Object.fromEntries(query), client_secret: app.clientSecret as string };
      const { body } = await first.request('POST', issuers[issuer].par, { form });
      const before = await authorizationsFor(app);
      const asked = new URLSearchParams({ client_id: app.clientId, request_uri: body.request_uri });
      const answers = await twenty(nodes, (node) =>
        sendTo(node, 'GET', `${issuers[issuer].authorize}?${asked}`, { headers: { cookie: cookieOf(browser) } }),
      );
      assert.equal(codesIn(answers).length, 1, JSON.stringify(statuses(answers)));
      assert.deepEqual(statuses(answers), { 303: 1, 404: 19 });
      assert.equal(await authorizationsFor(app), before + 1);
    });

    test(`${issuer}: a page that is answered gives one code`, async () => {
      const [first] = nodes;
      const third = await makeApp(first, 'Traditional', { isThirdParty: true });
      const browser = new Browser(first);
      await browser.open(authorizeUrl(issuer, third));
      await browser.signIn(user);
      const form = formsOf(browser.page.text).find(({ action }) => action.endsWith('/consent'));
      if (form === undefined) throw new Error('no consent page');
      const answers = await twenty(nodes, (node) =>
        sendTo(node, 'POST', form.action, {
          form: { ...form.hidden, decision: 'allow' },
          headers: { cookie: cookieOf(browser) },
        }),
      );
      assert.equal(codesIn(answers).length, 1, JSON.stringify(statuses(answers)));
      assert.deepEqual(statuses(answers), { 303: 1, 404: 19 });
      assert.equal(await authorizationsFor(third), 1);
    });
  }
});
