import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { delegatedCaller, makeMembership, makeOrganization, makeOrganizationRole } from './delegated.ts';
import { Members } from './members-support.ts';

const unknownUser = '0123456789abcdef01234567';
const missing = [404, 'entity.not_exists'] as const;
const missingOne = [404, 'entity.not_exists_with_id'] as const;
const notFound = [404, 'entity.not_found'] as const;

eachEngine('members of an organization', (engine) => {
  let server: TestServer;
  let api: Members;
  let root: string;
  let child: string;
  let other: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    api = await Members.of(server);
    root = await makeOrganization(server, 'Acme');
    child = await makeOrganization(server, 'Acme Sub', root);
    other = await makeOrganization(server, 'Other');
  });
  after(() => server.close());

  test('users are added, listed with their roles, replaced and removed', async () => {
    const id = await makeOrganization(server, 'Users');
    const [ann, bob, cy] = [await api.user('Ann'), await api.user('Bob'), await api.user('Cy')];
    const added = await api.call('POST', `/organizations/${id}/users`, { userIds: [ann, bob] });
    assert.equal(added.status, 201);
    assert.deepEqual(added.body, { userIds: [ann, bob] });
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'Editor' });
    await api.expect(201, 'POST', `/organizations/${id}/users/${ann}/roles`, { organizationRoleIds: [role] });

    const list = await api.call('GET', `/organizations/${id}/users`);
    assert.equal(list.headers.get('total-number'), '2');
    const first = list.body.find((user: { id: string }) => user.id === ann);
    const second = list.body.find((user: { id: string }) => user.id === bob);
    assert.deepEqual(first, { ...first, id: ann, organizationRoles: [{ id: role, name: 'Editor' }] });
    assert.deepEqual(Object.keys(first).sort(), [
      'applicationId',
      'avatar',
      'createdAt',
      'customData',
      'hasPassword',
      'id',
      'identities',
      'isSuspended',
      'lastSignInAt',
      'name',
      'organizationRoles',
      'ownerOrganizationId',
      'primaryEmail',
      'primaryPhone',
      'profile',
      'status',
      'updatedAt',
      'username',
    ]);
    assert.deepEqual([second.id, second.organizationRoles], [bob, []]);

    await api.expect(201, 'POST', `/organizations/${id}/users`, { userIds: [ann, cy, cy] });
    assert.equal((await api.expect(200, 'GET', `/organizations/${id}/users`)).length, 3, 'twice is once');
    await api.expect(204, 'PUT', `/organizations/${id}/users`, { userIds: [ann] });
    const after = await api.expect(200, 'GET', `/organizations/${id}/users`);
    assert.deepEqual(
      after.map((user: { id: string; organizationRoles: unknown[] }) => [user.id, user.organizationRoles.length]),
      [[ann, 1]],
      'who stays keeps the roles',
    );
    await api.expect(204, 'DELETE', `/organizations/${id}/users/${ann}`);
    await api.refuse(notFound, 'DELETE', `/organizations/${id}/users/${ann}`);
    assert.deepEqual(await api.expect(200, 'GET', `/organizations/${id}/users`), []);
    const roles = (await server.rows('membership_roles')).filter(({ role_id }) => role_id === role);
    assert.deepEqual(roles, [], 'the roles end with the membership');
    const kinds = (await server.logEvents()).map(({ kind }) => kind);
    for (const kind of ['added', 'updated', 'removed']) assert.ok(kinds.includes(`organization_member.${kind}`), kind);
  });

  test('a list is searched, filtered by role, and walked by page and by cursor', async () => {
    const id = await makeOrganization(server, 'Lists');
    const names = ['Zoë Ünal', 'Yuri 100%', 'Xavier', 'Wanda', '👩‍🚀 שלום'];
    const ids: string[] = [];
    for (const name of names) ids.push(await api.user(name.replaceAll(/[^A-Za-z ]/g, 'x')));
    for (const [index, userId] of ids.entries()) {
      await api.server.manage('PATCH', `/users/auth0|${userId}`, { name: names[index] });
    }
    await api.expect(201, 'POST', `/organizations/${id}/users`, { userIds: ids });
    const found = async (query: string) =>
      (await api.expect(200, 'GET', `/organizations/${id}/users?${query}`)).map(({ name }: { name: string }) => name);
    assert.deepEqual(await found(`q=${encodeURIComponent('zoË ü')}`), ['Zoë Ünal']);
    assert.deepEqual(await found('q=100%25'), ['Yuri 100%']);
    assert.deepEqual(await found('q=%25'), ['Yuri 100%'], 'no wildcard');
    assert.deepEqual(await found(`q=${encodeURIComponent('שלום')}`), ['👩‍🚀 שלום']);
    assert.deepEqual(await found('q=WANDA.'), ['Wanda'], 'the e-mail');
    assert.deepEqual(await found('cursor=&q=WANDA.'), ['Wanda']);
    assert.equal((await found('q=')).length, 5);
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    await api.expect(201, 'POST', `/organizations/${id}/users/${ids[2]}/roles`, { organizationRoleIds: [role] });
    assert.deepEqual(await found(`organizationRoleId=${role}`), ['Xavier']);
    assert.deepEqual(await found(`cursor=&organizationRoleId=${role}`), ['Xavier']);
    assert.deepEqual(await found('organizationRoleId=rol_0000000000000000'), []);

    const pages = [
      await found('page=1&page_size=2'),
      await found('page=2&page_size=2'),
      await found('page=3&page_size=2'),
    ];
    const walked: string[] = [];
    let cursor: string | undefined = '';
    while (cursor !== undefined) {
      const path = `/organizations/${id}/users?page_size=2&cursor=${encodeURIComponent(cursor)}`;
      const page = await api.call('GET', path);
      assert.equal(page.status, 200, page.text);
      walked.push(...page.body.map(({ name }: { name: string }) => name));
      const next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
      cursor = next === undefined ? undefined : (new URL(next).searchParams.get('cursor') ?? undefined);
    }
    assert.deepEqual(walked, pages.flat());
    assert.deepEqual(walked.toSorted(), names.toSorted());
    for (const bad of ['x', `${Buffer.from('[0,0,""]').toString('base64url')}.AAAA`]) {
      await api.refuse([400, 'input.cursor_invalid'], 'GET', `/organizations/${id}/users?cursor=${bad}`);
    }
  });

  test('what can not be a member is refused as a whole', async () => {
    const ann = await api.user('Ann');
    const users = `/organizations/${root}/users`;
    const reference = [422, 'entity.relation_foreign_key_not_found'] as const;
    await api.refuse(reference, 'POST', users, { userIds: [ann, unknownUser] });
    await api.refuse(reference, 'PUT', users, { userIds: [unknownUser] });
    const { clientId } = await api.machine();
    await api.refuse(reference, 'POST', users, { userIds: [clientId] });
    const invalid = [400, 'guard.invalid_input'] as const;
    for (const body of [
      {},
      { userIds: [] },
      { userIds: 'x' },
      { userIds: [''] },
      { userIds: [1] },
      { userIds: [null] },
    ]) {
      await api.refuse(invalid, 'POST', users, body);
    }
    const many = Array.from({ length: 1001 }, (_, n) => n.toString(16).padStart(24, '0'));
    await api.refuse(invalid, 'POST', users, { userIds: many });
    await api.refuse(invalid, 'PUT', users, { userIds: many });
    await api.refuse(missing, 'POST', '/organizations/org_0000000000000000/users', { userIds: [ann] });
    await api.refuse(missing, 'PUT', '/organizations/org_0000000000000000/users', { userIds: [ann] });
    await api.refuse(missingOne, 'GET', '/organizations/org_0000000000000000/users');
    await api.refuse(notFound, 'DELETE', `/organizations/org_0000000000000000/users/${ann}`);
    await api.refuse(notFound, 'DELETE', `/organizations/${root}/users/%F0%9F%98%80`);
  });

  test('a membership has an id of its own', async () => {
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'Auditor' });
    const ann = await api.user('Ann');
    const body = { userId: ann, organizationRoleIds: [role], thisOrganizationOnly: true, tenantId: 'x', createdAt: 1 };
    const member = await api.expect(201, 'POST', `/organizations/${root}/members`, body);
    assert.match(member.id, /^mem_[0-9A-Za-z]{16}$/);
    assert.ok(Math.abs(member.createdAt - Date.now()) < 60_000);
    assert.deepEqual(member, {
      tenantId: 'default',
      id: member.id,
      organizationId: root,
      kind: 'user',
      userId: ann,
      applicationId: null,
      name: 'Ann',
      primaryEmail: member.primaryEmail,
      organizationRoles: [{ id: role, name: 'Auditor' }],
      thisOrganizationOnly: true,
      inherited: false,
      inheritedFrom: null,
      createdAt: member.createdAt,
      updatedAt: member.createdAt,
    });
    const one = `/organizations/${root}/members/${member.id}`;
    assert.deepEqual(await api.expect(200, 'GET', one), member);
    assert.deepEqual(
      (await api.expect(200, 'GET', `/organizations/${root}/members?kind=user`)).find(
        ({ id }: { id: string }) => id === member.id,
      ),
      member,
    );
    await api.refuse([422, 'entity.unique_integrity_violation'], 'POST', `/organizations/${root}/members`, body);

    const changed = await api.expect(200, 'PATCH', one, { thisOrganizationOnly: false, organizationRoleIds: [] });
    assert.deepEqual(changed, {
      ...member,
      thisOrganizationOnly: false,
      organizationRoles: [],
      updatedAt: changed.updatedAt,
    });
    assert.deepEqual(await api.expect(200, 'GET', one), changed);
    assert.deepEqual((await api.expect(200, 'PATCH', one, {})).organizationRoles, []);
    await api.expect(204, 'DELETE', one);
    await api.refuse(missingOne, 'GET', one);
    await api.refuse(missing, 'PATCH', one, {});
    await api.refuse(notFound, 'DELETE', one);
  });

  test('the same member added many times at once is there once', async () => {
    const id = await makeOrganization(server, 'Crowd');
    const ann = await api.user('Ann');
    const adding = () => api.call('POST', `/organizations/${id}/users`, { userIds: [ann] });
    const added = await Promise.all(Array.from({ length: 6 }, adding));
    assert.deepEqual(
      added.map(({ status }) => status),
      Array.from({ length: 6 }, () => 201),
      added.map(({ text }) => text).join(),
    );
    const bob = await api.user('Bob');
    const creating = () => api.call('POST', `/organizations/${id}/members`, { userId: bob });
    const created = await Promise.all(Array.from({ length: 6 }, creating));
    const statuses = created.map(({ status }) => status).toSorted();
    assert.deepEqual(statuses, [201, 422, 422, 422, 422, 422], created.map(({ text }) => text).join());
    assert.equal((await api.expect(200, 'GET', `/organizations/${id}/members`)).length, 2);
  });

  test('a membership needs one subject, and roles that are there', async () => {
    const path = `/organizations/${root}/members`;
    const ann = await api.user('Ann');
    const { clientId } = await api.machine();
    const invalid = [400, 'guard.invalid_input'] as const;
    for (const body of [{}, { userId: ann, applicationId: clientId }, { userId: 1 }, { userId: '' }, []]) {
      await api.refuse(invalid, 'POST', path, body);
    }
    const reference = [422, 'entity.relation_foreign_key_not_found'] as const;
    await api.refuse(reference, 'POST', path, { userId: unknownUser });
    await api.refuse(reference, 'POST', path, { applicationId: ann });
    const named = await api.refuse(reference, 'POST', path, { userId: ann, organizationRoleIds: ['rol_0'] });
    assert.equal(named.data.path, 'organizationRoleIds');
    const machineRole = await makeOrganizationRole(server, { scopes: [], kind: 'client' });
    const wrong = [422, 'entity.db_constraint_violated'] as const;
    await api.refuse(wrong, 'POST', path, { userId: ann, organizationRoleIds: [machineRole] });
  });

  test('a member of one organization is not there in another, nor in the one above it', async () => {
    const ann = await api.user('Ann');
    const { id } = await api.expect(201, 'POST', `/organizations/${child}/members`, { userId: ann });
    for (const elsewhere of [root, other]) {
      const one = `/organizations/${elsewhere}/members/${id}`;
      const unknown = `/organizations/${elsewhere}/members/mem_0000000000000000`;
      for (const [method, code, body] of [
        ['GET', missingOne, undefined],
        ['PATCH', missing, { thisOrganizationOnly: true }],
        ['DELETE', notFound, undefined],
      ] as const) {
        const here = await api.refuse(code, method, one, body);
        assert.deepEqual(here, await api.refuse(code, method, unknown, body), 'as if it were not there');
      }
      await api.refuse(notFound, 'DELETE', `/organizations/${elsewhere}/users/${ann}`);
    }
    assert.equal((await api.expect(200, 'GET', `/organizations/${child}/members/${id}`)).id, id);
  });

  test('each route asks for its scope', async () => {
    const ann = await api.user('Ann');
    const { id } = await api.expect(201, 'POST', `/organizations/${other}/members`, { userId: ann });
    const scopes = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:organization_members`);
    const members = `/organizations/${other}/members`;
    const users = `/organizations/${other}/users`;
    const applications = `/organizations/${other}/applications`;
    const routes: [string, string, unknown, string[]][] = [
      ['GET', members, undefined, ['read']],
      ['GET', `${members}/${id}`, undefined, ['read']],
      ['GET', users, undefined, ['read']],
      ['GET', `${users}/${ann}/roles`, undefined, ['read']],
      ['GET', `${users}/${ann}/scopes`, undefined, ['read']],
      ['GET', applications, undefined, ['read']],
      ['GET', `${applications}/x/roles`, undefined, ['read']],
      ['POST', members, { userId: ann }, ['create']],
      ['POST', users, { userIds: [ann] }, ['create']],
      ['POST', applications, { applicationIds: ['x'] }, ['create']],
      ['PUT', users, { userIds: [] }, ['create', 'delete']],
      ['PUT', applications, { applicationIds: [] }, ['create', 'delete']],
      ['PATCH', `${members}/${id}`, {}, ['update']],
      ['POST', `${users}/roles`, { userIds: [ann], organizationRoleIds: ['x'] }, ['update']],
      ['POST', `${applications}/roles`, { applicationIds: ['x'], organizationRoleIds: ['x'] }, ['update']],
      ['POST', `${users}/${ann}/roles`, {}, ['update']],
      ['PUT', `${users}/${ann}/roles`, {}, ['update']],
      ['DELETE', `${users}/${ann}/roles/x`, undefined, ['update']],
      ['POST', `${applications}/x/roles`, { organizationRoleIds: ['x'] }, ['update']],
      ['PUT', `${applications}/x/roles`, { organizationRoleIds: [] }, ['update']],
      ['DELETE', `${applications}/x/roles/x`, undefined, ['update']],
      ['DELETE', `${users}/${ann}`, undefined, ['delete']],
      ['DELETE', `${applications}/x`, undefined, ['delete']],
      ['DELETE', `${members}/${id}`, undefined, ['delete']],
    ];
    const without = new Map<string, string>();
    for (const scope of scopes) {
      const rest = scopes.filter((one) => one !== scope);
      without.set(scope, (await callerWith(server, [...rest, 'read:users'], server.nativeAudience)).token);
    }
    for (const [method, path, json, verbs] of routes) {
      for (const verb of verbs) {
        const token = without.get(`${verb}:organization_members`);
        await api.refuse([403, 'auth.forbidden'], method, path, json, token);
      }
      const before = await server.stateHash();
      const anonymous = await server.request(method, `/api${path}`, json === undefined ? {} : { json });
      assert.equal(anonymous.status, 401, path);
      assert.equal(await server.stateHash(), before);
    }
  });

  test('a token for an organization sees its subtree, and people it does not own as far as needed', async () => {
    const caller = await delegatedCaller(server, { organizationId: child, scopes: ['read:organization_members'] });
    const ann = await api.user('Ann');
    await server.manage('PATCH', `/users/auth0|${ann}`, { app_metadata: { secret: 'plan' } });
    await makeMembership(server, { organizationId: child, subjectId: ann, kind: 'user' });
    const [seen] = (await api.expect(200, 'GET', `/organizations/${child}/users`, undefined, caller.token)).filter(
      ({ id }: { id: string }) => id === ann,
    );
    assert.equal(seen.name, 'Ann');
    assert.match(seen.primaryEmail, /^ann\./);
    assert.deepEqual([seen.customData, seen.lastSignInAt, seen.applicationId], [{}, null, null]);
    for (const path of ['users', 'applications', 'members', `users/${ann}/roles`, `users/${ann}/scopes`]) {
      const foreign = await api.refuse(missingOne, 'GET', `/organizations/${root}/${path}`, undefined, caller.token);
      const unknown = `/organizations/org_0000000000000000/${path}`;
      assert.deepEqual(foreign, await api.refuse(missingOne, 'GET', unknown, undefined, caller.token));
    }
  });

  test('a token for an organization adds people by invitation only, whether or not they exist', async () => {
    const verbs = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:organization_members`);
    const caller = await delegatedCaller(server, { organizationId: child, scopes: verbs });
    const [ann, bob] = [await api.user('Ann'), await api.user('Bob')];
    await makeMembership(server, { organizationId: child, subjectId: bob, kind: 'user' });
    const refused = [403, 'auth.organization_token'] as const;
    for (const userId of [ann, unknownUser]) {
      await api.refuse(refused, 'POST', `/organizations/${child}/users`, { userIds: [userId] }, caller.token);
      await api.refuse(refused, 'PUT', `/organizations/${child}/users`, { userIds: [bob, userId] }, caller.token);
      await api.refuse(refused, 'POST', `/organizations/${child}/members`, { userId }, caller.token);
    }
    await api.expect(201, 'POST', `/organizations/${child}/users`, { userIds: [bob] }, caller.token);
    await api.expect(204, 'DELETE', `/organizations/${child}/users/${bob}`, undefined, caller.token);
    for (const [method, path, json] of [
      ['POST', 'users', { userIds: [ann] }],
      ['PUT', 'users', { userIds: [] }],
      ['POST', 'members', { userId: ann }],
    ] as const) {
      await api.refuse(missing, method, `/organizations/${root}/${path}`, json, caller.token);
      await api.refuse(missing, method, `/organizations/${other}/${path}`, json, caller.token);
    }
  });
});
