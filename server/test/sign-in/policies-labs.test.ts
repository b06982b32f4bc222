/** People who sign in with real directories and providers, through the pages, up to their tokens. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { noBrowser, openBrowser } from '../browser.ts';
import { type Engine, engines, freePort, startServer, type TestServer } from '../harness.ts';
import { type LdapLab, people, startLdapLab } from '../labs/ldap.ts';
import { noOAuth1Lab, type OAuth1Lab, startOAuth1Lab } from '../labs/oauth1.ts';
import { type OidcLab, startOidcLab } from '../labs/oidc.ts';
import { noLab } from '../upstream/ldap/support.ts';
import { ask, assertProblem, besideLabs, callbackUri, makePolicy, signInAt, tokensOf } from './policies-support.ts';
import { authorizeUrl, callbackOf, claimsOf, makeApp, native, pkce, redirectUri, type TestClient } from './support.ts';

const opened = { checkUserExists: false };

/** A server on an engine with an application, beside a lab that is there for the whole suite. */
function eachServer(
  name: string,
  skip: string | false,
  suite: (on: () => { server: TestServer; app: TestClient }) => void,
) {
  for (const engine of engines as readonly Engine[]) {
    describe(`${name} [${engine}]`, { skip }, () => {
      let server: TestServer;
      let app: TestClient;
      before(async () => {
        server = await startServer({ engine, env: besideLabs });
        app = await makeApp(server);
      });
      after(() => server?.close());
      suite(() => ({ server, app }));
    });
  }
}

eachServer('sign-in with a directory', noLab, (on) => {
  let lab: LdapLab;
  let policy: string;
  before(async () => {
    lab = await startLdapLab();
    policy = await makePolicy(
      on().server,
      'ldap',
      { url: lab.urls.ldaps, caCertificates: lab.caCertificates, dn: lab.peopleBase, dnPrefix: 'uid' },
      { title: 'Directory', ...opened },
    );
  });
  after(() => lab?.close());

  const openForm = async () => {
    const { server, app } = on();
    const asking = await ask(server, app);
    const link = /<a class="button quiet" href="([^"]+)">Continue with Directory<\/a>/.exec(
      asking.browser.page.text,
    )?.[1];
    await asking.browser.open((link as string).replaceAll('&amp;', '&'));
    return asking;
  };

  test('ends in a code and tokens', async () => {
    const { server, app } = on();
    const asking = await openForm();
    const { text } = asking.browser.page;
    assert.match(text, /<p class="way">Directory<\/p>/);
    assert.match(text, /<label for="identifier">User name<\/label>/);
    assert.match(text, /Continue with a password<\/a>/);
    await asking.browser.submit('/sign-in', { identifier: people.alice.uid, password: people.alice.password });
    const { id_token: idToken } = await tokensOf(server, app, asking);
    const { sub } = claimsOf(idToken);
    const [identity] = (await server.rows('identities')).filter(({ user_id }) => user_id === sub);
    assert.equal(identity.policy_id, policy);
    const [session] = (await server.rows('sessions')).filter(({ user_id }) => user_id === sub);
    assert.equal(session.auth_policy_id, policy);
  });

  test('a wrong password, an unknown name, none: one answer, and nothing kept', async () => {
    const { server } = on();
    const texts = new Set<string>();
    for (const [identifier, password] of [
      [people.alice.uid, 'wrong'],
      ['nobody', 'wrong'],
      [people.alice.uid, ''],
      ['*', people.alice.password],
    ] as const) {
      const { browser } = await openForm();
      const page = await browser.submit('/sign-in', { identifier, password });
      assertProblem(page, 400, /is not right/);
      assert.match(page.text, /<p class="way">Directory<\/p>/, 'it is the form of the directory again');
      assert.ok(!browser.cookies.has('sekisho-session'));
      texts.add(/<p class="alert"[^>]*>([^<]+)/.exec(page.text)?.[1] ?? '');
    }
    assert.equal(texts.size, 1);
    assert.ok(!JSON.stringify(await server.logEvents()).includes(people.alice.password));
  });

  test('a directory that hangs: a sentence, in time', async () => {
    const { browser } = await openForm();
    lab.stop();
    try {
      const began = Date.now();
      const page = await browser.submit('/sign-in', { identifier: people.bob.uid, password: people.bob.password });
      assertProblem(page, 503, /not available just now/);
      assert.ok(Date.now() - began < 8000);
    } finally {
      lab.resume();
    }
    await browser.submit('/sign-in', { identifier: people.bob.uid, password: people.bob.password });
    assert.ok(callbackOf(browser.page).code);
  });
});

