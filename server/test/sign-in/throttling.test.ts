import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { networkOf } from '../../src/protocol/sign-in/limits.ts';
import { signUp } from '../../src/protocol/sign-in/sign-up.ts';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { anywhere, contextAt, countOfEvents, loggedSince, nobody, refusalOf, signIn } from './people.ts';
import { authorizeUrl, Browser, makeApp, makeUser, native, password, pkce } from './support.ts';

const wrong = 'wrong horse battery';
const windowMs = 15 * 60_000;

test('whoever has one address of IPv6 has its network', () => {
  const network = '2001:db8:1:2::/64';
  for (const address of ['2001:db8:1:2::1', '2001:DB8:1:2:ffff::', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::1%eth0']) {
    assert.equal(networkOf(address), network, address);
  }
  assert.equal(networkOf('::1'), '0:0:0:0::/64');
  assert.equal(networkOf('fe80::1'), 'fe80:0:0:0::/64');
  assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
});

eachEngine('throttling of sign-in', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock });
    // Not at the end of a window, where counts begin to fade.
    clock.advance(windowMs - (clock.now() % windowMs));
  });
  after(() => server.close());

  const fail = (identifier: string, ip: string) => signIn(server, { identifier, password: wrong }, ip);
  /** How each of many tries ended, some at once. */
  const outcomes = async (
    count: number,
    tryOne: (number: number) => Promise<unknown>,
  ): Promise<Map<string, number>> => {
    const found = new Map<string, number>();
    let next = 0;
    const worker = async () => {
      for (let number = next++; number < count; number = next++) {
        const outcome = await tryOne(number).then(
          () => 'signed_in',
          (error) => String(error.reason),
        );
        found.set(outcome, (found.get(outcome) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    return found;
  };

  test('1000 wrong passwords for one account from one address: ten are looked at', async () => {
    const { email } = await makeUser(server);
    const before = await countOfEvents(server);
    const found = await outcomes(1000, () => fail(email, '192.0.2.1'));
    assert.deepEqual(Object.fromEntries(found), { sign_in_failed: 10, rate_limited: 990 });
    const refusal = await refusalOf(signIn(server, { identifier: email, password }, '192.0.2.1'), 'rate_limited');
    const { limit, retryAfterSeconds = 0 } = refusal.data;
    assert.equal(limit, 10);
    assert.ok(retryAfterSeconds > 0 && retryAfterSeconds <= 2 * 900, `wait ${retryAfterSeconds} s`);
    await server.composed.services.limits.flush();
    const logged = await loggedSince(server, before);
    const kinds = Object.groupBy(logged, ([kind]) => kind);
    assert.equal(kinds['user.sign_in_failed']?.length, 10);
    assert.equal(kinds['user.sign_in_limited']?.length, 1);
    const [counted] = (await server.logEvents()).slice(before).filter(({ kind }) => kind === 'rate.limited');
    assert.equal(counted.occurrences, 991, 'the rest is one row that counts them');
    assert.equal(
      (await signIn(server, { identifier: email, password }, '192.0.2.2')).userId.length,
      24,
      'from elsewhere',
    );
  });

  test('from a thousand addresses: fifty are looked at, an unknown account just the same', async () => {
    const { email } = await makeUser(server);
    for (const identifier of [email, nobody()]) {
      const ip = (number: number) => `203.0.${Math.floor(number / 250)}.${number % 250}`;
      const found = await outcomes(1000, (number) => fail(identifier, ip(number)));
      assert.deepEqual(Object.fromEntries(found), { sign_in_failed: 50, rate_limited: 950 });
    }
    await refusalOf(signIn(server, { identifier: email, password }, '192.0.2.99'), 'rate_limited');
    clock.advance(2 * windowMs);
    await signIn(server, { identifier: email, password }, '192.0.2.99');
  });

  test('one password for a thousand accounts from one network: a hundred are looked at', async () => {
    const { email } = await makeUser(server);
    const before = await countOfEvents(server);
    const found = await outcomes(1000, (number) => fail(nobody(), `2001:db8::${(number + 1).toString(16)}`));
    assert.deepEqual(Object.fromEntries(found), { sign_in_failed: 100, rate_limited: 900 });
    await refusalOf(signIn(server, { identifier: email, password }, '2001:db8::abcd'), 'rate_limited');
    await signIn(server, { identifier: email, password }, '2001:db8:0:1::1');
    const limited = (await server.logEvents()).slice(before).filter(({ kind }) => kind === 'user.sign_in_limited');
    assert.deepEqual(
      limited.map(({ details, ip }) => [JSON.parse(details).by, ip.startsWith('2001:db8::')]),
      [['address', true]],
    );
  });

  test('no spelling of a name is a second count', async () => {
    const { email } = await makeUser(server, { primaryEmail: `fi-${Date.now()}@example.com` });
    const spelled = [email, email.toUpperCase(), ` ${email}`, email.replace('fi', 'ﬁ'), email.replace('@', '＠')];
    const found = await outcomes(50, (number) => fail(spelled[number % spelled.length] ?? '', '192.0.2.30'));
    assert.deepEqual(Object.fromEntries(found), { sign_in_failed: 10, rate_limited: 40 });
  });

  test('who signed in before is kept out by nobody, and has ten tries of its own', async () => {
    const user = await makeUser(server);
    const other = await makeUser(server);
    const identifier = user.email;
    const own = await signIn(server, { identifier, password }, '192.0.2.40');
    const notOurs = await signIn(server, { identifier: other.email, password }, '192.0.2.40');
    for (const ip of ['192.0.2.40', ...Array.from({ length: 60 }, (_, number) => `198.51.100.${number}`)]) {
      for (let count = 0; count < 11; count += 1) await fail(identifier, ip).catch(() => {});
    }
    await refusalOf(signIn(server, { identifier, password }, '192.0.2.40'), 'rate_limited');
    const tampered = own.knownDevice.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    for (const knownDevice of [
      notOurs.knownDevice,
      tampered,
      'x',
      '~~~',
      `${own.knownDevice}x`,
      own.knownDevice.slice(1),
    ]) {
      await refusalOf(signIn(server, { identifier, password, knownDevice }, '192.0.2.40'), 'rate_limited');
    }
    const { knownDevice } = own;
    const again = await signIn(server, { identifier, password, knownDevice }, '192.0.2.40');
    assert.equal(again.userId, user.id);
    // A browser that two people use knows both.
    const both = await signIn(server, { identifier: other.email, password, knownDevice }, '192.0.2.41');
    assert.equal(both.knownDevice.split('~').length, 2);
    await signIn(server, { identifier, password, knownDevice: both.knownDevice }, '192.0.2.40');
    const found = await outcomes(30, () => signIn(server, { identifier, password: wrong, knownDevice }, '192.0.2.40'));
    assert.deepEqual(Object.fromEntries(found), { sign_in_failed: 10, rate_limited: 20 });
    // After a new password nothing that knew the old one is known.
    clock.advance(2 * windowMs);
    const changed = 'a whole new horse';
    await native(server, 'PATCH', `/users/${user.id}/password`, { password: changed });
    await outcomes(50, (number) => fail(identifier, `198.51.100.${number}`));
    const input = { identifier, password: changed, knownDevice: again.knownDevice };
    await refusalOf(signIn(server, input, '192.0.2.40'), 'rate_limited');
  });

  test('sign-ups are counted whatever comes of them', async () => {
    await native(server, 'PATCH', '/sign-in-exp', { signInMode: 'SignInAndRegister' });
    const taken = (await makeUser(server)).email;
    const found = await outcomes(40, (number) =>
      signUp(contextAt(server, '192.0.2.50'), {
        target: anywhere,
        identifier: number % 2 === 0 ? taken : nobody(),
        password: 'kq7!zm-2-longer',
      }),
    );
    assert.equal(found.get('rate_limited'), 20);
    assert.ok((found.get('sign_up_refused') ?? 0) > 0);
  });

  test('the page says how long to wait', async () => {
    const { email } = await makeUser(server);
    const app = await makeApp(server);
    const browser = new Browser(server);
    const challenge = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
    await browser.open(authorizeUrl('root', app, challenge));
    let statuses = '';
    for (let count = 0; count < 11; count += 1) {
      const page = await browser.signIn({ email, password: wrong });
      statuses += page.status === 429 ? 'x' : '.';
      if (page.status === 429) assert.match(page.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    }
    assert.equal(statuses, '..........x');
  });
});
