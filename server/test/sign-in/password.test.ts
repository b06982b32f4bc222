import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { assertPassword, hashPassword, passwordMatches } from '../../src/domain/users/passwords.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { countOfEvents, loggedSince, nobody, refusalOf, signIn } from './people.ts';
import { makeUser, native, password } from './support.ts';

describe('what a password may be', () => {
  const refused = (text: string, rule: string, identities: string[] = []) =>
    assert.throws(
      () => assertPassword(text, 'password', identities),
      (error: { code: string; path: string; data: { rule: string } }) => {
        assert.deepEqual([error.code, error.path, error.data.rule], ['input.invalid', 'password', rule]);
        return true;
      },
    );

  test('8 to 256 characters, whatever their size, and none cut off', async () => {
    for (const text of ['', 'seven77', '        ', '👩'.repeat(7), 'x'.repeat(257), 'x'.repeat(1_000_000)]) {
      refused(text, 'password_length');
    }
    for (const text of [
      'kq7!zm-2',
      '👩👨👧👦🎏🏯⛩️🗾',
      'ä'.repeat(256),
      '関所で手形を見せる人',
      `${'👩'.repeat(255)}x`,
    ]) {
      assertPassword(text);
    }
    const long = 'y'.repeat(255);
    const hash = await hashPassword(systemRandom, `${long}a`);
    assert.equal(await passwordMatches(`${long}a`, hash), true);
    assert.equal(await passwordMatches(`${long}b`, hash), false);
    assert.equal(await passwordMatches(long, hash), false);
  });

  test('none of the commonest, in any spelling of their letters', () => {
    for (const text of [
      'password',
      'PassWord',
      'P@ssw0rd',
      '12345678',
      'qwertyuiop',
      'iloveyou',
      'Summer2025!',
      'ｐassword',
    ]) {
      refused(text, 'password_common');
    }
  });

  test('not the name one signs in with', () => {
    refused('Hanako.Sekino@example.com', 'password_identity', ['hanako.sekino@example.com']);
    refused('hanakosekino', 'password_identity', ['x@example.com', 'HanakoSekino']);
    assertPassword('hanakosekino', 'password', ['other']);
  });
});

