/** Members and users of an application: golden bodies of every route, and each refusal with nothing changed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { makeMembership, makeOrganizationRole } from '../native/delegated.ts';
import {
  accountMissing,
  applicationMissing,
  assertGolden,
  assertRefused,
  type Call,
  caller,
  got,
  makeAccount,
  makeMember,
  makeUser,
  memberMissing,
} from './support.ts';

const lastOwner = {
  error: 'conflict',
  error_description: 'A root account keeps at least one active owner.',
  code: 'organization.last_owner',
};
const unknownRole = {
  error: 'invalid_request',
  error_description: 'The role does not exist.',
  code: 'entity.reference_not_found',
  field: 'role',
};

eachEngine('members of accounts', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let call: Call;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    call = caller(server);
  });
  after(() => server.close());

  test('owner, member and viewer arise at first use, once, even when asked for at once', async () => {
    assert.deepEqual(await roleNames(), []);
    const root = await makeAccount(call, 'First');
    const users = await Promise.all(['a', 'b', 'c', 'd'].map((name) => makeUser(call, { name })));
    const unknown = { user_id: users[0], role: 'janitor' };
    await assertRefused(server, () => call('POST', `/accounts/${root}/members`, unknown), 400, unknownRole);
    const answers = await Promise.all(
      ['owner', 'member', 'VIEWER', 'Member'].map((role, index) =>
        call('POST', `/accounts/${root}/members`, { user_id: users[index], role }),
      ),
    );
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.role]),
      [
        [201, 'owner'],
        [201, 'member'],
        [201, 'viewer'],
        [201, 'member'],
      ],
    );
    assert.deepEqual(await roleNames(), ['member', 'owner', 'viewer']);
  });

  const roleNames = async (): Promise<string[]> =>
    (await server.rows('roles'))
      .filter(({ level, subject_kind }) => level === 'organization' && subject_kind === 'user')
      .map(({ name }) => name)
      .toSorted();

  test('a member, added, read, changed, removed', async () => {
    const root = await makeAccount(call, 'Acme');
    const owner = await makeUser(call);
    await makeMember(call, root, owner, 'owner');
    // Those of one millisecond stand in no order that is promised.
    clock.advance(1);
    const user_id = await makeUser(call, { name: 'Ann' });
    const added = await got(call('POST', `/accounts/${root}/members`, { user_id, role: 'member' }), 201);
    assert.match(added.id, /^mem_[0-9A-Za-z]{16}$/);
    const golden = {
      id: added.id,
      account_id: root,
      user_id,
      client_id: null,
      name: 'Ann',
      role: 'member',
      roles: ['member'],
      inherited: false,
      inherited_from: null,
    };
    assertGolden(added, golden);
    const path = `/accounts/${root}/members/${added.id}`;
    assert.deepEqual(await got(call('GET', path)), added);
    assertGolden(await got(call('PATCH', path, { role: 'viewer' })), { ...golden, role: 'viewer', roles: ['viewer'] });
    const list = await got(call('GET', `/accounts/${root}/members`));
    assert.deepEqual([list.data.length, list.next], [2, null]);
    assert.deepEqual(list.data[1], await got(call('GET', path)));
    const removed = await call('DELETE', path);
    assert.deepEqual([removed.status, removed.text], [204, '']);
    for (const method of ['GET', 'DELETE'] as const) {
      await assertRefused(server, () => call(method, path), 404, memberMissing);
    }
    await assertRefused(server, () => call('PATCH', path, { role: 'viewer' }), 404, memberMissing);
  });

  test('several roles: the strongest is shown, and PATCH replaces all', async () => {
    const root = await makeAccount(call, 'Roles');
    const user = await makeUser(call);
    await makeMember(call, root, user, 'owner');
    const ids = new Map((await server.rows('roles')).map(({ name, id }) => [name, id]));
    const zoo = await makeOrganizationRole(server, { name: 'Zoo keeper', kind: 'user', scopes: [] });
    const boss = await makeOrganizationRole(server, { name: 'boss', kind: 'user', scopes: [], isOwner: true });
    const held = ['viewer', 'member', 'owner'].map((name) => ids.get(name) as string);
    const subjectId = await makeUser(call);
    const id = await makeMembership(server, {
      organizationId: root,
      subjectId,
      kind: 'user',
      roleIds: [...held, zoo, boss],
    });
    const path = `/accounts/${root}/members/${id}`;
    const body = await got(call('GET', path));
    assert.deepEqual(body.roles, ['boss', 'owner', 'Zoo keeper', 'member', 'viewer']);
    assert.equal(body.role, 'boss');
    const changed = await got(call('PATCH', path, { role: 'ZOO  keeper' }));
    assert.deepEqual([changed.role, changed.roles], ['Zoo keeper', ['Zoo keeper']]);
    const bare = await makeMembership(server, { organizationId: root, subjectId: await makeUser(call), kind: 'user' });
    const shown = await got(call('GET', `/accounts/${root}/members/${bare}`));
    assert.deepEqual([shown.role, shown.roles], [null, []]);
  });

  test('machine members: a client, with a role for machines', async () => {
    const root = await makeAccount(call, 'Machines');
    const client = await server.manage('POST', '/clients', { name: 'Worker', app_type: 'non_interactive' });
    const page = await server.manage('POST', '/clients', { name: 'Page', app_type: 'spa' });
    await makeOrganizationRole(server, { name: 'worker', scopes: [] });
    const add = (body: object) => call('POST', `/accounts/${root}/members`, body);
    const wrongKind = (field: string) => ({ error: 'invalid_request', code: 'role.wrong_subject', field });
    const user_id = await makeUser(call);
    for (const body of [
      { user_id, role: 'worker' },
      { client_id: client.client_id, role: 'member' },
    ]) {
      const before = await server.stateHash();
      const { status, body: refused } = await add(body);
      const { error_description, ...rest } = refused;
      assert.deepEqual([status, rest], [400, wrongKind('role')], error_description);
      assert.equal(await server.stateHash(), before);
    }
    await assertRefused(server, () => add({ client_id: page.client_id, role: 'worker' }), 400, {
      error: 'invalid_request',
      error_description: 'Only a client that can prove who it is can be a member.',
      code: 'organization.not_a_machine',
      field: 'client_id',
    });
    const added = await got(add({ client_id: client.client_id, role: 'worker' }), 201);
    assertGolden(added, {
      id: added.id,
      account_id: root,
      user_id: null,
      client_id: client.client_id,
      name: 'Worker',
      role: 'worker',
      roles: ['worker'],
      inherited: false,
      inherited_from: null,
    });
  });

  test('inherited members are shown with their origin, and changed there only', async () => {
    const root = await makeAccount(call, 'Above');
    const child = await makeAccount(call, 'Middle', root);
    const leaf = await makeAccount(call, 'Below', child);
    const [ann, ben, cat] = [await makeUser(call), await makeUser(call), await makeUser(call)];
    const above = await makeMember(call, root, ann, 'owner');
    const middle = await makeMember(call, child, ben, 'member');
    const own = await makeMember(call, leaf, cat, 'viewer');
    const list = await got(call('GET', `/accounts/${leaf}/members`));
    assert.deepEqual(
      list.data.map((one: Record<string, unknown>) => [
        one.id,
        one.account_id,
        one.user_id,
        one.role,
        one.inherited_from,
      ]),
      [
        [own, leaf, cat, 'viewer', null],
        [middle, leaf, ben, 'member', child],
        [above, leaf, ann, 'owner', root],
      ],
    );
    const first = await got(call('GET', `/accounts/${leaf}/members?limit=2`));
    const rest = await got(call('GET', `/accounts/${leaf}/members?limit=2&cursor=${encodeURIComponent(first.next)}`));
    assert.deepEqual([...first.data, ...rest.data], list.data);
    assert.equal(rest.next, null);
    assert.equal((await got(call('GET', `/accounts/${leaf}/members/${above}`))).inherited_from, root);

    const elsewhere = {
      error: 'conflict',
      error_description: 'The member comes from an account above; change it there.',
      code: 'organization.member_inherited',
      account_id: root,
      member_id: above,
    };
    await assertRefused(
      server,
      () => call('PATCH', `/accounts/${leaf}/members/${above}`, { role: 'viewer' }),
      409,
      elsewhere,
    );
    await assertRefused(server, () => call('DELETE', `/accounts/${leaf}/members/${above}`), 409, elsewhere);
    // A member below, or beside, is none above: parent and child do not match.
    for (const [account, member] of [
      [root, own],
      [root, middle],
      [child, own],
    ]) {
      const path = `/accounts/${account}/members/${member}`;
      await assertRefused(server, () => call('GET', path), 404, memberMissing);
      await assertRefused(server, () => call('PATCH', path, { role: 'viewer' }), 404, memberMissing);
      await assertRefused(server, () => call('DELETE', path), 404, memberMissing);
    }
    // Held above, it may be added here as well.
    await makeMember(call, leaf, ann, 'viewer');
  });

  test('the last owner of a root account stays', async () => {
    const root = await makeAccount(call, 'Owned');
    const [ann, ben] = [await makeUser(call), await makeUser(call)];
    const first = await makeMember(call, root, ann, 'owner');
    const path = `/accounts/${root}/members/${first}`;
    await assertRefused(server, () => call('DELETE', path), 409, lastOwner);
    await assertRefused(server, () => call('PATCH', path, { role: 'member' }), 409, lastOwner);
    const second = await makeMember(call, root, ben, 'owner');
    const both = await Promise.all([first, second].map((id) => call('DELETE', `/accounts/${root}/members/${id}`)));
    assert.deepEqual(both.map(({ status }) => status).toSorted(), [204, 409]);
    assert.equal((await got(call('GET', `/accounts/${root}/members`))).data.length, 1);
    const child = await makeAccount(call, 'Not a root', root);
    const below = await makeMember(call, child, ann, 'owner');
    await got(call('DELETE', `/accounts/${child}/members/${below}`), 204);
  });

  test('refusals of adding and changing name the field', async () => {
    const root = await makeAccount(call, 'Refusals');
    const user_id = await makeUser(call);
    const member = await makeMember(call, root, user_id, 'member');
    const add =
      (body: unknown, account = root) =>
      () =>
        call('POST', `/accounts/${account}/members`, body);
    await assertRefused(server, add({ user_id, role: 'viewer' }), 409, {
      error: 'conflict',
      error_description: 'It is a member of the account already.',
      code: 'entity.exists',
      field: 'user_id',
    });
    const noUser = {
      error: 'not_found',
      error_description: 'The user does not exist.',
      code: 'entity.reference_not_found',
      field: 'user_id',
    };
    for (const id of ['000000000000000000000000', '__proto__', 'constructor', 'admin', '🌵']) {
      await assertRefused(server, add({ user_id: id, role: 'member' }), 404, noUser);
    }
    await assertRefused(server, add({ client_id: user_id, role: 'member' }), 404, {
      ...noUser,
      error_description: 'The application does not exist.',
      field: 'client_id',
    });
    await assertRefused(server, add({ user_id, role: 'member' }, 'org_0000000000000000'), 404, accountMissing);
    const bad: [unknown, string][] = [
      [{ role: 'member' }, 'user_id'],
      [{ user_id, client_id: 'admin', role: 'member' }, 'user_id'],
      [{ user_id }, 'role'],
      [{ user_id, role: '' }, 'role'],
      [{ user_id, role: null }, 'role'],
      [{ user_id, role: 'own\u200ber\u{1f335}' }, 'role'],
      [{ user_id: 5, role: 'member' }, 'user_id'],
      [{ user_id: ['x'], role: 'member' }, 'user_id'],
      [{ user_id, role: 'member', roles: ['owner'] }, 'roles'],
      [{ user_id, role: 'member', account_id: root }, 'account_id'],
    ];
    const before = await server.stateHash();
    for (const [body, field] of bad) {
      const answer = await add(body)();
      assert.deepEqual([answer.status, answer.body.field], [400, field], `${JSON.stringify(body)}: ${answer.text}`);
    }
    for (const [body, field] of [
      [{}, 'role'],
      [{ role: 'janitor' }, 'role'],
      [{ role: ['owner'] }, 'role'],
      [{ role: 'owner', user_id }, 'user_id'],
    ] as const) {
      const answer = await call('PATCH', `/accounts/${root}/members/${member}`, body);
      assert.deepEqual([answer.status, answer.body.field], [400, field]);
    }
    for (const id of ['mem_0000000000000000', '__proto__', 'constructor', user_id]) {
      await assertRefused(server, () => call('GET', `/accounts/${root}/members/${id}`), 404, memberMissing);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('search finds members by what they are known by, inherited ones too', async () => {
    const root = await makeAccount(call, 'Searched');
    const child = await makeAccount(call, 'Searched child', root);
    const ann = await makeUser(call, { name: 'Ann 🌵 Müller', email: 'ann@one.example' });
    const ben = await makeUser(call, { name: 'Ben', email: 'ben@two.example' });
    await makeMember(call, root, ann, 'owner');
    await makeMember(call, child, ben, 'member');
    const search = (body: object) => call('POST', `/accounts/${child}/members/search`, body);
    const found = async (query: string): Promise<string[]> =>
      (await got(search({ query }))).data.map(({ user_id }: { user_id: string }) => user_id);
    assert.deepEqual(await found('MÜLLER'), [ann]);
    assert.deepEqual(await found('.example'), [ben, ann]);
    assert.deepEqual(await found('%'), []);
    const first = await got(search({ query: 'example', limit: 1 }));
    const rest = await got(search({ query: 'example', limit: 1, cursor: first.next }));
    assert.deepEqual([first.data[0].user_id, rest.data[0].user_id, rest.next], [ben, ann, null]);
    for (const [body, field] of [
      [{ query: 'example', limit: 101 }, 'limit'],
      [{ query: 'example', limit: 0 }, 'limit'],
      [{ query: '' }, 'query'],
      [{ query: 'x'.repeat(256) }, 'query'],
      [{ query: 'other', cursor: first.next }, 'cursor'],
      [{ query: 'example', cursor: `${first.next}x` }, 'cursor'],
    ] as const) {
      const answer = await search(body);
      assert.deepEqual([answer.status, answer.body.field], [400, field]);
    }
    await assertRefused(
      server,
      () => call('POST', '/accounts/org_0000000000000000/members/search', { query: 'x' }),
      404,
      accountMissing,
    );
  });

  test('users of an application: made, listed, deleted by the native API with their memberships', async () => {
    const app = await server.manage('POST', '/clients', { name: 'App', app_type: 'regular_web' });
    const path = `/applications/${app.client_id}/users`;
    assert.deepEqual(await got(call('GET', path)), { data: [], next: null });
    const made = await got(call('POST', path, { status: 'active', name: '花子 🌸', email: 'Hana@Example.com' }), 201);
    assert.match(made.id, /^[0-9a-f]{24}$/);
    assertGolden(made, {
      id: made.id,
      application_id: app.client_id,
      status: 'active',
      name: '花子 🌸',
      email: 'hana@example.com',
    });
    clock.advance(1);
    const plain = await got(call('POST', path, {}), 201);
    assertGolden(plain, {
      id: plain.id,
      application_id: app.client_id,
      status: 'active',
      name: null,
      email: null,
    });
    clock.advance(1);
    const third = await got(call('POST', path, { status: 'blocked' }), 201);
    const first = await got(call('GET', `${path}?limit=2`));
    assert.deepEqual(first.data, [made, plain]);
    const rest = await got(call('GET', `${path}?limit=2&cursor=${encodeURIComponent(first.next)}`));
    assert.deepEqual(rest, { data: [third], next: null });
    await makeUser(call);
    assert.equal((await got(call('GET', path))).data.length, 3, 'only its own');

    await assertRefused(server, () => call('POST', path, { email: 'hana@example.COM' }), 409, {
      error: 'conflict',
      error_description: 'A user with this email exists already.',
      code: 'entity.exists',
      field: 'email',
    });
    for (const [body, field] of [
      [{ status: 'gone' }, 'status'],
      [{ email: 'nobody' }, 'email'],
      [{ name: 5 }, 'name'],
      [{ id: 'mine' }, 'id'],
      [{ owner_organization_id: 'org_0000000000000000' }, 'owner_organization_id'],
    ] as const) {
      const answer = await call('POST', path, body);
      assert.deepEqual([answer.status, answer.body.field], [400, field]);
    }
    for (const id of ['nobody', '__proto__', made.id, '%F0%9F%8C%B5']) {
      await assertRefused(server, () => call('GET', `/applications/${id}/users`), 404, applicationMissing);
      await assertRefused(server, () => call('POST', `/applications/${id}/users`, {}), 404, applicationMissing);
    }
    const root = await makeAccount(call, 'With a user');
    const member = await makeMember(call, root, made.id, 'member');
    await got(call('DELETE', `/users/${made.id}`), 204);
    await assertRefused(server, () => call('GET', `/accounts/${root}/members/${member}`), 404, memberMissing);
    assert.equal((await got(call('GET', path))).data.length, 2);
  });
});
