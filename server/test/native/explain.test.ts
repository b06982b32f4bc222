import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { delegatedCaller, makeMembership, makeOrganization, makeUser, nativeToken } from './delegated.ts';

eachEngine('/api/explain', (engine) => {
  let server: TestServer;
  let token: string;
  let machine: Awaited<ReturnType<TestServer['machine']>>;
  let root: string;
  let child: string;
  let roleId: string;
  let userRoleId: string;
  let tenantRoleId: string;

  const api = async (method: string, path: string, json?: unknown) => {
    const answer = await server.request(method, `/api/${path}`, { token, ...(json === undefined ? {} : { json }) });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
    return answer.body;
  };
  const explain = (question: object, as = token): Promise<Answer> =>
    server.request('POST', '/api/explain', { token: as, json: question });
  /** The failed step and its reason; undefined when all passed. Nothing behind it was reached. */
  const failed = (body: Answer['body']): [string, string] | undefined => {
    const at = body.steps.findIndex(({ outcome }: { outcome: string }) => outcome === 'failed');
    if (at < 0) return undefined;
    for (const { outcome } of body.steps.slice(0, at)) assert.equal(outcome, 'passed');
    for (const { outcome } of body.steps.slice(at + 1)) assert.equal(outcome, 'not_reached');
    assert.ok(body.steps[at].message.length > 10);
    return [body.steps[at].step, body.steps[at].reason];
  };

  before(async () => {
    server = await startServer({ engine });
    token = await nativeToken(server);
    machine = await server.machine({ scopes: ['read:orders', 'write:orders', 'all:orders'], granted: ['read:orders'] });
    root = await makeOrganization(server, 'Root');
    child = await makeOrganization(server, 'Child', root);
    const resource = (await api('GET', 'resources?includeScopes=true')).find(
      ({ indicator }: { indicator: string }) => indicator === machine.audience,
    );
    const scopeId = (name: string) => resource.scopes.find((scope: { name: string }) => scope.name === name).id;
    const organizationScope = await api('POST', 'organization-scopes', { name: 'read:data' });
    const role = { resourceScopeIds: [scopeId('write:orders')], organizationScopeIds: [organizationScope.id] };
    roleId = (await api('POST', 'organization-roles', { name: 'worker', type: 'MachineToMachine', ...role })).id;
    userRoleId = (await api('POST', 'organization-roles', { name: 'reader', ...role })).id;
    const tenantRole = { name: 'everything', description: 'x', type: 'MachineToMachine' };
    tenantRoleId = (await api('POST', 'roles', { ...tenantRole, scopeIds: [scopeId('all:orders')] })).id;
  });
  after(() => server.close());

  test('a client without an organization: its grant, its tenant-wide roles, and what gives each', async () => {
    const ask = { applicationId: machine.clientId, audience: machine.audience };
    const { body, status } = await explain(ask);
    assert.equal(status, 200);
    assert.equal(body.allowed, true);
    assert.deepEqual(body.scopes, ['read:orders']);
    assert.equal(failed(body), undefined);
    assert.deepEqual(body.sources, [
      {
        source: 'client_grant',
        id: machine.grantId,
        name: null,
        organizationId: null,
        inherited: false,
        scopes: ['read:orders'],
      },
    ]);
    await api('POST', `applications/${machine.clientId}/roles`, { roleIds: [tenantRoleId] });
    const wider = (await explain({ ...ask, scopes: ['read:orders', 'write:orders'] })).body;
    assert.equal(wider.allowed, false);
    assert.deepEqual(wider.missingScopes, ['write:orders']);
    assert.deepEqual([...wider.scopes].sort(), ['all:orders', 'read:orders']);
    assert.deepEqual(failed(wider), ['scopes_held', 'scope_not_granted']);
    assert.deepEqual(
      wider.sources.map(({ source, name }: { source: string; name: string | null }) => [source, name]),
      [
        ['client_grant', null],
        ['tenant_role', 'everything'],
      ],
    );
  });

  test('in an organization: a stranger, a member above, this organization only, a suspended ancestor', async () => {
    const ask = { applicationId: machine.clientId, audience: machine.audience, organizationId: child };
    assert.deepEqual(failed((await explain(ask)).body), ['reached', 'organization_denied_by_grant']);
    const membership = await makeMembership(server, {
      organizationId: root,
      subjectId: machine.clientId,
      kind: 'client',
      roleIds: [roleId],
    });
    const { body } = await explain(ask);
    assert.equal(body.allowed, true);
    // The grant denies organizations, and tenant-wide roles count for nothing in one.
    assert.deepEqual(body.scopes, ['write:orders']);
    assert.deepEqual(body.sources.at(-1), {
      source: 'organization_role',
      id: roleId,
      name: 'worker',
      organizationId: root,
      inherited: true,
      scopes: ['write:orders'],
    });
    const alone = (await explain({ applicationId: machine.clientId, organizationId: child })).body;
    assert.deepEqual(alone.scopes, ['read:data']);

    await api('PATCH', `organizations/${root}`, { status: 'suspended' });
    assert.deepEqual(failed((await explain(ask)).body), ['organization_active', 'organization_suspended']);
    await api('PATCH', `organizations/${root}`, { status: 'active' });
    await api('PATCH', `organizations/${root}/members/${membership}`, { thisOrganizationOnly: true });
    assert.deepEqual(failed((await explain(ask)).body), ['reached', 'organization_denied_by_grant']);
    await api('PATCH', `organizations/${root}/members/${membership}`, { thisOrganizationOnly: false });
  });

  test('says what the token endpoint does, for every organization and audience', async () => {
    for (const organizationId of [root, child, 'org_0000000000000000', undefined]) {
      for (const audience of [machine.audience, 'https://nobody.example', server.managementAudience]) {
        const { body } = await explain({ applicationId: machine.clientId, audience, organizationId });
        const answer = await server.token({
          client_id: machine.clientId,
          client_secret: machine.clientSecret,
          audience,
          ...(organizationId === undefined ? {} : { organization: organizationId }),
        });
        assert.equal(body.allowed, answer.status === 200, `${organizationId} ${audience}: ${answer.text}`);
        if (answer.status === 200) assert.equal(body.scopes.join(' '), answer.body.scope);
        const refused = (await server.logEvents()).at(-1);
        if (answer.status !== 200) assert.equal(refused.reason, failed(body)?.[1]);
      }
    }
  });

  test('a user: roles in every organization without one, its own with one; blocked', async () => {
    const userId = await makeUser(server, { email: 'ann@example.com' });
    const ask = { userId, audience: machine.audience };
    assert.deepEqual((await explain(ask)).body.scopes, []);
    await makeMembership(server, { organizationId: root, subjectId: userId, kind: 'user', roleIds: [userRoleId] });
    assert.deepEqual((await explain(ask)).body.scopes, ['write:orders']);
    assert.deepEqual((await explain({ ...ask, organizationId: child })).body.scopes, ['write:orders']);
    await api('PATCH', `users/${userId}/is-suspended`, { isSuspended: true });
    assert.deepEqual(failed((await explain(ask)).body), ['user_active', 'user_inactive']);
  });

  test('bad questions are refused with the field, and nothing changes', async () => {
    const state = await server.stateHash();
    const wrong: [object, number][] = [
      [{}, 400],
      [{ applicationId: machine.clientId }, 400],
      [{ applicationId: machine.clientId, userId: 'x', audience: 'y' }, 400],
      [{ applicationId: 'nobody', audience: machine.audience }, 404],
      [{ userId: 'nobody', audience: machine.audience }, 404],
      [{ applicationId: 5, audience: machine.audience }, 400],
    ];
    for (const [question, status] of wrong) assert.equal((await explain(question)).status, status);
    assert.equal(await server.stateHash(), state);
  });

  test('a delegated caller asks about its own clients in its own subtree; above it, no origin is told', async () => {
    const caller = await delegatedCaller(server, { organizationId: child, scopes: ['explain:access'] });
    const own = { applicationId: caller.clientId, audience: server.nativeAudience, organizationId: child };
    assert.deepEqual((await explain(own, caller.token)).body.scopes, ['explain:access']);
    await makeMembership(server, {
      organizationId: root,
      subjectId: caller.clientId,
      kind: 'client',
      roleIds: [roleId],
    });
    const inherited = (await explain({ ...own, audience: machine.audience }, caller.token)).body.sources;
    assert.deepEqual(
      inherited.map(({ organizationId, inherited }: { organizationId: string | null; inherited: boolean }) => [
        organizationId,
        inherited,
      ]),
      [[null, true]],
    );
    const elsewhere = await explain({ ...own, organizationId: root }, caller.token);
    const nowhere = await explain({ ...own, organizationId: 'org_0000000000000000' }, caller.token);
    assert.equal(elsewhere.status, 404);
    assert.deepEqual(elsewhere.body, nowhere.body);
    const foreign = await explain({ ...own, applicationId: machine.clientId }, caller.token);
    const nobody = await explain({ ...own, applicationId: 'nobody' }, caller.token);
    assert.equal(foreign.status, 404);
    assert.deepEqual(foreign.body, nobody.body);
    const whole = await explain({ applicationId: caller.clientId, audience: machine.audience }, caller.token);
    assert.equal(whole.status, 403);
  });
});