eachEngine('passwords', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
  });
  after(() => server.close());

  test('every door that sets one refuses a weak one, and nothing changes', async () => {
    const token = await server.managementToken(server.nativeAudience);
    const theirs = await server.managementToken();
    const { id } = await makeUser(server, { username: 'weakling' });
    const before = await server.stateHash();
    const doors: [method: string, path: string, body: object, token: string][] = [
      ['POST', '/api/users', { primaryEmail: 'new@example.com', password: 'password123' }, token],
      ['POST', '/api/users', { username: 'longenough', password: 'LongEnough' }, token],
      ['PATCH', `/api/users/${id}/password`, { password: 'password123' }, token],
      ['PATCH', `/api/users/${id}/password`, { password: 'Weakling' }, token],
      [
        'POST',
        '/api/v2/users',
        { email: 'new@example.com', password: 'password123', connection: 'Username-Password-Authentication' },
        theirs,
      ],
      ['PATCH', `/api/v2/users/auth0%7C${id}`, { password: 'password123' }, theirs],
      ['PATCH', `/api/v2/users/auth0%7C${id}`, { password: 'Weakling' }, theirs],
    ];
    for (const [method, path, json, token] of doors) {
      const answer = await server.request(method, path, { json, token });
      assert.equal(answer.status, 400, `${method} ${path} ${JSON.stringify(json)}: ${answer.text}`);
      assert.match(answer.text, /password/);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('a sign-in by e-mail, username or phone, in any spelling, counts and leaves a session and an event', async () => {
    const name = `taro${Date.now()}`;
    const digits = `8190${Date.now()}`.slice(0, 14);
    const user = await makeUser(server, {
      primaryEmail: `${name}@example.com`,
      username: name,
      primaryPhone: digits,
    });
    const before = await countOfEvents(server);
    const spelled = [`${name}@example.com`, `  ${name.toUpperCase()}@EXAMPLE.com `, name.toUpperCase(), `+${digits}`];
    const secrets = new Set<string>();
    for (const identifier of spelled) {
      const signedIn = await signIn(server, { identifier, password }, '192.0.2.7');
      assert.equal(signedIn.userId, user.id, identifier);
      assert.match(signedIn.sessionSecret, /^[A-Za-z0-9_-]{43}$/);
      secrets.add(signedIn.sessionSecret);
    }
    assert.equal(secrets.size, spelled.length, 'a new secret at each sign-in');
    const [row] = (await server.rows('users')).filter(({ id }) => id === user.id);
    assert.deepEqual([row.logins_count, row.last_ip], [spelled.length, '192.0.2.7']);
    assert.ok(Math.abs(row.last_login_at - Date.now()) < 60_000);
    const sessions = (await server.rows('sessions')).filter(({ user_id }) => user_id === user.id);
    assert.equal(sessions.length, spelled.length);
    const dayMs = 86_400_000;
    for (const session of sessions) {
      assert.equal(session.expires_at - session.authenticated_at, 14 * dayMs);
      assert.deepEqual([session.amr, session.ip, session.user_agent], ['["pwd"]', '192.0.2.7', 'test']);
      assert.ok(!secrets.has(session.secret_hash) && !secrets.has(session.id), 'the secret is not kept');
    }
    const events = (await server.logEvents()).slice(before);
    assert.deepEqual(
      events.map(({ kind, user_id, ip }) => [kind, user_id, ip]),
      spelled.map(() => ['user.signed_in', user.id, '192.0.2.7']),
    );
  });

  test('who can not sign in is told one thing, and the log why', async () => {
    const { id, email } = await makeUser(server);
    const plain = `plain-${id}@example.com`;
    await native(server, 'POST', '/users', { primaryEmail: plain });
    const state = await server.stateHash();
    const before = await countOfEvents(server);
    const wrong = 'wrong horse battery';
    for (const [identifier, text] of [
      [nobody(), password],
      [plain, password],
      [email, wrong],
      [email, `${password} `],
      [email, ''],
      [email, 'x'.repeat(513)],
      ['', password],
      ['a\0b', password],
      ['\ud800', password],
      ['x'.repeat(100_000), password],
    ] as const) {
      await refusalOf(signIn(server, { identifier, password: text }), 'sign_in_failed');
    }
    assert.equal(await server.stateHash(), state);
    assert.deepEqual(await server.rows('sessions').then((rows) => rows.filter(({ user_id }) => user_id === id)), []);
    const reasons = (await loggedSince(server, before)).map(([kind, reason]) => {
      assert.equal(kind, 'user.sign_in_failed');
      return reason;
    });
    const unreadable = 'input_unreadable';
    assert.deepEqual(reasons, [
      'user_unknown',
      'password_none',
      'password_wrong',
      'password_wrong',
      'password_wrong',
      ...Array.from({ length: 5 }, () => unreadable),
    ]);
    const log = JSON.stringify((await server.logEvents()).slice(before));
    assert.ok(!log.includes('horse') && !log.includes('nobody-'), 'neither a password nor what was typed');
  });

  test('only the right password tells that an account is blocked or waits; neither gets a session', async () => {
    for (const [status, reason] of [
      ['blocked', 'user_blocked'],
      ['awaiting_approval', 'user_awaiting_approval'],
    ] as const) {
      const { id, email } = await makeUser(server, { status });
      const before = await countOfEvents(server);
      await refusalOf(signIn(server, { identifier: email, password: 'wrong horse battery' }), 'sign_in_failed');
      await refusalOf(signIn(server, { identifier: email, password }), 'user_inactive');
      assert.deepEqual(
        (await loggedSince(server, before)).map(([, logged]) => logged),
        ['password_wrong', reason],
      );
      assert.deepEqual(
        (await server.rows('sessions')).filter(({ user_id }) => user_id === id),
        [],
      );
      assert.equal((await server.rows('users')).find((row) => row.id === id).logins_count, 0);
    }
  });

  test('a hash of another cost is made anew after a sign-in, and not by a failure', async () => {
    const cost = { memory: 256, passes: 1, parallelism: 1, tagLength: 32 };
    const nonce = Buffer.from('saltsaltsaltsalt');
    const [salt, hash] = [nonce, argon2Sync('argon2id', { message: password, nonce, ...cost })].map((bytes) =>
      bytes.toString('base64').replace(/=+$/, ''),
    );
    const digest = `$argon2id$v=19$m=256,t=1,p=1$${salt}$${hash}`;
    const email = nobody();
    const { id } = await native(server, 'POST', '/users', {
      primaryEmail: email,
      passwordDigest: digest,
      passwordAlgorithm: 'Argon2id',
    });
    const hashOf = async () => (await server.rows('users')).find((row) => row.id === id).password_hash as string;
    await refusalOf(signIn(server, { identifier: email, password: 'wrong horse battery' }), 'sign_in_failed');
    assert.equal(await hashOf(), digest);
    await signIn(server, { identifier: email, password });
    const upgraded = await hashOf();
    assert.match(upgraded, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await signIn(server, { identifier: email, password });
    assert.equal(await hashOf(), upgraded);
  });

  test('passwords under way do not hold up tokens, and too many at once are asked to wait', async () => {
    const people = await Promise.all(Array.from({ length: 20 }, () => makeUser(server)));
    const { audience, clientId, clientSecret } = await server.machine();
    const tries = Array.from({ length: 140 }, (_, number) =>
      signIn(server, { identifier: people[number % 20]?.email ?? '', password }, `198.51.100.${number % 250}`).then(
        () => 'signed in',
        (error) => error.reason,
      ),
    );
    const begun = performance.now();
    const answer = await server.token({ client_id: clientId, client_secret: clientSecret, audience });
    const tookMs = performance.now() - begun;
    assert.equal(answer.status, 200);
    const outcomes = Object.groupBy(await Promise.all(tries), (outcome) => outcome);
    const allMs = performance.now() - begun;
    assert.ok((outcomes['signed in']?.length ?? 0) >= 100);
    assert.ok((outcomes.rate_limited?.length ?? 0) > 0);
    assert.equal(Object.keys(outcomes).length, 2);
    assert.ok(tookMs < allMs / 2, `the token took ${tookMs} of ${allMs} ms`);
  });
});
