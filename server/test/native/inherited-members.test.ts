import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { AscendingClock } from './ascending-clock.ts';
import { delegatedCaller, makeMembership, makeOrganization, makeOrganizationRole } from './delegated.ts';
import { Members } from './members-support.ts';

const inherited = [409, 'organization.member_inherited'] as const;

// biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
type Body = any;

eachEngine('members inherited from above', (engine) => {
  let server: TestServer;
  let api: Members;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock: new AscendingClock() });
    api = await Members.of(server);
  });
  after(() => server.close());

  /** A chain of organizations, the root first. */
  async function chain(...names: string[]): Promise<string[]> {
    const ids: string[] = [];
    for (const name of names) ids.push(await makeOrganization(server, name, ids.at(-1) ?? null));
    return ids;
  }

  /** Walks a list by cursor to its end. */
  async function walk(path: string, token = api.token): Promise<Body[]> {
    const found: Body[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await api.call('GET', `${path}&cursor=${encodeURIComponent(cursor)}`, undefined, token);
      assert.equal(page.status, 200, page.text);
      found.push(...page.body);
      const next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
      cursor = next === undefined ? null : new URL(next).searchParams.get('cursor');
    }
    return found;
  }

  test('lists show them when asked: own first, then the nearest, each with where it comes from', async () => {
    const [root = '', middle = '', leaf = ''] = await chain('Root', 'Middle', 'Leaf');
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'Reader' });
    const people: Record<string, string> = {};
    for (const [name, organizationId, only] of [
      ['Above', root, false],
      ['Above only', root, true],
      ['Between', middle, false],
      ['Here', leaf, false],
      ['Here only', leaf, true],
    ] as const) {
      people[name] = await api.user(name);
      const body = { userId: people[name], organizationRoleIds: [role], thisOrganizationOnly: only };
      await api.expect(201, 'POST', `/organizations/${organizationId}/members`, body);
    }
    const machine = await api.machine('Machine above');
    await api.expect(201, 'POST', `/organizations/${root}/members`, { applicationId: machine.clientId });
    // Here and above: once for each membership.
    await api.expect(201, 'POST', `/organizations/${leaf}/members`, { userId: people.Above });

    const brief = ({ name, inheritedFrom, inherited: isInherited }: Body) => [name, isInherited, inheritedFrom];
    const expected = [
      ['Here', false, null],
      ['Here only', false, null],
      ['Above', false, null],
      ['Between', true, middle],
      ['Above', true, root],
      ['Machine above', true, root],
    ];
    const members = `/organizations/${leaf}/members?inherited=true`;
    const all = await api.call('GET', `${members}&page_size=100`);
    assert.equal(all.headers.get('total-number'), '6');
    assert.deepEqual(all.body.map(brief), expected);
    for (const { organizationId } of all.body) assert.equal(organizationId, leaf);
    for (const size of [1, 2, 3, 5, 6, 100]) {
      assert.deepEqual((await walk(`${members}&page_size=${size}`)).map(brief), expected, `pages of ${size}`);
    }
    const second = await api.expect(200, 'GET', `${members}&page=2&page_size=4`);
    assert.deepEqual(second.map(brief), expected.slice(4));
    const machines = await api.expect(200, 'GET', `${members}&kind=client`);
    assert.deepEqual(machines.map(brief), expected.slice(5));
    const searched = await api.expect(200, 'GET', `${members}&q=ABOVE&organizationRoleId=${role}`);
    assert.deepEqual(searched.map(brief), [expected[4]]);

    const users = await api.expect(200, 'GET', `/organizations/${leaf}/users?inherited=true`);
    assert.deepEqual(users.map(brief), expected.slice(0, 5));
    const above = users[4];
    assert.deepEqual([above.id, above.organizationRoles], [people.Above, [{ id: role, name: 'Reader' }]]);
    assert.match(above.primaryEmail, /^above/);
    const applications = await api.expect(200, 'GET', `/organizations/${leaf}/applications?inherited=true`);
    assert.deepEqual(applications.map(brief), expected.slice(5));
    // Logto's lists hold direct members only.
    assert.equal((await api.expect(200, 'GET', `/organizations/${leaf}/users`)).length, 3);
    assert.equal((await api.expect(200, 'GET', `/organizations/${leaf}/applications`)).length, 0);
    assert.equal((await api.expect(200, 'GET', `/organizations/${leaf}/members`)).length, 3);
  });

  test('they are changed where they come from; adding one here is allowed', async () => {
    const [root = '', middle = '', leaf = ''] = await chain('Root', 'Middle', 'Leaf');
    const ann = await api.user('Ann');
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    const { id } = await api.expect(201, 'POST', `/organizations/${root}/members`, { userId: ann });
    const one = `/organizations/${leaf}/members/${id}`;
    const seen = await api.expect(200, 'GET', one);
    assert.deepEqual([seen.id, seen.organizationId, seen.inherited, seen.inheritedFrom], [id, leaf, true, root]);
    const roles = { organizationRoleIds: [role] };
    for (const [method, path, json] of [
      ['PATCH', one, roles],
      ['PATCH', one, { thisOrganizationOnly: true }],
      ['DELETE', one, undefined],
      ['DELETE', `/organizations/${leaf}/users/${ann}`, undefined],
      ['POST', `/organizations/${leaf}/users/${ann}/roles`, roles],
      ['PUT', `/organizations/${leaf}/users/${ann}/roles`, roles],
      ['DELETE', `/organizations/${leaf}/users/${ann}/roles/${role}`, undefined],
      ['POST', `/organizations/${leaf}/users/roles`, { userIds: [ann], ...roles }],
    ] as const) {
      const refusal = await api.refuse(inherited, method, path, json);
      assert.deepEqual(refusal.data, { organizationId: root, memberId: id }, path);
    }
    await api.refuse([422, 'organization.require_membership'], 'GET', `/organizations/${leaf}/users/${ann}/roles`);
    await api.expect(201, 'POST', `/organizations/${middle}/users`, { userIds: [ann] });
    await api.expect(201, 'POST', `/organizations/${middle}/users/${ann}/roles`, roles);
    const nearest = await api.refuse(inherited, 'DELETE', `/organizations/${leaf}/users/${ann}`);
    assert.equal(nearest.data.organizationId, middle, 'the nearest origin is named');
    await api.expect(204, 'DELETE', `/organizations/${middle}/users/${ann}`);
    await api.expect(200, 'PATCH', `/organizations/${root}/members/${id}`, { thisOrganizationOnly: true });
    await api.refuse([404, 'entity.not_exists_with_id'], 'GET', one);
    await api.refuse([404, 'entity.not_found'], 'DELETE', one);
  });

  test('from above its reach a caller sees a name and no origin', async () => {
    const [root = '', top = '', leaf = ''] = await chain('Hidden root', 'Top', 'Leaf');
    const verbs = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:organization_members`);
    const caller = await delegatedCaller(server, { organizationId: top, scopes: verbs });
    // With a space: the random id of the caller, who is a member too, may hold any three letters.
    const ann = await api.user('Ann Lee');
    const machine = await api.machine('Robot');
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'Superior' });
    const above = await makeMembership(server, {
      organizationId: root,
      subjectId: ann,
      kind: 'user',
      roleIds: [role],
    });
    await makeMembership(server, { organizationId: root, subjectId: machine.clientId, kind: 'client' });
    for (const organizationId of [top, leaf]) {
      const users = await api.call(
        'GET',
        `/organizations/${organizationId}/users?inherited=true`,
        undefined,
        caller.token,
      );
      assert.deepEqual(users.body, [
        {
          id: null,
          name: 'Ann Lee',
          organizationRoles: [{ id: role, name: 'Superior' }],
          membershipId: above,
          inherited: true,
          inheritedFrom: null,
        },
      ]);
      const listed = await api.call(
        'GET',
        `/organizations/${organizationId}/members?inherited=true`,
        undefined,
        caller.token,
      );
      const applications = `/organizations/${organizationId}/applications?inherited=true`;
      const walked = `/organizations/${organizationId}/members?inherited=true&page_size=1&cursor=`;
      const answers = [users, listed, await api.call('GET', applications, undefined, caller.token)];
      for (let next: string | undefined = walked; next !== undefined; ) {
        const page = await api.call('GET', next, undefined, caller.token);
        answers.push(page);
        const link = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
        next = link === undefined ? undefined : link.slice(link.indexOf('/organizations'));
        const cursor = link === undefined ? '' : (new URL(link).searchParams.get('cursor') ?? '');
        const told = Buffer.from(cursor.split('.')[0] ?? '', 'base64url').toString();
        for (const secret of [root, ann, machine.clientId])
          assert.ok(!told.includes(secret), `the cursor tells ${told}`);
      }
      for (const { text } of answers) {
        for (const secret of [root, ann, machine.clientId, 'ann.', 'Hidden']) {
          assert.ok(!text.includes(secret), `${secret} in ${text}`);
        }
      }
      const one = `/organizations/${organizationId}/members/${above}`;
      const seen = await api.expect(200, 'GET', one, undefined, caller.token);
      const { name, userId, primaryEmail, inheritedFrom, createdAt, inherited: isInherited } = seen;
      assert.deepEqual(
        [name, userId, primaryEmail, inheritedFrom, createdAt, isInherited],
        ['Ann Lee', null, null, null, null, true],
      );
      for (const [method, path, json] of [
        ['DELETE', one, undefined],
        ['PATCH', one, { thisOrganizationOnly: true }],
        ['DELETE', `/organizations/${organizationId}/users/${ann}`, undefined],
      ] as const) {
        const refusal = await api.refuse(inherited, method, path, json, caller.token);
        assert.equal(refusal.data, undefined, 'the origin is not named');
      }
      // What is not shown is not found either.
      const search = (q: string) =>
        api.expect(
          200,
          'GET',
          `/organizations/${organizationId}/members?inherited=true&q=${q}`,
          undefined,
          caller.token,
        );
      assert.equal((await search('ann%20lee')).length, 1);
      assert.deepEqual(await search('ann.'), []);
      assert.deepEqual(await search(ann), []);
      assert.deepEqual(await search('example.com'), []);
    }
  });

  test('a role held above counts below, unless its membership says this organization only', async () => {
    const { audience, scopeIds } = await api.api(['read:orders', 'write:orders']);
    const reader = await api.roleOf([scopeIds.get('read:orders') as string]);
    const [root = '', middle = '', leaf = ''] = await chain('Root', 'Middle', 'Leaf');
    const sibling = await makeOrganization(server, 'Sibling', root);
    const machine = await api.machine();
    const body = { applicationId: machine.clientId, organizationRoleIds: [reader] };
    const { id } = await api.expect(201, 'POST', `/organizations/${middle}/members`, body);
    const everywhere = async () => [
      await api.scopesIn(machine, root, audience),
      await api.scopesIn(machine, sibling, audience),
      await api.scopesIn(machine, middle, audience),
      await api.scopesIn(machine, leaf, audience),
    ];
    const [no, yes] = [undefined, ['read:orders']];
    assert.deepEqual(await everywhere(), [no, no, yes, yes]);
    const one = `/organizations/${middle}/members/${id}`;
    await api.expect(200, 'PATCH', one, { thisOrganizationOnly: true });
    assert.deepEqual(await everywhere(), [no, no, yes, no]);
    await api.expect(200, 'PATCH', one, { thisOrganizationOnly: false });
    assert.deepEqual(await everywhere(), [no, no, yes, yes]);
    // Another role below adds to it.
    const writer = await api.roleOf([scopeIds.get('write:orders') as string]);
    await api.expect(201, 'POST', `/organizations/${leaf}/members`, { ...body, organizationRoleIds: [writer] });
    assert.deepEqual(await everywhere(), [no, no, yes, ['read:orders', 'write:orders']]);
  });

  test('inherited access is gone at once: removed above, moved out, suspended above, the parent deleted', async () => {
    const { audience, scopeIds } = await api.api(['read:orders']);
    const reader = await api.roleOf([...scopeIds.values()]);
    const machine = await api.machine();
    const has = async (organizationId: string) => (await api.scopesIn(machine, organizationId, audience)) !== undefined;
    const family = async () => {
      const [root = '', leaf = ''] = await chain('Root', 'Leaf');
      const sibling = await makeOrganization(server, 'Sibling', root);
      const body = { applicationId: machine.clientId, organizationRoleIds: [reader] };
      const { id } = await api.expect(201, 'POST', `/organizations/${root}/members`, body);
      assert.deepEqual([await has(root), await has(leaf), await has(sibling)], [true, true, true]);
      return { root, leaf, sibling, id };
    };

    const removed = await family();
    await api.expect(204, 'DELETE', `/organizations/${removed.root}/members/${removed.id}`);
    assert.deepEqual(
      [await has(removed.root), await has(removed.leaf), await has(removed.sibling)],
      [false, false, false],
    );

    const moved = await family();
    const elsewhere = await makeOrganization(server, 'Elsewhere');
    await api.expect(200, 'POST', `/organizations/${moved.leaf}/move`, { parentId: elsewhere });
    assert.deepEqual([await has(moved.root), await has(moved.leaf), await has(moved.sibling)], [true, false, true]);
    assert.equal(await has(elsewhere), false, 'the new parent gains nothing');
    const gone = `/organizations/${moved.leaf}/members/${moved.id}`;
    await api.refuse([404, 'entity.not_exists_with_id'], 'GET', gone);
    await api.expect(200, 'POST', `/organizations/${moved.leaf}/move`, { parentId: null });
    assert.equal(await has(moved.leaf), false);

    const suspended = await family();
    await api.expect(200, 'PATCH', `/organizations/${suspended.root}`, { status: 'suspended' });
    assert.deepEqual([await has(suspended.root), await has(suspended.leaf)], [false, false]);
    await api.expect(200, 'PATCH', `/organizations/${suspended.root}`, { status: 'active' });
    assert.equal(await has(suspended.leaf), true);

    const deleted = await family();
    await api.expect(200, 'POST', `/organizations/${deleted.leaf}/move`, { parentId: null });
    await api.expect(204, 'DELETE', `/organizations/${deleted.root}?cascade=true`);
    assert.deepEqual(
      [await has(deleted.root), await has(deleted.leaf), await has(deleted.sibling)],
      [false, false, false],
    );
    const left = (await server.rows('memberships')).filter(({ organization_id }) => organization_id === deleted.root);
    assert.deepEqual(left, []);
  });
});
