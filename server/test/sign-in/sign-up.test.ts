import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signUp } from '../../src/protocol/sign-in/sign-up.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import {
  anywhere,
  contextAt,
  countOfEvents,
  loggedSince,
  nobody,
  refusalOf,
  sessionSecretOf,
  signIn,
} from './people.ts';
import { authorizeUrl, Browser, callbackOf, makeApp, makeUser, native, pkce } from './support.ts';

const chosen = 'kq7!zm-2-longer';

eachEngine('sign-up', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine, env: { SEKISHO_RATE_LIMIT_SIGN_UPS_PER_ADDRESS: '0' } });
  });
  after(() => server.close());

  const ask = (identifier: string, password = chosen, more = {}) =>
    signUp(contextAt(server), { target: anywhere, identifier, password, ...more });
  const usersOf = async (email: string) => (await server.rows('users')).filter((row) => row.email === email);
  const challenge = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });

  test('is off unless the tenant says so: no link, no page, no account', async () => {
    const app = await makeApp(server);
    const before = await server.stateHash();
    await refusalOf(ask(nobody()), 'sign_up_off');
    const browser = new Browser(server);
    const { text, url } = await browser.open(authorizeUrl('root', app, challenge()));
    assert.ok(!text.includes('/sign-up'));
    assert.equal((await browser.open(`${new URL(url).pathname.replace(/\/sign-in$/, '')}/sign-up`)).status, 404);
    assert.equal(await server.stateHash(), before);
  });

  test('makes an account and signs in, through the pages', async () => {
    await native(server, 'PATCH', '/sign-in-exp', { signInMode: 'SignInAndRegister' });
    const app = await makeApp(server);
    const browser = new Browser(server);
    const before = await countOfEvents(server);
    const { url, text } = await browser.open(authorizeUrl('root', app, challenge()));
    assert.ok(text.includes('/sign-up'));
    await browser.open(`${new URL(url).pathname.replace(/\/sign-in$/, '')}/sign-up`);
    const email = nobody();
    await browser.submit('/sign-up', { identifier: email, password: chosen, name: 'Taro' });
    assert.ok(callbackOf(browser.page).code, browser.page.text);
    const [row] = await usersOf(email);
    assert.deepEqual([row.email_verified, row.status, row.name, row.logins_count], [0, 'active', 'Taro', 1]);
    const [session] = (await server.rows('sessions')).filter(({ user_id }) => user_id === row.id);
    assert.ok(session !== undefined && sessionSecretOf(browser) !== '');
    const kinds = (await loggedSince(server, before)).map(([kind]) => kind);
    assert.deepEqual(kinds.slice(0, 3), ['user.created', 'user.signed_up', 'user.signed_in']);
    assert.equal((await signIn(server, { identifier: email, password: chosen })).userId, row.id);
    assert.ok(!JSON.stringify(await server.logEvents()).includes(chosen));
  });

  test('an address or name that is taken can not be used, in any spelling; nothing changes', async () => {
    const { email } = await makeUser(server, { username: 'taken-name' });
    const before = await server.stateHash();
    const events = await countOfEvents(server);
    for (const identifier of [email, email.toUpperCase(), 'taken-name', 'TAKEN-NAME']) {
      await refusalOf(ask(identifier), 'sign_up_refused');
    }
    assert.equal(await server.stateHash(), before);
    const logged = await loggedSince(server, events);
    assert.deepEqual(
      logged,
      Array.from({ length: 4 }, () => ['user.sign_up_refused', 'sign_up_refused']),
    );
  });

  test('of 20 for one address at once one gets it', async () => {
    const email = nobody();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        ask(email).then(
          () => 'made',
          (error) => error.reason,
        ),
      ),
    );
    assert.equal(outcomes.filter((outcome) => outcome === 'made').length, 1);
    assert.ok(outcomes.every((outcome) => outcome === 'made' || outcome === 'sign_up_refused'));
    assert.equal((await usersOf(email)).length, 1);
  });

  test('an address makes nobody a member: it is not verified', async () => {
    const organization = await native(server, 'POST', '/organizations', { name: 'Acme' });
    await native(server, 'POST', `/organizations/${organization.id}/jit/email-domains`, {
      emailDomain: 'acme.example',
    });
    const { userId } = await ask('mole@acme.example');
    assert.deepEqual(
      (await server.rows('memberships')).filter(({ subject_id }) => subject_id === userId),
      [],
    );
  });

  test('what can not be an account is refused by its field, before anything is asked of the database', async () => {
    const before = await server.stateHash();
    for (const [identifier, password, path, more] of [
      ['a@b@c', chosen, 'identifier'],
      ['', chosen, 'identifier'],
      ['+49 170 1234567', chosen, 'identifier'],
      ['491701234567', chosen, 'identifier'],
      ['x\u200by', chosen, 'identifier'],
      ['someone', 'short', 'password'],
      ['someone', 'password123', 'password'],
      ['kq7zm2longer', 'KQ7zm2longer', 'password'],
      ['someone', chosen, 'name', { name: 'x'.repeat(301) }],
    ] as const) {
      await assert.rejects(ask(identifier, password, more), { code: 'input.invalid', path }, identifier);
    }
    assert.equal(await server.stateHash(), before);
  });
});
