/** The steps of a sign-in: state lives on the server, bound to one browser; each step in its turn, each end once. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { sendTo } from '../token/nodes.ts';
import { withoutLimits } from '../token/refusals.ts';
import { changesNothing } from './granted.ts';
import {
  authorizeUrl,
  Browser,
  bothIssuers,
  callbackOf,
  claimsOf,
  codeOf,
  exchange,
  formsOf,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  native,
  pkce,
  redirectUri,
  type TestClient,
  type TestUser,
} from './support.ts';

eachEngine('interactions', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  let user: TestUser;
  let app: TestClient;
  let spa: TestClient;
  let third: TestClient;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    user = await makeUser(server);
    app = await makeApp(server);
    spa = await makeApp(server, 'SPA');
    third = await makeApp(server, 'Traditional', { isThirdParty: true });
  });
  after(() => server.close());

  const proof = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });

  const signedIn = async (issuer: IssuerKey, who = user): Promise<Browser> => {
    const browser = new Browser(server);
    await codeOf(browser, issuer, app, who);
    return browser;
  };

  /** A browser at the consent page of the third-party client. */
  const atConsent = async (issuer: IssuerKey, who: TestUser, more: Record<string, string> = {}): Promise<Browser> => {
    const browser = new Browser(server);
    await browser.open(authorizeUrl(issuer, third, { scope: 'openid email', ...proof(), ...more }));
    await browser.signIn(who);
    assert.match(browser.page.text, /\/consent/, 'the consent page is open');
    return browser;
  };

  const consents = async (who: TestUser) => (await server.rows('consents')).filter((row) => row.user_id === who.id);
  const waiting = async () => (await server.rows('interactions')).length;

  /** Sent back to the client with an error; no code, nothing begun, and the reason logged. */
  async function sentBack(browser: Browser, path: string, error: string, reason: string): Promise<void> {
    const began = await waiting();
    await changesNothing(server, () => browser.open(path), { kind: 'authorization.refused', reason });
    const issuer = path.startsWith('/oidc') ? 'oidc' : 'root';
    const callback = callbackOf(browser.page);
    assert.equal(callback.error, error, browser.page.location);
    assert.equal(callback.code, undefined);
    assert.equal(callback.parameters.get('state'), 's1');
    assert.equal(callback.parameters.get('iss'), issuers[issuer].issuer(server), 'RFC 9207');
    assert.ok(browser.page.location?.startsWith(`${redirectUri}?`));
    assert.equal(await waiting(), began);
  }

  for (const issuer of bothIssuers) {
    describe(issuer, () => {
      test('without a page nobody signs in, agrees or chooses', async () => {
        const nobody = new Browser(server);
        const none = { prompt: 'none', ...proof() };
        await sentBack(nobody, authorizeUrl(issuer, app, none), 'login_required', 'login_required');
        const browser = await signedIn(issuer);
        await sentBack(browser, authorizeUrl(issuer, third, none), 'consent_required', 'consent_required');
        const required = await makeApp(server);
        await server.manage('PATCH', `/clients/${required.clientId}`, { organization_usage: 'require' });
        await sentBack(browser, authorizeUrl(issuer, required, none), 'interaction_required', 'interaction_required');
        for (const prompt of ['none login', 'none none', 'create', 'login none consent']) {
          await sentBack(
            browser,
            authorizeUrl(issuer, app, { ...proof(), prompt }),
            'invalid_request',
            'parameter_invalid',
          );
        }
        await browser.open(authorizeUrl(issuer, app, none));
        assert.ok(callbackOf(browser.page).code, 'who is signed in needs none');
      });

      test('PKCE: none of a public client, plain, without a method, 42, 44 and 129 characters', async () => {
        const { challenge } = pkce();
        const wrong: [TestClient, Record<string, string>][] = [
          [spa, {}],
          [spa, { code_challenge: challenge }],
          [spa, { code_challenge: challenge, code_challenge_method: 'plain' }],
          [spa, { code_challenge: challenge, code_challenge_method: 's256' }],
          [spa, { code_challenge_method: 'S256' }],
          [app, { code_challenge: challenge }],
          [app, { code_challenge: challenge, code_challenge_method: 'plain' }],
          [app, { code_challenge_method: 'S256' }],
          [app, { code_challenge: challenge.slice(0, 42), code_challenge_method: 'S256' }],
          [app, { code_challenge: `${challenge}a`, code_challenge_method: 'S256' }],
          [app, { code_challenge: 'a'.repeat(129), code_challenge_method: 'S256' }],
          [app, { code_challenge: `${challenge.slice(0, 42)}+`, code_challenge_method: 'S256' }],
        ];
        const browser = await signedIn(issuer);
        for (const [client, parameters] of wrong) {
          await sentBack(browser, authorizeUrl(issuer, client, parameters), 'invalid_request', 'pkce_required');
        }
      });

      test('every error tells the issuer and the state', async () => {
        const browser = await signedIn(issuer);
        const url = (more: Record<string, string>) => authorizeUrl(issuer, app, { ...proof(), ...more });
        const parameter = ['invalid_request', 'parameter_invalid'] as const;
        const cases: [Record<string, string>, string, string][] = [
          [{ response_type: '' }, ...parameter],
          [{ response_type: 'token' }, 'unsupported_response_type', 'response_type_unsupported'],
          [{ response_type: 'id_token' }, 'unsupported_response_type', 'response_type_unsupported'],
          [{ response_type: 'code id_token' }, 'unsupported_response_type', 'response_type_unsupported'],
          [{ request: 'e30.e30.' }, 'request_not_supported', 'request_object_unsupported'],
          [{ max_age: '-1' }, ...parameter],
          [{ max_age: 'soon' }, ...parameter],
          [{ nonce: 'n'.repeat(5000) }, ...parameter],
          [{ dpop_jkt: 'short' }, ...parameter],
          [{ resource: 'https://nowhere.example/' }, 'invalid_target', 'target_invalid'],
          [{ resource: 'orders' }, 'invalid_target', 'target_invalid'],
          [{ id_token_hint: 'e30.e30.e30' }, 'invalid_request', 'id_token_hint_invalid'],
        ];
        for (const [more, error, reason] of cases) await sentBack(browser, url(more), error, reason);
        await browser.open(url({ prompt: 'login' }));
        await browser.submit('/cancel', {});
        const { error, parameters } = callbackOf(browser.page);
        assert.equal(error, 'access_denied');
        assert.equal(parameters.get('iss'), issuers[issuer].issuer(server));
        assert.equal(parameters.get('state'), 's1');
      });

      test('max_age, prompt=login, select_account: who signed in long ago proves it again', async () => {
        const browser = new Browser(server);
        const first = await exchange(server, issuer, app, await codeOf(browser, issuer, app, user));
        const signedInAt = claimsOf(first.body.id_token).auth_time;
        clock.advance(5000);
        const kept = await exchange(
          server,
          issuer,
          app,
          await codeOf(browser, issuer, app, user, { max_age: '10000' }),
        );
        assert.equal(claimsOf(kept.body.id_token).auth_time, signedInAt);
        await sentBack(
          browser,
          authorizeUrl(issuer, app, { max_age: '1', prompt: 'none' }),
          'login_required',
          'login_required',
        );
        for (const more of [{ max_age: '1' }, { max_age: '0' }, { prompt: 'login' }]) {
          clock.advance(5000);
          const before = Math.floor(clock.now() / 1000);
          const { verifier, challenge } = pkce();
          await browser.open(
            authorizeUrl(issuer, app, { code_challenge: challenge, code_challenge_method: 'S256', ...more }),
          );
          assert.equal(browser.page.location, undefined, `a page: ${JSON.stringify(more)}`);
          // Going round the page does not help.
          await browser.open(new URL(browser.page.url).pathname);
          assert.equal(browser.page.location, undefined);
          await browser.signIn(user);
          const tokens = await exchange(server, issuer, app, { ...callbackOf(browser.page), verifier });
          assert.ok(claimsOf(tokens.body.id_token).auth_time >= before, JSON.stringify(more));
        }
        clock.advance(1000);
        await browser.open(authorizeUrl(issuer, app, { ...proof(), prompt: 'select_account' }));
        assert.equal(browser.page.location, undefined);
        await browser.submit('/account', {});
        assert.ok(callbackOf(browser.page).code);
      });

      test('an ID token as a hint: ours, of this issuer, for this client; and its person', async () => {
        const somebody = await makeUser(server);
        const browser = await signedIn(issuer);
        const own = (await exchange(server, issuer, app, await codeOf(browser, issuer, app, user))).body;
        const strangers = new Browser(server);
        const theirs = (await exchange(server, issuer, app, await codeOf(strangers, issuer, app, somebody))).body;
        const other = await makeApp(server);
        const elsewhere = issuer === 'root' ? 'oidc' : 'root';
        const ofOther = (await exchange(server, issuer, other, await codeOf(browser, issuer, other, user))).body;
        const ofOtherIssuer = (await exchange(server, elsewhere, app, await codeOf(browser, elsewhere, app, user)))
          .body;
        const url = (hint: string) => authorizeUrl(issuer, app, { ...proof(), prompt: 'none', id_token_hint: hint });
        await browser.open(url(own.id_token));
        assert.ok(callbackOf(browser.page).code);
        const [header, payload, signature] = own.id_token.split('.');
        const changed = Buffer.from(JSON.stringify({ ...claimsOf(own.id_token), sub: somebody.id })).toString(
          'base64url',
        );
        const noAlgorithm = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
        for (const hint of [
          `${header}.${changed}.${signature}`,
          `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
          `${noAlgorithm}.${payload}.`,
          ofOther.id_token,
          ofOtherIssuer.id_token,
          own.access_token,
          await server.managementToken(),
          'x',
        ]) {
          await sentBack(browser, url(hint), 'invalid_request', 'id_token_hint_invalid');
        }
        await sentBack(browser, url(theirs.id_token), 'login_required', 'login_required');
        clock.advance(2 * 3_600_000 - 5);
        await browser.open(url(own.id_token));
        assert.ok(callbackOf(browser.page).code, 'one that is over still says who it was');
      });

      test('consent: of this person, in this browser, to what was asked for', async () => {
        const [anna, ben] = [await makeUser(server), await makeUser(server)];
        const annas = await atConsent(issuer, anna);
        const bens = await atConsent(issuer, ben);
        const form = (browser: Browser) => formsOf(browser.page.text).find(({ action }) => action.endsWith('/consent'));
        const [annasForm, bensForm] = [form(annas), form(bens)];
        if (annasForm === undefined || bensForm === undefined) throw new Error('no form');

        const forged = { kind: 'authorization.refused', reason: 'form_forged' };
        const allow = { decision: 'allow' };
        // Anna's answer, sent by Ben's browser; and to his own page.
        for (const [path, fields] of [
          [annasForm.action, annasForm.hidden],
          [bensForm.action, annasForm.hidden],
          [bensForm.action, {}],
          [bensForm.action, { ...bensForm.hidden, csrf: '' }],
          [bensForm.action, { ...bensForm.hidden, csrf: `${bensForm.hidden.csrf}A` }],
        ] as const) {
          await changesNothing(server, () => bens.post(path, { ...fields, ...allow }), forged);
          assert.equal(bens.page.status, 403);
        }
        // Sent by another site's page.
        for (const headers of [
          { 'sec-fetch-site': 'cross-site' },
          { 'sec-fetch-site': 'same-site' },
          { origin: 'https://evil.example' },
          { origin: 'null' },
        ] as Record<string, string>[]) {
          const send = () => bens.post(bensForm.action, { ...bensForm.hidden, ...allow }, headers);
          await changesNothing(server, send, forged);
          assert.equal(bens.page.status, 403);
        }
        // For somebody else: the page is shown again.
        const state = await server.stateHash();
        await bens.post(bensForm.action, { ...bensForm.hidden, account: anna.id, ...allow });
        assert.match(bens.page.text, /\/consent/);
        await bens.post(bensForm.action, { ...bensForm.hidden, account: '', ...allow });
        assert.match(bens.page.text, /\/consent/);
        // By GET there is nothing.
        assert.equal((await bens.open(`${bensForm.action}?decision=allow`)).status, 404);
        assert.equal(await server.stateHash(), state);
        assert.deepEqual([await consents(anna), await consents(ben)], [[], []]);

        // Fields of the request in the form are nobody's business.
        await bens.post(bensForm.action, {
          ...bensForm.hidden,
          ...allow,
          scope: 'openid email profile offline_access',
          client_id: app.clientId,
          redirect_uri: 'https://evil.example/',
          code_challenge: '',
          response_mode: 'form_post',
        });
        assert.ok(bens.page.location?.startsWith(`${redirectUri}?code=`), bens.page.location);
        const [agreed] = await consents(ben);
        assert.equal(agreed.client_id, third.clientId);
        assert.deepEqual(JSON.parse(agreed.scopes), ['openid', 'email']);

        // Anything but a yes is a no, and the page is over then.
        await annas.post(annasForm.action, annasForm.hidden);
        assert.equal(callbackOf(annas.page).error, 'access_denied');
        await annas.post(annasForm.action, { ...annasForm.hidden, ...allow });
        assert.equal(annas.page.status, 404);
        assert.deepEqual(await consents(anna), []);
      });

      test('no step is skipped', async () => {
        const who = await makeUser(server);
        const browser = new Browser(server);
        await browser.open(authorizeUrl(issuer, third, proof()));
        const at = new URL(browser.page.url).pathname;
        const state = await server.stateHash();
        const csrf = formsOf(browser.page.text)[0]?.hidden.csrf ?? '';
        for (const step of ['consent', 'account', 'organization', 'sign-in', 'sign-up', 'cancel', 'resume', '']) {
          for (const fields of [{}, { csrf, decision: 'allow', account: who.id, organization: 'org_x' }] as Record<
            string,
            string
          >[]) {
            if (step === 'sign-in' && fields.csrf !== undefined) continue;
            await browser.post(`${at}/${step}`, fields);
            assert.equal(browser.page.location, undefined, `${step} ${JSON.stringify(fields)}`);
            assert.ok([403, 404, 400].includes(browser.page.status) || /\/sign-in/.test(browser.page.text), step);
          }
        }
        assert.equal(await server.stateHash(), state);
        await browser.open(at);
        assert.match(browser.page.text, /\/sign-in/, 'still at the first step');
        await browser.signIn(who);
        assert.match(browser.page.text, /\/consent/);
        await browser.open(`${at}/sign-in`);
        assert.match(browser.page.text, /\/consent/, 'the step that is open is shown');
      });

      test('an interaction is of the browser that began it', async () => {
        const attacker = new Browser(server);
        await attacker.open(authorizeUrl(issuer, app, proof()));
        const at = new URL(attacker.page.url).pathname;
        const victim = await signedIn(issuer);
        const state = { hash: await server.stateHash(), waiting: await waiting() };
        for (const browser of [victim, new Browser(server)]) {
          await browser.open(at);
          assert.equal(browser.page.status, 404);
          assert.equal(browser.page.location, undefined);
          const [form] = formsOf(attacker.page.text);
          await browser.post(`${at}/sign-in`, { ...form?.hidden, identifier: user.email, password: user.password });
          assert.ok([403, 404].includes(browser.page.status), String(browser.page.status));
        }
        assert.deepEqual({ hash: await server.stateHash(), waiting: await waiting() }, state);
      });

      test('session fixation: what was in the browser before is worth nothing after', async () => {
        const who = await makeUser(server);
        const planted = 'A'.repeat(43);
        const victim = new Browser(server);
        victim.cookies.set('sekisho-session', planted);
        const attacker = new Browser(server);
        await attacker.open(authorizeUrl(issuer, app, proof()));
        // The attacker's own browser secret and page, in the victim's browser.
        for (const [name, value] of attacker.cookies) victim.cookies.set(name, value);
        await victim.open(new URL(attacker.page.url).pathname);
        await victim.signIn(who);
        assert.ok(callbackOf(victim.page).code, 'it leads to the client, not to the attacker');
        const secret = victim.cookies.get('sekisho-session');
        assert.ok(secret !== undefined && secret !== planted && secret.length >= 43);
        await attacker.open(new URL(attacker.page.url).pathname);
        assert.equal(attacker.page.status, 404);
        for (const value of [planted, undefined]) {
          const thief = new Browser(server);
          for (const [name, cookie] of attacker.cookies) thief.cookies.set(name, cookie);
          if (value !== undefined) thief.cookies.set('sekisho-session', value);
          await thief.open(authorizeUrl(issuer, app, { ...proof(), prompt: 'none' }));
          assert.equal(callbackOf(thief.page).error, 'login_required');
        }

        // Signing in again makes a new secret; the one before is over.
        const copy = new Browser(server);
        for (const [name, value] of victim.cookies) copy.cookies.set(name, value);
        clock.advance(1000);
        await victim.open(authorizeUrl(issuer, app, { ...proof(), prompt: 'login' }));
        await victim.signIn(who);
        assert.notEqual(victim.cookies.get('sekisho-session'), secret);
        await copy.open(authorizeUrl(issuer, app, { ...proof(), prompt: 'none' }));
        assert.equal(callbackOf(copy.page).error, 'login_required');
      });

      test('two different cookies of one name count as none', async () => {
        const browser = await signedIn(issuer);
        const [secret] = [browser.cookies.get('sekisho-session')];
        browser.cookies.set('sekisho-session', `${secret}; sekisho-session=${'B'.repeat(43)}`);
        await browser.open(authorizeUrl(issuer, app, { ...proof(), prompt: 'none' }));
        assert.equal(callbackOf(browser.page).error, 'login_required');
      });

      test('the end of an interaction is a code once, also for ten at a time', async () => {
        const who = await makeUser(server);
        const browser = await atConsent(issuer, who);
        const form = formsOf(browser.page.text).find(({ action }) => action.endsWith('/consent'));
        const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        const answers = await Promise.all(
          Array.from({ length: 10 }, () =>
            fetch(`${server.origin}${form?.action}`, {
              method: 'POST',
              redirect: 'manual',
              headers: { cookie },
              body: new URLSearchParams({ ...form?.hidden, decision: 'allow' }),
            }),
          ),
        );
        const codes = answers.map(({ headers }) => headers.get('location')).filter((to) => to?.includes('code='));
        assert.equal(codes.length, 1, answers.map(({ status }) => status).join());
        assert.equal((await server.rows('authorizations')).filter(({ user_id }) => user_id === who.id).length, 1);
      });

      test('what changed while the page was open counts', async () => {
        const who = await makeUser(server);
        const client = await makeApp(server);
        const openPage = async () => {
          const browser = new Browser(server);
          await browser.open(authorizeUrl(issuer, client, proof()));
          return browser;
        };
        const [first, second, last] = [await openPage(), await openPage(), await openPage()];
        await native(server, 'PATCH', `/applications/${client.clientId}`, {
          oidcClientMetadata: { redirectUris: ['https://app.example/other'], postLogoutRedirectUris: [] },
        });
        await first.open(new URL(first.page.url).pathname);
        assert.equal(first.page.status, 400);
        assert.equal(first.page.location, undefined);
        await native(server, 'PATCH', `/applications/${client.clientId}`, { status: 'disabled' });
        await second.open(new URL(second.page.url).pathname);
        assert.equal(second.page.status, 403);
        await native(server, 'DELETE', `/applications/${client.clientId}`);
        await last.open(new URL(last.page.url).pathname);
        assert.equal(last.page.status, 404);
        const blocked = await signedIn(issuer, who);
        await native(server, 'PATCH', `/users/${who.id}/is-suspended`, { isSuspended: true });
        await blocked.open(authorizeUrl(issuer, app, { ...proof(), prompt: 'none' }));
        assert.equal(callbackOf(blocked.page).error, 'login_required');
      });

      test('a page is over after an hour', async () => {
        const browser = new Browser(server);
        await browser.open(authorizeUrl(issuer, app, proof()));
        clock.advance(3_600_001);
        await browser.open(new URL(browser.page.url).pathname);
        assert.equal(browser.page.status, 404);
      });

      test('no page can be framed, kept, or run what was sent to it', async () => {
        const who = await makeUser(server);
        const browser = new Browser(server);
        const pages: Record<string, () => Promise<unknown>> = {
          'sign-in': () =>
            browser.open(authorizeUrl(issuer, third, { ...proof(), login_hint: '"><script>alert(1)</script>' })),
          'a wrong password': () =>
            browser.submit('/sign-in', { identifier: '<img src=x onerror=alert(1)>', password: 'x' }),
          consent: () => browser.signIn(who),
          'no such page': () => browser.open('/interaction/nothing'),
          'a wrong request': () => browser.open(`${issuers[issuer].authorize}?client_id=<script>`),
          'form post': async () => {
            const state = '"><script>alert(1)</script>';
            await browser.open(authorizeUrl(issuer, app, { ...proof(), response_mode: 'form_post', state }));
          },
          'signed out': () => browser.open('/signed-out'),
        };
        for (const [name, show] of Object.entries(pages)) {
          await show();
          const { headers, text } = browser.page;
          const policy = headers.get('content-security-policy') ?? '';
          assert.match(policy, /default-src 'none'/, name);
          assert.match(policy, /frame-ancestors 'none'/, name);
          assert.match(policy, /base-uri 'none'/, name);
          assert.doesNotMatch(policy, /unsafe|\*/, name);
          assert.equal(headers.get('x-frame-options'), 'DENY', name);
          assert.equal(headers.get('x-content-type-options'), 'nosniff', name);
          assert.match(headers.get('cache-control') ?? '', /no-store/, name);
          assert.doesNotMatch(text, /<script>|<img src=x/, name);
        }
      });

      test('pushed: of this client and issuer, once, for a minute, and nothing beside it counts', async () => {
        const push = async (client: TestClient, more: Record<string, string> = {}) => {
          const query = new URLSearchParams(authorizeUrl(issuer, client, { ...proof(), ...more }).split('?')[1]);
          const form = { ...Object.fromEntries(query), client_secret: client.clientSecret as string };
          const answer = await server.request('POST', issuers[issuer].par, { form });
          assert.equal(answer.status, 201, answer.text);
          return answer.body.request_uri as string;
        };
        const browser = await signedIn(issuer);
        const path = (client: TestClient, uri: string, more: Record<string, string> = {}, at = issuer) =>
          `${issuers[at].authorize}?${new URLSearchParams({ client_id: client.clientId, request_uri: uri, ...more })}`;
        const refusedHere = async (url: string, status = 404) => {
          const reason = status === 404 ? 'pushed_request_invalid' : 'redirect_uri_unregistered';
          await changesNothing(server, () => browser.open(url), { kind: 'authorization.refused', reason });
          assert.equal(browser.page.status, status);
          assert.equal(browser.page.location, undefined);
        };
        const uri = await push(app);
        const other = await makeApp(server);
        await refusedHere(path(other, uri));
        await refusedHere(path(app, `${uri}A`));
        await refusedHere(path(app, uri, {}, issuer === 'root' ? 'oidc' : 'root'));
        await browser.open(
          path(app, uri, { redirect_uri: 'https://evil.example/', scope: 'openid email', state: 'other' }),
        );
        assert.ok(browser.page.location?.startsWith(`${redirectUri}?code=`));
        assert.equal(callbackOf(browser.page).parameters.get('state'), 's1');
        await refusedHere(path(app, uri));
        const late = await push(app);
        clock.advance(60_001);
        await refusedHere(path(app, late));
        const moved = await push(other);
        await native(server, 'PATCH', `/applications/${other.clientId}`, {
          oidcClientMetadata: { redirectUris: ['https://app.example/other'], postLogoutRedirectUris: [] },
        });
        await refusedHere(path(other, moved), 400);
        // Twice the same at once: one code.
        const twice = await push(app);
        const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        const answers = await Promise.all(
          Array.from({ length: 10 }, () =>
            fetch(`${server.origin}${path(app, twice)}`, { redirect: 'manual', headers: { cookie } }),
          ),
        );
        assert.equal(answers.filter(({ headers }) => headers.get('location')?.includes('code=')).length, 1);
      });
    });
  }
});

test('cookies: of this host alone over https, never for a script', async () => {
  const secure = await startServer({ env: { SEKISHO_URL: 'https://auth.sekisho.example' } });
  const plain = await startServer();
  try {
    for (const [server, prefix] of [
      [secure, '__Host-'],
      [plain, ''],
    ] as const) {
      const app = await plainApp(server);
      const answer = await sendTo(server, 'GET', authorizeUrl('root', app));
      assert.equal(answer.status, 303, answer.text);
      const line = answer.headers.get('set-cookie') ?? '';
      assert.match(line, new RegExp(`^${prefix}sekisho-browser=[\\w-]{43}; `));
      for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Path=/']) assert.ok(line.includes(attribute), line);
      assert.equal(line.includes('Secure'), prefix !== '');
      assert.doesNotMatch(line, /Domain/i);
      assert.ok(line.length < 4096);
    }
  } finally {
    await secure.close();
    await plain.close();
  }
});

/** A client as a row: the management API of a server behind a proxy is not where tests reach it. */
async function plainApp(server: TestServer): Promise<TestClient> {
  const [admin] = await server.rows('clients');
  await server.composed.services.db.transact((trx) =>
    trx
      .updateTable('clients')
      .set({
        sign_in: JSON.stringify({ redirectUris: [redirectUri] }),
        grant_types: JSON.stringify(['authorization_code']),
      })
      .where('id', '=', admin.id)
      .execute(),
  );
  return { clientId: admin.id, clientSecret: undefined };
}
