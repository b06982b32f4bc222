import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';

const connection = 'Username-Password-Authentication';
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

eachEngine('/api/v2/users', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine });
    token = await server.managementToken();
  });
  after(() => server.close());

  const call = (method: string, path: string, json?: unknown): Promise<Answer> =>
    server.request(method, `/api/v2${path}`, json === undefined ? { token } : { token, json });
  let made = 0;
  const make = (fields: Record<string, unknown> = {}): Promise<Answer['body']> => {
    made += 1;
    return server.manage('POST', '/users', { connection, email: `user${made}@example.com`, ...fields });
  };
  const find = async (q: string): Promise<string[]> =>
    (await server.manage('GET', `/users?sort=email:1&q=${encodeURIComponent(q)}`)).map(
      (user: { email: string }) => user.email,
    );

  async function refuses(answer: () => Promise<Answer>, status: number, message: RegExp): Promise<Answer> {
    const state = await server.stateHash();
    const refusal = await answer();
    assert.equal(refusal.status, status, refusal.text);
    assert.match(refusal.body.message, message);
    assert.equal(refusal.body.statusCode, status);
    assert.equal(await server.stateHash(), state, 'a refusal changed something');
    return refusal;
  }

  test('a user is created, read bare and prefixed, changed and deleted, each change in the log', async () => {
    const created = await call('POST', '/users', {
      connection,
      email: ' Jane.Doe@Example.COM ',
      password: 'correct horse battery',
      name: 'Jane Doe',
      given_name: 'Jane',
      user_metadata: { language: 'ja' },
      app_metadata: { plan: 'gold' },
    });
    assert.equal(created.status, 201, created.text);
    const { user_id, created_at, updated_at, ...body } = created.body;
    assert.match(user_id, /^auth0\|[0-9a-f]{24}$/);
    assert.match(created_at, iso);
    assert.equal(created_at, updated_at);
    const id = user_id.slice('auth0|'.length);
    assert.deepEqual(body, {
      email: 'jane.doe@example.com',
      email_verified: false,
      name: 'Jane Doe',
      nickname: 'Jane.Doe',
      given_name: 'Jane',
      identities: [{ connection, user_id: id, provider: 'auth0', isSocial: false }],
      user_metadata: { language: 'ja' },
      app_metadata: { plan: 'gold' },
      blocked: false,
      logins_count: 0,
    });

    assert.deepEqual((await call('GET', `/users/${id}`)).body, created.body);
    assert.deepEqual((await call('GET', `/users/${encodeURIComponent(user_id)}`)).body, created.body);
    assert.deepEqual((await call('GET', `/users/${id}?fields=email,name`)).body, {
      email: 'jane.doe@example.com',
      name: 'Jane Doe',
    });

    const changed = await call('PATCH', `/users/${encodeURIComponent(user_id)}`, {
      blocked: true,
      given_name: null,
      user_metadata: { language: null, theme: 'dark' },
    });
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.body.blocked, true);
    assert.equal('given_name' in changed.body, false);
    assert.deepEqual(changed.body.user_metadata, { theme: 'dark' });
    assert.deepEqual(changed.body.app_metadata, { plan: 'gold' });
    assert.deepEqual((await call('PATCH', `/users/${id}`, { user_metadata: {} })).body.user_metadata, {});

    assert.equal((await call('DELETE', `/users/${encodeURIComponent(user_id)}`)).status, 204);
    assert.equal((await call('DELETE', `/users/${encodeURIComponent(user_id)}`)).status, 204);
    const gone = await call('GET', `/users/${id}`);
    assert.deepEqual(gone.body, {
      statusCode: 404,
      error: 'Not Found',
      message: 'The user does not exist.',
      errorCode: 'inexistent_user',
    });
    const kinds = (await server.logEvents()).filter((event) => event.user_id === id).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['user.created', 'user.updated', 'user.updated', 'user.deleted']);
  });

  test('a password is kept as argon2id and shown nowhere', async () => {
    const password = 'a very secret passphrase';
    const { user_id } = await make({ password });
    const id = user_id.slice(6);
    const hashOf = async () => (await server.rows('users')).find((row) => row.id === id).password_hash as string;
    const first = await hashOf();
    assert.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    const answers = [
      await call('GET', `/users/${id}`),
      await call('GET', `/users/${id}?fields=password,password_hash,email`),
      await call('PATCH', `/users/${id}`, { password: `${password} 2` }),
      await call('GET', '/users?per_page=100'),
      await call('GET', '/logs?per_page=100'),
    ];
    for (const { text } of answers) {
      assert.doesNotMatch(text, /password_hash|argon2|secret passphrase/);
    }
    assert.notEqual(await hashOf(), first);
    assert.doesNotMatch(JSON.stringify(await server.rows('log_events')), /argon2|secret passphrase/);
  });

  test('spellings of one identity are one identity, in creating, changing and looking up', async () => {
    const twins: [Record<string, string>, Record<string, string>][] = [
      [{ email: 'office@example.com' }, { email: 'oﬃce@example.com' }],
      [{ email: 'kelvin@example.com' }, { email: '\u212Aelvin@example.com' }],
      [{ email: 'istanbul@example.com' }, { email: 'İstanbul@example.com' }],
      [{ email: 'dotless-i@example.com' }, { email: 'dotless-ı@example.com' }],
      [{ email: 'wide@example.com' }, { email: 'ｗｉｄｅ＠ｅｘａｍｐｌｅ．ｃｏｍ' }],
      [{ email: 'straße@example.com' }, { email: 'STRASSE@example.com' }],
      [{ email: 'idn@bücher.example' }, { email: 'idn@xn--bcher-kva.example' }],
      [{ email: 'blank@example.com' }, { email: '\u3000blank@example.com ' }],
      [{ username: 'filip' }, { username: 'ﬁlip' }],
      [{ username: 'Kim' }, { username: '\u212Aim' }],
      [{ username: 'ΑΣ' }, { username: 'ας' }],
    ];
    for (const [one, other] of twins) {
      const { user_id } = await server.manage('POST', '/users', { connection, ...one });
      const refused = await refuses(() => call('POST', '/users', { connection, ...other }), 409, /already exists/);
      assert.equal(refused.body.errorCode, 'auth0_idp_error');
      const third = await make();
      await refuses(() => call('PATCH', `/users/${third.user_id}`, other), 409, /already exists/);
      // Whoever has the identity may write it otherwise.
      assert.equal((await call('PATCH', `/users/${user_id}`, other)).status, 200);
      if (other.email === undefined) continue;
      const found = await server.manage('GET', `/users-by-email?email=${encodeURIComponent(one.email as string)}`);
      assert.deepEqual(
        found.map((user: { user_id: string }) => user.user_id),
        [user_id],
      );
    }
  });

  test('what is no e-mail address, username or phone number is refused and named', async () => {
    const emails = [
      'a@b@c',
      'a＠b@c',
      'a',
      '@b',
      'a@',
      'a b@c',
      'a@b.',
      'a@b..c',
      'a\u200b@b',
      '"a"@b',
      'a@-b',
      '.a@b',
    ];
    for (const email of emails) {
      await refuses(() => call('POST', '/users', { connection, email }), 400, /on property email$/);
    }
    for (const username of ['a b', 'a@b', 'a＠b', 'a.', 'a\u200bb', 'a\u202eb', ' ']) {
      await refuses(() => call('POST', '/users', { connection, username }), 400, /on property username$/);
    }
    for (const phone_number of ['0901234', '+1', 'x']) {
      await refuses(() => call('POST', '/users', { connection, phone_number }), 400, /on property phone_number$/);
    }
  });

  test('a body that can not be meant is refused by name', async () => {
    const email = 'nobody@example.com';
    const cases: [Record<string, unknown>, RegExp][] = [
      [{ email }, /Missing required property: connection/],
      [{ connection: 'google-oauth2', email }, /The connection does not exist/],
      [{ connection }, /Missing required property: email/],
      [{ connection, email: 5 }, /Expected type string but found type number' on property email/],
      [{ connection, email, role: 'admin' }, /Additional properties not allowed: role/],
      [{ connection, email, password: 'short' }, /A password has 8 to 256 characters.' on property password/],
      [{ connection, email, password: '        ' }, /on property password/],
      [{ connection, email, password: 'x'.repeat(257) }, /on property password/],
      [{ connection, email, picture: 'javascript:alert(1)' }, /on property picture/],
      [{ connection, email, user_metadata: { big: 'x'.repeat(20_000) } }, /on property user_metadata/],
      [{ connection, email, user_id: 'a|b' }, /on property user_id/],
      [{ connection, email, verify_email: true }, /on property verify_email/],
    ];
    for (const [body, message] of cases) {
      const { body: refusal } = await refuses(() => call('POST', '/users', body), 400, message);
      assert.equal(refusal.errorCode, 'invalid_body');
    }
    const { user_id } = await make();
    await refuses(() => call('PATCH', `/users/${user_id}`, { password_hash: 'x' }), 400, /not allowed: password_hash/);
    await refuses(() => call('PATCH', '/users/auth0|missing', { name: 'x' }), 404, /The user does not exist/);
  });

  test('a chosen id is kept, and names one user or client only', async () => {
    const { user_id } = await make({ user_id: 'chosen.id-1' });
    assert.equal(user_id, 'auth0|chosen.id-1');
    await refuses(
      () => call('POST', '/users', { connection, email: 'c@example.com', user_id: 'chosen.id-1' }),
      409,
      /exists/,
    );
    await refuses(
      () => call('POST', '/users', { connection, email: 'c@example.com', user_id: 'admin' }),
      409,
      /exists/,
    );
  });

  test('a new e-mail address counts as unverified', async () => {
    const { user_id, email } = await make({ email_verified: true });
    const upper = await call('PATCH', `/users/${user_id}`, { email: email.toUpperCase() });
    assert.equal(upper.body.email_verified, true);
    const moved = await call('PATCH', `/users/${user_id}`, { email: 'moved@example.com' });
    assert.equal(moved.body.email_verified, false);
    const told = await call('PATCH', `/users/${user_id}`, { email: 'again@example.com', email_verified: true });
    assert.equal(told.body.email_verified, true);
  });

  test('two changes of metadata at once lose nothing', async () => {
    const { user_id } = await make();
    const keys = Array.from({ length: 4 }, (_, index) => `k${index}`);
    const answers = await Promise.all(
      keys.map((key) => call('PATCH', `/users/${user_id}`, { app_metadata: { [key]: 1 } })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      keys.map(() => 200),
    );
    assert.deepEqual(Object.keys((await call('GET', `/users/${user_id}`)).body.app_metadata).sort(), keys);
  });

  test('one of two creations of an identity at once succeeds', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => call('POST', '/users', { connection, email: 'race@example.com' })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
  });

  test('a search finds by field, prefix, metadata, flag and range, joined by and, or, not', async () => {
    const email = (name: string) => `${name}@search.example`;
    await make({
      email: email('joan'),
      name: 'Joan Ö. Miró',
      app_metadata: { tier: 'gold', seats: 12, tags: ['a', 'b'] },
    });
    await make({ email: email('joe'), name: 'joe 100%', user_metadata: { 'first name': 'J', deep: { er: 'X_y' } } });
    await make({
      email: email('zed'),
      name: 'Zed',
      blocked: true,
      email_verified: true,
      app_metadata: { tier: 'goldfish' },
    });
    const [joan, joe, zed] = [email('joan'), email('joe'), email('zed')];
    const cases: [string, string[]][] = [
      [`email:"${email('JOAN')}"`, [joan]],
      ['name:jo*', [joan, joe]],
      ['name:"JOAN ö. MIRÓ"', [joan]],
      ['name:"joe 100%"', [joe]],
      ['name:joe\\ 1*', [joe]],
      ['name:%', []],
      ['name:j_e*', []],
      ['app_metadata.tier:"gold"', [joan]],
      ['app_metadata.tier:gold*', [joan, zed]],
      ['app_metadata.tier:GOLD', []],
      ['app_metadata.seats:12', [joan]],
      ['app_metadata.tags:b', [joan]],
      ['user_metadata.deep.er:X_y', [joe]],
      ['user_metadata.deep.er:Xzy', []],
      ['user_metadata.first\\ name:J', [joe]],
      ['app_metadata.tier:*', [joan, zed]],
      ['_exists_:app_metadata.tier', [joan, zed]],
      ['blocked:true AND name:z*', [zed]],
      ['email_verified:true AND name:(joan* OR zed)', [zed]],
      ['name:jo* AND NOT app_metadata.tier:gold', [joe]],
      ['name:jo* -app_metadata.tier:gold', [joe]],
      ['(name:joe* OR name:zed) AND -blocked:true', [joe]],
      ['name:zed OR name:joe* AND blocked:true', [zed]],
      ['name:jo* AND created_at:[2020-01-01 TO *]', [joan, joe]],
      ['name:jo* AND created_at:<2020-01-01', []],
      ['name:jo* AND logins_count:[1 TO 5]', []],
      ['name:jo* AND logins_count:<1', [joan, joe]],
      ['logins_count:>999999999999998', []],
      ['name:jo* AND last_login:*', []],
      ['identities.connection:"Username-Password-Authentication" AND name:zed', [zed]],
    ];
    for (const [q, expected] of cases) {
      const found = (await find(q)).filter((one) => one.endsWith('@search.example'));
      assert.deepEqual(found, expected, q);
    }
    const { user_id } = (await server.manage('GET', `/users-by-email?email=${joan}`))[0];
    assert.deepEqual(await find(`user_id:"${user_id}"`), [joan]);
    assert.deepEqual(await find(`user_id:"${user_id.slice(6)}"`), [joan]);

    await server.manage('PATCH', `/users/${user_id}`, { name: 'Renamed', app_metadata: { tier: 'silver' } });
    assert.deepEqual(await find('name:joan* OR app_metadata.tier:gold'), []);
    assert.deepEqual(await find('name:renamed AND app_metadata.tier:silver AND app_metadata.seats:12'), [joan]);
    await server.manage('DELETE', `/users/${user_id}`);
    assert.deepEqual(await find('name:renamed'), []);
  });

  test('long values are told apart to their last character', async () => {
    const long = 'x'.repeat(500);
    const { email } = await make({ app_metadata: { long: `${long}1` } });
    assert.deepEqual(await find(`app_metadata.long:${long}1`), [email]);
    assert.deepEqual(await find(`app_metadata.long:${long}2`), []);
    assert.deepEqual(await find(`app_metadata.long:${'x'.repeat(150)}*`), [email]);
  });

  test('metadata of a thousand values are found, and found no more when they are cleared', async () => {
    const app_metadata = Object.fromEntries(Array.from({ length: 1200 }, (_, index) => [`k${index}`, index]));
    const { user_id, email } = await make({ app_metadata });
    assert.deepEqual(await find('app_metadata.k1199:1199'), [email]);
    await server.manage('PATCH', `/users/${user_id}`, { app_metadata: {} });
    assert.deepEqual(await find('app_metadata.k1199:1199 OR app_metadata.k0:0'), []);
  });

  test('a search that is not understood, or asks for a secret, is refused naming q', async () => {
    const refused = [
      'password:x',
      'password_hash:$argon2*',
      'tenant_id:default',
      'app_metadata:x',
      'jane',
      'name:',
      'name:a*b',
      'name:*a',
      'name:a?',
      'name:a~2',
      'name:/a.*/',
      'name:a name:b',
      '(name:a',
      'name:a)',
      'name:"a',
      'name:a AND',
      'name:[a TO b]',
      'blocked:maybe',
      'created_at:yesterday',
      'created_at:[2020-13-01 TO *]',
      'created_at:[2024-02-31 TO *]',
      'logins_count:many',
      'name:a\\',
      `${'('.repeat(30)}name:a${')'.repeat(30)}`,
      Array.from({ length: 60 }, () => 'name:a').join(' OR '),
      `name:${'x'.repeat(201)}*`,
    ];
    for (const q of refused) {
      const answer = await call('GET', `/users?q=${encodeURIComponent(q)}`);
      assert.equal(answer.status, 400, `${q}: ${answer.text}`);
      assert.equal(answer.body.errorCode, 'invalid_query_string');
      assert.match(answer.body.message, /^Query validation error: .*on property q$/s);
    }
    for (const sort of ['password_hash:1', 'email', 'email:2', 'constructor:1', '']) {
      const answer = await call('GET', `/users?sort=${sort}`);
      assert.equal(answer.status, 400, sort);
      assert.match(answer.body.message, /on property sort/);
    }
    for (const query of ['search_engine=v1', 'page=-1', 'per_page=101', 'include_totals=yes', 'nothing=1']) {
      assert.equal((await call('GET', `/users?${query}`)).body.errorCode, 'invalid_query_string', query);
    }
    assert.match((await call('GET', '/users-by-email?email=a@b@c')).body.message, /on property email/);
    assert.match((await call('GET', '/users-by-email')).body.message, /Missing required property: email/);
    assert.deepEqual((await call('GET', '/users-by-email?email=not-there@example.com')).body, []);
  });

  test('a list is a bare array, or an object with totals, in the order that was asked for', async () => {
    const all = await server.manage('GET', '/users?per_page=100');
    assert.ok(Array.isArray(all));
    const page = await server.manage('GET', '/users?page=1&per_page=2&include_totals=true');
    assert.deepEqual(Object.keys(page), ['start', 'limit', 'length', 'total', 'users']);
    assert.deepEqual([page.start, page.limit, page.length, page.total], [2, 2, 2, all.length]);
    assert.deepEqual(page.users, all.slice(2, 4));
    const past = await server.manage('GET', '/users?page=900&per_page=100&include_totals=true');
    assert.deepEqual([past.start, past.length, past.total, past.users], [90_000, 0, all.length, []]);
    const other = await server.manage('GET', '/users?connection=google-oauth2&include_totals=true');
    assert.deepEqual([other.total, other.users], [0, []]);
    const only = await server.manage('GET', '/users?fields=email&per_page=1');
    assert.deepEqual(Object.keys(only[0]), ['email']);

    const names = async (sort: string) =>
      (await server.manage('GET', `/users?per_page=100&sort=${sort}`)).map((user: { name: string }) => user.name);
    const up = await names('name:1');
    assert.deepEqual(
      up,
      [...up].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    assert.deepEqual(await names('name:-1'), [...up].reverse());
  });

  test('only the first thousand results can be paged through', async () => {
    const rows = Array.from({ length: 1001 }, (_, index) => ({
      tenant_id: 'default',
      id: `bulk${index}`,
      email_verified: 0 as const,
      phone_verified: 0 as const,
      status: 'active' as const,
      logins_count: 0,
      created_at: index,
      updated_at: index,
    }));
    const { db } = server.composed.services;
    await db.transact(async (trx) => {
      await trx
        .insertInto('users')
        .values(rows as never)
        .execute();
    });
    assert.equal((await call('GET', '/users?page=9&per_page=100')).body.length, 100);
    const refused = await call('GET', '/users?page=10&per_page=100');
    assert.equal(refused.status, 400);
    assert.match(refused.body.message, /first 1000 records/);
    await db.transact(async (trx) => {
      await trx.deleteFrom('users').where('id', 'like', 'bulk%').execute();
    });
  });

  test('each route asks for its scope', async () => {
    const { user_id } = await make();
    const none = (await callerWith(server, ['read:stats'])).token;
    const calls: [string, string, unknown, string][] = [
      ['GET', '/users', undefined, 'read:users'],
      ['GET', '/users-by-email?email=a@b.c', undefined, 'read:users'],
      ['GET', `/users/${user_id}`, undefined, 'read:users'],
      ['POST', '/users', { connection, email: 'scope@example.com' }, 'create:users'],
      ['PATCH', `/users/${user_id}`, { name: 'x' }, 'update:users, update:users_app_metadata'],
      ['DELETE', `/users/${user_id}`, undefined, 'delete:users'],
    ];
    for (const [method, path, json, expected] of calls) {
      const options = json === undefined ? {} : { json };
      const { body } = await refuses(
        () => server.request(method, `/api/v2${path}`, { token: none, ...options }),
        403,
        /./,
      );
      assert.deepEqual(body, {
        statusCode: 403,
        error: 'Forbidden',
        message: `Insufficient scope, expected any of: ${expected}`,
        errorCode: 'insufficient_scope',
      });
      await refuses(() => server.request(method, `/api/v2${path}`, options), 401, /^Missing authentication$/);
      await refuses(
        () => server.request(method, `/api/v2${path}`, { token: 'x.y.z', ...options }),
        401,
        /^Invalid token$/,
      );
    }
    const metadata = (await callerWith(server, ['update:users_app_metadata'])).token;
    const patch = (json: unknown) => server.request('PATCH', `/api/v2/users/${user_id}`, { token: metadata, json });
    assert.equal((await patch({ app_metadata: { a: 1 } })).status, 200);
    await refuses(() => patch({ app_metadata: { a: 2 }, blocked: true }), 403, /expected any of: update:users$/);
  });

  test('the log of a user tells what happened to it', async () => {
    const { user_id } = await make();
    await server.manage('PATCH', `/users/${user_id}`, { name: 'Logged' });
    const logs = await server.manage('GET', `/users/${encodeURIComponent(user_id)}/logs?include_totals=true`);
    assert.equal(logs.total, 2);
    assert.deepEqual(
      logs.logs.map((event: Record<string, unknown>) => [event.type, event.user_id, event.description]),
      [
        ['sapi', user_id, 'user updated'],
        ['sapi', user_id, 'user created'],
      ],
    );
    const oldest = await server.manage('GET', `/users/${user_id}/logs?sort=date:1&per_page=1`);
    assert.equal(oldest[0].description, 'user created');
    assert.deepEqual(await server.manage('GET', '/users/nobody/logs'), []);
  });
});
