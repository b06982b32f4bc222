/** A token for one account: it acts in that account's subtree; what lies outside answers as if it were not there. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { delegatedCaller, makeOrganizationRole } from '../native/delegated.ts';
import {
  accountMissing,
  applicationMissing,
  assertRefused,
  type Call,
  caller,
  got,
  makeAccount,
  makeMember,
  makeUser,
} from './support.ts';

const everything = ['organizations', 'organization_members', 'users'].flatMap((noun) =>
  ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:${noun}`),
);

const denied = {
  error: 'access_denied',
  error_description: 'A token for one account can not do this.',
  code: 'auth.organization_token',
};

eachEngine('a token for one account', (engine) => {
  let server: TestServer;
  let call: Call;
  let own: Call;
  /** The caller's account below `top`, one below it, and a stranger's tree; each with a member. */
  let ids: Record<
    'top' | 'mine' | 'child' | 'strange' | 'strangeChild' | 'topMember' | 'member' | 'strangeMember',
    string
  >;
  let topOwner: string;
  let user: string;

  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    call = caller(server);
    const top = await makeAccount(call, 'Reseller');
    const mine = await makeAccount(call, 'Customer', top);
    const child = await makeAccount(call, 'Team', mine);
    const strange = await makeAccount(call, 'Stranger');
    const strangeChild = await makeAccount(call, 'Stranger team', strange);
    topOwner = await makeUser(call, { name: 'Reseller’s owner' });
    user = await makeUser(call);
    const topMember = await makeMember(call, top, topOwner, 'owner');
    const member = await makeMember(call, mine, user, 'member');
    const strangeMember = await makeMember(call, strange, user, 'owner');
    ids = { top, mine, child, strange, strangeChild, topMember, member, strangeMember };
    own = caller(server, (await delegatedCaller(server, { organizationId: mine, scopes: everything })).token);
  });
  after(() => server.close());

  test('it sees its own subtree, and no parent above it', async () => {
    const idsOf = (page: { data: { id: string }[] }) => page.data.map(({ id }) => id);
    const root = await got(own('GET', '/accounts'));
    assert.deepEqual(idsOf(root), [ids.mine]);
    assert.equal(root.data[0].parent_account_id, null);
    assert.deepEqual(idsOf(await got(own('GET', `/accounts/${ids.mine}/tree`))), [ids.mine, ids.child]);
    assert.deepEqual(idsOf(await got(own('GET', `/accounts?parent_id=${ids.mine}`))), [ids.child]);
    const found = await got(own('POST', `/accounts/${ids.mine}/accounts/search`, { query: '' + 's' }));
    assert.deepEqual(idsOf(found), []);
    const below = await got(own('POST', '/accounts', { name: 'Made without a parent' }), 201);
    assert.equal(below.parent_account_id, ids.mine);
    await got(own('PATCH', `/accounts/${below.id}`, { name: 'Renamed', status: 'suspended' }));
    await got(own('POST', `/accounts/${below.id}/move`, { parent_id: ids.child }));
    await got(own('DELETE', `/accounts/${below.id}`), 204);
  });

  test('members inherited from above its account are shown without origin', async () => {
    const members = await got(own('GET', `/accounts/${ids.child}/members`));
    const people = members.data.filter(({ client_id }: { client_id: string | null }) => client_id === null);
    const shown = people.map((one: Record<string, unknown>) => [
      one.user_id,
      one.name,
      one.account_id,
      one.role,
      one.inherited,
      one.inherited_from,
    ]);
    assert.deepEqual(shown, [
      [user, null, ids.child, 'member', true, ids.mine],
      [null, 'Reseller’s owner', ids.child, 'owner', true, null],
    ]);
    const hidden = await got(own('GET', `/accounts/${ids.child}/members/${ids.topMember}`));
    assert.deepEqual([hidden.user_id, hidden.client_id, hidden.inherited_from], [null, null, null]);
    for (const text of [ids.top, topOwner]) assert.ok(!JSON.stringify([members, hidden]).includes(text), text);
    const path = `/accounts/${ids.child}/members/${ids.topMember}`;
    for (const act of [() => own('PATCH', path, { role: 'viewer' }), () => own('DELETE', path)]) {
      await assertRefused(server, act, 409, {
        error: 'conflict',
        error_description: 'The member comes from an account above; change it there.',
        code: 'organization.member_inherited',
      });
    }
  });

  test('what is not its own answers as what is not there, on every route', async () => {
    const ghost = 'org_0000000000000000';
    const before = await server.stateHash();
    for (const foreign of [ids.top, ids.strange, ids.strangeChild]) {
      for (const [method, path, json] of [
        ['GET', '/accounts/:id', undefined],
        ['PATCH', '/accounts/:id', { name: 'x' }],
        ['DELETE', '/accounts/:id', undefined],
        ['DELETE', '/accounts/:id?cascade=true', undefined],
        ['GET', '/accounts/:id/accounts', undefined],
        ['POST', '/accounts/:id/accounts', { name: 'x' }],
        ['GET', '/accounts/:id/tree', undefined],
        ['POST', '/accounts/:id/move', { parent_id: ids.mine }],
        ['POST', '/accounts/:id/accounts/search', { query: 'x' }],
        ['GET', '/accounts?parent_id=:id', undefined],
        ['GET', '/accounts/:id/members', undefined],
        ['POST', '/accounts/:id/members', { user_id: user, role: 'viewer' }],
        ['POST', '/accounts/:id/members/search', { query: 'x' }],
        ['GET', `/accounts/:id/members/${ids.strangeMember}`, undefined],
        ['PATCH', `/accounts/:id/members/${ids.strangeMember}`, { role: 'viewer' }],
        ['DELETE', `/accounts/:id/members/${ids.strangeMember}`, undefined],
      ] as const) {
        const answers = [];
        for (const id of [foreign, ghost]) {
          const { status, body, headers } = await own(method, path.replace(':id', id), json);
          answers.push([status, body, headers.get('www-authenticate')]);
        }
        assert.deepEqual(answers[0], answers[1], `${method} ${path}`);
        assert.deepEqual(answers[0]?.slice(0, 2), [404, accountMissing], `${method} ${path}`);
      }
      const moved = await own('POST', `/accounts/${ids.child}/move`, { parent_id: foreign });
      assert.deepEqual([moved.status, moved.body], [404, { ...accountMissing, field: 'parent_id' }]);
    }
    // A member of another tree, asked for in its own one.
    for (const member of [ids.strangeMember, 'mem_0000000000000000']) {
      const { status, body } = await own('GET', `/accounts/${ids.mine}/members/${member}`);
      assert.deepEqual([status, body.error_description], [404, 'The member does not exist.']);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('the top of its reach is not its to end, and no root is its to make', async () => {
    for (const act of [
      () => own('DELETE', `/accounts/${ids.mine}?cascade=true`),
      () => own('PATCH', `/accounts/${ids.mine}`, { status: 'suspended' }),
      () => own('POST', `/accounts/${ids.mine}/move`, { parent_id: ids.child }),
      () => own('POST', `/accounts/${ids.child}/move`, { parent_id: null }),
    ]) {
      const before = await server.stateHash();
      const answer = await act();
      assert.deepEqual([answer.status, answer.body], [403, denied]);
      assert.equal(await server.stateHash(), before);
    }
  });

  test('it adds nobody who was not invited, whether or not they exist, and makes no users', async () => {
    for (const user_id of [topOwner, '000000000000000000000000']) {
      await assertRefused(
        server,
        () => own('POST', `/accounts/${ids.child}/members`, { user_id, role: 'viewer' }),
        403,
        denied,
      );
    }
    for (const id of [admin.clientId, 'nobody']) {
      await assertRefused(server, () => own('POST', `/applications/${id}/users`, {}), 403, denied);
      await assertRefused(server, () => own('GET', `/applications/${id}/users`), 403, denied);
    }
    await makeOrganizationRole(server, { name: 'idle', scopes: [] });
    await assertRefused(
      server,
      () => own('POST', `/accounts/${ids.child}/members`, { client_id: admin.clientId, role: 'idle' }),
      404,
      { ...applicationMissing, code: 'entity.reference_not_found', field: 'client_id' },
    );
  });

  test('it gives no more than it holds', async () => {
    await makeOrganizationRole(server, { name: 'app maker', kind: 'user', scopes: ['create:applications'] });
    for (const role of ['app maker', 'owner']) {
      const before = await server.stateHash();
      const answer = await own('PATCH', `/accounts/${ids.mine}/members/${ids.member}`, { role });
      assert.deepEqual(
        [answer.status, answer.body.error, answer.body.code],
        [403, 'access_denied', 'auth.exceeds_own'],
      );
      assert.equal(await server.stateHash(), before);
    }
    const changed = await got(own('PATCH', `/accounts/${ids.mine}/members/${ids.member}`, { role: 'viewer' }));
    assert.equal(changed.role, 'viewer');
  });

  test('a refusal by a verb is logged with its reason', async () => {
    const refusals = (await server.logEvents()).filter(({ kind }) => kind === 'access.refused');
    assert.ok(refusals.some(({ reason }) => reason === 'auth.exceeds_own'));
    assert.ok(refusals.some(({ reason }) => reason === 'auth.organization_token'));
  });
});
