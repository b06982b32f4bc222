/** The eight calls that manage auth policies: golden bodies, every message, and who may call. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';
import { makeApp, makeUser, native } from '../sign-in/support.ts';
import { makeKey, makePolicy, manage, managed, policyPath } from './support.ts';

const ours = { policyType: 'FEEDHENRY', configurations: { provider: 'FEEDHENRY' } };

eachEngine('RHMAP: auth policies', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine });
  });
  after(() => server.close());

  const refused = async (call: string, json: unknown, message: string): Promise<void> => {
    const before = await server.stateHash();
    const { status, body } = await manage(server, call, json);
    assert.deepEqual({ status, body }, { status: 200, body: { status: 'error', message } }, call);
    assert.equal(await server.stateHash(), before, `${call} changed something`);
  };

  test('create, read, update, delete: the bodies', async () => {
    // As fhc sends it: the type in upper case, flags as words, a field that nobody asked for.
    const given = { ...ours, policyId: 'walk', checkUserExists: 'true', checkUserApproved: 'false', users: [] };
    const created = await manage(server, 'create', given);
    const { guid } = created.body;
    assert.match(guid, /^[0-9a-z]{24}$/);
    assert.deepEqual({ status: created.status, body: created.body }, { status: 200, body: { status: 'ok', guid } });

    const shown = { guid, policyId: 'walk', policyType: 'feedhenry', configurations: { provider: 'FEEDHENRY' } };
    const flags = { checkUserExists: true, checkUserApproved: false };
    const read = await managed(server, 'read', { policyId: 'walk' });
    assert.deepEqual(read, { status: 'ok', ...shown, ...flags, users: [] });

    // fhc's update sends back all that it read.
    const updated = await managed(server, 'update', { ...read, policyId: 'walked', checkUserApproved: 'true' });
    assert.deepEqual(updated, { status: 'ok', guid });
    const after = { ...shown, policyId: 'walked', checkUserExists: true, checkUserApproved: true };
    assert.deepEqual(await managed(server, 'list'), { status: 'ok', list: [after], count: 1 });
    await refused('read', { policyId: 'walk' }, 'Policy not found');

    assert.deepEqual(await managed(server, 'delete', { guid }), { status: 'ok' });
    assert.deepEqual(await managed(server, 'list'), { status: 'ok', list: [], count: 0 });
    await refused('delete', { guid }, 'Policy not found');
  });

  test('flags: false when create says nothing; what update leaves out stays', async () => {
    const { guid, policyId } = await makePolicy(server);
    const read = () => managed(server, 'read', { policyId });
    const flagsOf = async () => {
      const { checkUserExists, checkUserApproved } = await read();
      return [checkUserExists, checkUserApproved];
    };
    assert.deepEqual(await flagsOf(), [false, false]);
    await managed(server, 'update', { ...ours, guid, policyId, checkUserExists: true, checkUserApproved: 'true' });
    assert.deepEqual(await flagsOf(), [true, true]);
    await managed(server, 'update', { ...ours, guid, policyId });
    assert.deepEqual(await flagsOf(), [true, true]);
    await managed(server, 'update', { ...ours, guid, policyId, checkUserExists: 'false', checkUserApproved: false });
    assert.deepEqual(await flagsOf(), [false, false]);
  });

  test('users: added, listed, removed, all or none', async () => {
    const [hana, , ren] = [
      await makeUser(server),
      await makeUser(server, { primaryEmail: null, username: 'ken', name: 'Ken' }),
      await makeUser(server),
    ];
    const { guid, policyId } = await makePolicy(server, { checkUserApproved: true });
    // By e-mail address in another spelling, by username, by our own id.
    const users = [hana.email.toUpperCase(), 'KEN', ren.id];
    assert.deepEqual(await managed(server, 'addusers', { guid, users }), { status: 'ok' });
    assert.deepEqual(await managed(server, 'addusers', { guid, users }), { status: 'ok' }, 'again');
    const { list, count } = await managed(server, 'users', { guid });
    assert.equal(count, 3);
    assert.deepEqual(
      new Set(list.map((user: unknown) => JSON.stringify(user))),
      new Set(
        [
          { userid: hana.email, name: 'Hanako Sekino', email: hana.email },
          { userid: 'ken', name: 'Ken', email: null },
          { userid: ren.email, name: 'Hanako Sekino', email: ren.email },
        ].map((user) => JSON.stringify(user)),
      ),
    );
    assert.deepEqual(
      new Set((await managed(server, 'read', { policyId })).users),
      new Set([hana.email, 'ken', ren.email]),
    );

    assert.deepEqual(await managed(server, 'removeusers', { guid, users: ['ken', 'nobody', ren.email] }), {
      status: 'ok',
    });
    assert.deepEqual(await managed(server, 'removeusers', { guid, users: ['ken'] }), { status: 'ok' }, 'again');
    assert.deepEqual((await managed(server, 'read', { policyId })).users, [hana.email]);
    await refused('addusers', { guid, users: ['ken', 'no\u202ebody'] }, 'User not found: nobody');
    await refused('addusers', { guid, users: ['ken', 'x'.repeat(400)] }, `User not found: ${'x'.repeat(64)}`);
    assert.deepEqual((await managed(server, 'read', { policyId })).users, [hana.email]);
  });

  test('a username that is somebody’s id does not stand for that user', async () => {
    const victim = await makeUser(server);
    await makeUser(server, { primaryEmail: null, username: victim.id });
    const { guid } = await makePolicy(server);
    await managed(server, 'addusers', { guid, users: [victim.id] });
    const { list } = await managed(server, 'users', { guid });
    assert.deepEqual(
      list.map(({ userid }: { userid: string }) => userid),
      [victim.email],
    );
  });

  test('what a request lacks', async () => {
    const { guid, policyId } = await makePolicy(server);
    const types = 'policyType must be one of oauth1, oauth2, ldap, openid';
    const cases: [call: string, json: unknown, message: string][] = [
      ['create', {}, 'policyId is required'],
      ['create', { policyId: '' }, 'policyId is required'],
      ['create', { policyId: 7 }, 'policyId must be a string'],
      ['create', { policyId: 'x' }, 'policyType is required'],
      ['create', { policyId: 'x', policyType: 'SAML' }, types],
      ['create', { policyId: 'x', policyType: '__proto__' }, types],
      ['create', { policyId: 'x', policyType: 'LDAP' }, 'configurations is required'],
      ['create', { policyId: 'x', policyType: 'LDAP', configurations: [] }, 'configurations must be an object'],
      ['create', { ...ours, policyId: 'x', checkUserExists: 'yes' }, 'checkUserExists must be true or false'],
      ['create', { ...ours, policyId: 'x', checkUserApproved: 1 }, 'checkUserApproved must be true or false'],
      ['create', { ...ours, policyId }, `A policy with policyId '${policyId}' already exists`],
      [
        'create',
        { ...ours, policyId: ' x' },
        'policyId has 1 to 128 characters, one of them visible, and no space around it',
      ],
      ['read', {}, 'policyId is required'],
      ['read', { policyId: 'nothing' }, 'Policy not found'],
      ['update', { ...ours, policyId }, 'guid is required'],
      ['update', { ...ours, guid: 'nothing', policyId: 'x' }, 'Policy not found'],
      ['update', { ...ours, guid }, 'policyId is required'],
      ['update', { guid, policyId, policyType: 'FEEDHENRY' }, 'configurations is required'],
      ['delete', {}, 'guid is required'],
      ['users', {}, 'guid is required'],
      ['users', { guid: 'nothing' }, 'Policy not found'],
      ['addusers', { users: ['x'] }, 'guid is required'],
      ['addusers', { guid: 'nothing', users: ['x'] }, 'Policy not found'],
      ['addusers', { guid }, 'users must be a non-empty array of user ids'],
      ['addusers', { guid, users: [] }, 'users must be a non-empty array of user ids'],
      ['addusers', { guid, users: [7] }, 'users must be a non-empty array of user ids'],
      ['addusers', { guid, users: [''] }, 'users must be a non-empty array of user ids'],
      ['addusers', { guid, users: Array(1001).fill('x') }, 'users must have at most 1000 user ids'],
      ['removeusers', { guid }, 'users must be a non-empty array of user ids'],
      ['removeusers', { guid: 'nothing', users: ['x'] }, 'Policy not found'],
    ];
    for (const [call, json, message] of cases) await refused(call, json, message);
    const taken = await makePolicy(server);
    const rename = { ...ours, guid: taken.guid, policyId };
    await refused('update', rename, `A policy with policyId '${policyId}' already exists`);
  });

  test('one that is listed somewhere is not deleted: the sentence says where', async () => {
    const { guid } = await makePolicy(server);
    const { clientId } = await makeApp(server, 'Native');
    const { id } = await native(server, 'POST', '/organizations', { name: 'Lister' });
    for (const at of [`/applications/${clientId}`, `/organizations/${id}`, '/sign-in-exp']) {
      await native(server, 'PATCH', at, { authPolicyIds: [guid] });
      await refused('delete', { guid }, `The policy is listed: take it off authPolicyIds of /api${at} first`);
      await native(server, 'PATCH', at, { authPolicyIds: null });
    }
    await managed(server, 'delete', { guid });
  });

  const call = (name: string, options: Parameters<TestServer['request']>[2] = {}): Promise<Answer> =>
    server.request('POST', `${policyPath}/${name}`, options);
  /** The verb of the scope that each call needs. */
  const needs: Record<string, string> = {
    ...{ create: 'create', read: 'read', update: 'update', delete: 'delete' },
    ...{ list: 'read', users: 'read', addusers: 'update', removeusers: 'update' },
  };
  const all = Object.keys(needs);

  test('JSON counts whatever it is called; what is none is refused', async () => {
    const key = await makeKey(server);
    const headers = { 'x-fh-auth-user': key };
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8', 'x/y']) {
      const answer = await call('list', { headers: { ...headers, 'content-type': type }, body: '{}' });
      assert.equal(answer.body.status, 'ok', `${type}: ${answer.text}`);
    }
    assert.equal((await call('list', { headers })).body.status, 'ok', 'no body');
    const malformed = async (body: string, message: string) => {
      const { status, body: answered } = await call('read', { headers, body });
      assert.deepEqual({ status, answered }, { status: 400, answered: { status: 'error', message } }, body);
    };
    for (const body of ['{', '[]', '"x"', 'null', 'policyId=x', '--boundary-3e\r\n']) {
      await malformed(body, 'Request body must be a JSON object');
    }
    await malformed('{"a":1,"a":2}', 'The field "a" is repeated');
    await malformed('{"policyId":"\\u0000"}', 'The field "policyId" holds a NUL character');
    await malformed('\ufeff{}', 'The body begins with a byte order mark');
    const large = await call('read', { headers, body: `{"policyId":"${'x'.repeat(1024 * 1024)}"}` });
    assert.deepEqual([large.status, large.body], [413, { status: 'error', message: 'Request body is too large' }]);
  });

  test('who may call: a key, bare or in quotes, or a token of the management audience', async () => {
    const key = await makeKey(server);
    const token = await server.managementToken(server.nativeAudience);
    for (const options of [
      { headers: { 'x-fh-auth-user': key } },
      { headers: { 'X-FH-AUTH-USER': `"${key}"` } },
      { token },
    ]) {
      assert.equal((await call('list', { json: {}, ...options })).body.status, 'ok');
    }
    // fhc reads the list by GET, with a body that says nothing.
    const got = await server.request('GET', `${policyPath}/list`, { headers: { 'x-fh-auth-user': key } });
    assert.equal(got.body.status, 'ok');
  });

  test('401 and 403: one body, on every call', async () => {
    const wrongKey = { 'x-fh-auth-user': `key_${'x'.repeat(43)}` };
    const forAuth0 = await server.managementToken();
    const outsider = await callerWith(server, ['read:users'], server.nativeAudience);
    const narrow = { 'x-fh-auth-user': await makeKey(server, ['read:api_keys']) };
    const before = await server.stateHash();
    for (const name of all) {
      const scope = `${needs[name]}:auth_policies`;
      const cases: [options: Parameters<TestServer['request']>[2], status: number, message: string][] = [
        [{}, 401, 'An API key is required in the header X-FH-AUTH-USER'],
        [{ headers: { cookie: 'feedhenry=admin;' } }, 401, 'An API key is required in the header X-FH-AUTH-USER'],
        [{ headers: wrongKey }, 401, 'Invalid API key'],
        [{ token: forAuth0 }, 401, 'Invalid access token'],
        [{ token: outsider.token }, 403, `Administrator access required: the scope ${scope} is missing`],
        [{ headers: narrow }, 403, `Administrator access required: the scope ${scope} is missing`],
      ];
      for (const [options, status, message] of cases) {
        const answer = await call(name, { json: {}, ...options });
        assert.deepEqual([answer.status, answer.body], [status, { status: 'error', message }], name);
        assert.ok(answer.headers.get('www-authenticate')?.startsWith('Bearer realm='), name);
      }
    }
    assert.equal(await server.stateHash(), before);
  });

  test('what is open is what apps call, and the refusals of other methods', async () => {
    const routes = (await server.composed.server.routes()).filter(({ path }) => path.startsWith('/box'));
    const posts = routes.filter(({ method, open }) => method === 'POST' && open).map(({ path }) => path);
    assert.deepEqual(posts.sort(), [
      '/box/srv/1.1/admin/authpolicy/auth',
      '/box/srv/1.1/admin/authpolicy/revokesession',
      '/box/srv/1.1/admin/authpolicy/sessioninfo',
      '/box/srv/1.1/admin/authpolicy/verifysession',
      '/box/srv/1.1/app/init',
      '/box/srv/1.1/arm/authCallback',
      '/box/srv/1.1/arm/begin',
    ]);
    const closed = routes.filter(({ method, open }) => method !== 'HEAD' && !open);
    assert.deepEqual(
      closed.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`).sort(),
      ['GET list', ...all.map((name) => `POST ${name}`)].sort(),
    );
    assert.ok(closed.every(({ scopes }) => scopes?.length === 1));
  });

  test('each call needs its own scope', async () => {
    for (const verb of ['create', 'read', 'update', 'delete']) {
      const headers = { 'x-fh-auth-user': await makeKey(server, [`${verb}:auth_policies`]) };
      for (const name of all) {
        const { status } = await call(name, { json: {}, headers });
        assert.equal(status, needs[name] === verb ? 200 : 403, `${verb} at ${name}`);
      }
    }
  });

  test('405 with the way that works; 404 elsewhere', async () => {
    for (const name of all) {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        if (name === 'list' && method === 'GET') continue;
        const { status, headers, body } = await server.request(method, `${policyPath}/${name}`);
        const allow = name === 'list' ? 'GET, POST' : 'POST';
        assert.deepEqual(
          [status, headers.get('allow'), body],
          [405, allow, { status: 'error', message: `Use ${allow}` }],
        );
      }
    }
    for (const path of [
      '/box',
      '/box/srv/1.1',
      `${policyPath}/nothing`,
      '/box/srv/1.1/ide/x/api/list',
      '/box/srv/1.1/arm/user/auth',
    ]) {
      const { status, body } = await server.request('POST', path, { json: {} });
      assert.deepEqual([status, body], [404, { status: 'error', message: 'There is nothing here' }], path);
    }
    const unreadable = await server.request('POST', '/box/%ff', { json: {} });
    assert.deepEqual([unreadable.status, unreadable.body.status], [400, 'error']);
  });
});