eachServer('sign-in with OpenID Connect and OAuth 2', false, (on) => {
  let lab: OidcLab;
  const policies = { openid: '', form_post: '', oauth2: '' };
  before(async () => {
    const { server } = on();
    // Its configuration is needed before its clients are known.
    const port = await freePort();
    const { oidc, oauth2, clientSecret, close } = await startOidcLab([], { port });
    await close();
    const more = (title: string) => ({ title, ...opened });
    policies.openid = await makePolicy(server, 'openid', { ...oidc, clientSecret }, more('OpenID'));
    const byForm = { ...oidc, clientSecret, responseMode: 'form_post' };
    policies.form_post = await makePolicy(server, 'openid', byForm, more('Form post'));
    policies.oauth2 = await makePolicy(server, 'oauth2', { ...oauth2, clientSecret }, more('OAuth 2'));
    const uris = Object.values(policies).map((id) => callbackUri(server, id));
    lab = await startOidcLab(uris, { port });
  });
  after(() => lab?.close());

  for (const kind of ['openid', 'form_post', 'oauth2'] as const) {
    test(`${kind}: ends in a code and tokens`, async () => {
      const { server, app } = on();
      const asking = await ask(server, app);
      await signInAt(server, asking.browser, policies[kind], { login: 'alice', answer: 'approve' });
      const { sub } = claimsOf((await tokensOf(server, app, asking)).id_token);
      const [identity] = (await server.rows('identities')).filter(({ policy_id }) => policy_id === policies[kind]);
      assert.deepEqual([identity.user_id, identity.subject], [sub, kind === 'oauth2' ? '1001' : 'alice']);
    });

    // With a form it answers 400, which stops the driver.
    test(`${kind}: cancelled there, it comes back with a sentence`, { skip: kind === 'form_post' }, async () => {
      const { server, app } = on();
      const { browser } = await ask(server, app);
      assertProblem(await signInAt(server, browser, policies[kind], { answer: 'deny' }), 400, /was not finished/);
    });
  }

  test('in Chromium, by a button and by a form post', { skip: noBrowser }, async () => {
    const { server, app } = on();
    for (const kind of ['openid', 'form_post'] as const) {
      const browser = await openBrowser();
      try {
        const { page } = browser;
        const challenge = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
        await page.goto(`${server.origin}${authorizeUrl('oidc', app, challenge)}`);
        await page.locator(`button[value="${policies[kind]}"]`).click();
        await page.locator('input[name=login]').fill('carol');
        const arrives = page.waitForRequest((request) => request.url().startsWith(redirectUri));
        await page.getByRole('button', { name: 'Sign in' }).click();
        assert.ok(new URL((await arrives).url()).searchParams.get('code'));
        assert.deepEqual(
          browser.complaints.filter((text) => /Content.Security.Policy/i.test(text)),
          [],
        );
      } finally {
        await browser.close();
      }
    }
  });
});

eachServer('sign-in with OAuth 1', noOAuth1Lab, (on) => {
  let lab: OAuth1Lab;
  let policy: string;
  before(async () => {
    const { server } = on();
    const port = await freePort();
    const first = await startOAuth1Lab(redirectUri, port);
    await first.close();
    const { oauth1, consumerSecret } = first;
    policy = await makePolicy(server, 'oauth1', { ...oauth1, consumerSecret }, { title: 'OAuth 1', ...opened });
    lab = await startOAuth1Lab(callbackUri(server, policy), port);
  });
  after(() => lab?.close());

  test('ends in a code and tokens', async () => {
    const { server, app } = on();
    const asking = await ask(server, app);
    await signInAt(server, asking.browser, policy, { login: 'alice', answer: 'approve' });
    const { sub } = claimsOf((await tokensOf(server, app, asking)).id_token);
    const identity = (await server.rows('identities')).find(({ policy_id }) => policy_id === policy);
    assert.equal(identity?.user_id, sub);
    assert.equal((await native(server, 'GET', `/users/${sub}`)).id, sub);
  });
});
