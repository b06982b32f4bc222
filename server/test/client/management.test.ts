/** The management client against the server, on both engines: every operation, and what all of them have in common. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { ManagementError, OAuthClient } from '../../../client/src/index.ts';
import {
  createAccountsClient,
  createManagementClient,
  etagOf,
  type ManagementClient,
  type ManagementClientOptions,
} from '../../../client/src/management/index.ts';
import { accountsOperations, nativeOperations } from '../../../client/src/management/operations.ts';
import { clientTypes, clientTypesPath, type OpenApi, routeOf } from '../../../scripts/client-types.ts';
import { admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { delegatedCaller } from '../native/delegated.ts';
import { withoutLimits } from '../token/refusals.ts';
import { countedFetch } from './support.ts';

type Table = { readonly [name: string]: string | Table };

const entriesOf = (table: Table): [name: string, entry: string][] =>
  Object.entries(table).flatMap(([name, entry]) =>
    typeof entry === 'string'
      ? [[name, entry] as [string, string]]
      : entriesOf(entry).map(([inner, route]) => [`${name}.${inner}`, route] as [string, string]),
  );
const operations = [...entriesOf(nativeOperations), ...entriesOf(accountsOperations)];
const plain = (entry: string): string => entry.replace(/^LIST /, 'GET ').replace(/^(SEARCH|ASK) /, 'POST ');

describe('the operations of the client', () => {
  let document: OpenApi;
  before(async () => {
    const server = await startServer();
    document = (await server.request('GET', '/api/openapi.json')).body;
    await server.close();
  });

  test('are the routes of the server: none is missing, none is more', () => {
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => routeOf(method, path)),
    );
    assert.ok(routes.length > 150);
    assert.deepEqual([...new Set(operations.map(([, entry]) => plain(entry)))].sort(), routes.sort());
  });

  test('are lists where the server pages, and have a body where the server takes one', () => {
    for (const [name, entry] of operations) {
      const [method = '', path = ''] = plain(entry).split(' ');
      const operation = document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
      const isPaged =
        entry.startsWith('SEARCH ') || (operation?.parameters ?? []).some((parameter) => parameter.name === 'cursor');
      assert.equal(/^(LIST|SEARCH) /.test(entry), isPaged, name);
      const takesBody = ['POST', 'PUT', 'PATCH'].includes(method) && !entry.startsWith('ASK ');
      assert.equal(operation?.requestBody !== undefined, takesBody, name);
    }
  });

  test('have the types of the contract: the committed file is what the server’s document says', () => {
    assert.equal(readFileSync(clientTypesPath, 'utf8'), clientTypes(document), 'node scripts/client-types.ts');
  });
});

eachEngine('the management client', (engine) => {
  let server: TestServer;
  let management: ManagementClient;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    management = clientWith().management;
  });
  after(() => server.close());

  const clientWith = (credentials = admin, more: Partial<ManagementClientOptions> = {}, issuer = server.issuer) => {
    const counted = countedFetch();
    const { clientId, clientSecret } = credentials;
    const auth = new OAuthClient({ issuer, clientId, clientSecret, now: () => clock.now() });
    const options = { baseUrl: server.origin, auth, fetch: counted.fetch, ...more };
    return { counted, auth, management: createManagementClient(options) };
  };

  /** The work is refused so, and nothing has changed. */
  async function refused(work: () => Promise<unknown>, status: number, code: string): Promise<ManagementError> {
    const before = await server.stateHash();
    const error = await work().then(
      () => assert.fail('it was answered'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ManagementError, String(error));
    assert.deepEqual([error.status, error.code], [status, code], error.message);
    assert.equal(await server.stateHash(), before);
    return error;
  }

  test('makes a tree, a machine member with a role, and asks why it may', async () => {
    const acme = await management.organizations.create({ name: 'Acme' });
    const tokyo = await management.organizations.create({ name: 'Acme Tokyo', parentId: acme.id });
    const api = await management.resources.create({ name: 'Invoices', indicator: 'https://invoices.example' });
    const scope = await management.resources.createScope(api.id, { name: 'read:invoices', description: null });
    const role = await management.organizationRoles.create({
      name: 'accounting',
      type: 'MachineToMachine',
      resourceScopeIds: [scope.id],
    });
    const application = await management.applications.create({ name: 'Backend', type: 'MachineToMachine' });
    const member = await management.members.add(acme.id, {
      applicationId: application.id,
      organizationRoleIds: [role.id],
    });
    assert.equal(member.organizationId, acme.id);
    const inherited = await management.members.list(tokyo.id, { inherited: true }).all();
    assert.deepEqual(
      inherited.map(({ id, inheritedFrom }) => [id, inheritedFrom]),
      [[member.id, acme.id]],
    );
    const question = {
      applicationId: application.id,
      audience: 'https://invoices.example',
      organizationId: tokyo.id,
    };
    const { allowed, scopes } = await management.explain(question);
    assert.deepEqual([allowed, scopes], [true, ['read:invoices']]);
    const { tree } = await management.organizations.tree(acme.id);
    assert.equal(tree.children[0]?.children.length, 0);
    assert.equal(tree.children[0]?.id, tokyo.id);
    assert.equal(await management.members.remove(acme.id, member.id), undefined);
    assert.equal((await management.explain(question)).allowed, false);
  });

  test('walks every list of the server by cursor', async () => {
    const root = await management.organizations.create({ name: 'Walk' });
    const user = await management.users.create({ username: 'walker' });
    const application = await management.applications.create({ name: 'Walk', type: 'MachineToMachine' });
    const api = await management.resources.create({ name: 'Walk', indicator: 'https://walk.example' });
    const role = await management.roles.create({ name: 'Walk', description: 'Walks.' });
    const organizationRole = await management.organizationRoles.create({ name: 'Walk' });
    const policy = await management.authPolicies.create({ name: 'walk', type: 'password' });
    assert.deepEqual(await management.authPolicies.test(policy.id), { ok: true });
    await management.organizationUsers.add(root.id, { userIds: [user.id] });
    await management.organizationApplications.add(root.id, { applicationIds: [application.id] });
    const ids: Record<string, string> = {
      organizations: root.id,
      'organization-roles': organizationRole.id,
      users: user.id,
      applications: application.id,
      roles: role.id,
      resources: api.id,
      'auth-policies': policy.id,
    };
    let walked = 0;
    for (const [name, entry] of entriesOf(nativeOperations)) {
      if (!entry.startsWith('LIST ')) continue;
      const owners = [...entry.matchAll(/([\w-]+)\/:\w+/g)].map(([, owner]) => ids[owner as string] as string);
      const [group, method] = name.split('.') as [keyof ManagementClient, string];
      // biome-ignore lint/suspicious/noExplicitAny: any of the lists
      const list = (management as any)[group][method](...owners, { page_size: 1 });
      const items: unknown[] = await list.all();
      const { next } = await list.page();
      assert.equal(next !== undefined, items.length > 1, `${name}: ${items.length}`);
      walked += 1;
    }
    assert.ok(walked >= 30);
  });

  test('reads all pages, each item once, and a page by its number', async () => {
    const root = await management.organizations.create({ name: 'Many' });
    const { organizationIds } = await management.organizations.createMany({
      organizations: Array.from({ length: 45 }, (_, place) => ({ name: `Many ${place}`, parentId: root.id })),
    });
    const { management: counted, counted: requests } = clientWith();
    const found: string[] = [];
    for await (const { id } of counted.organizations.listChildren(root.id)) found.push(id);
    assert.deepEqual(found.sort(), organizationIds.sort());
    assert.equal(requests.count(`/api/organizations/${root.id}/children`), 3);
    const { items, total, next } = await counted.organizations
      .listChildren(root.id, { page_size: 40 })
      .page({ page: 2 });
    assert.deepEqual([items.length, total, next], [5, 45, undefined]);
    const named = await counted.organizations.list({ q: 'many 4', page_size: 2 }).all();
    assert.equal(named.length, 6);
  });

  test('searches as Logto does, field by field', async () => {
    const user = await management.users.create({ username: 'searched_one', name: 'Grace' });
    await management.users.create({ username: 'searched_two', name: 'Ada' });
    const found = await management.users
      .list({ 'search.username': 'searched%', 'search.name': 'Grace', joint: 'and' })
      .all();
    assert.deepEqual(
      found.map(({ id }) => id),
      [user.id],
    );
  });

  test('dryRun changes nothing and answers what would be', async () => {
    const before = await server.stateHash();
    const { name } = await management.organizations.create({ name: 'Never' }, { dryRun: true });
    assert.equal(name, 'Never');
    assert.equal(await server.stateHash(), before);
  });

  test('idempotencyKey: made twice, there once', async () => {
    const options = { idempotencyKey: `key-${engine}` };
    const first = await management.organizations.create({ name: 'Once' }, options);
    assert.equal((await management.organizations.create({ name: 'Once' }, options)).id, first.id);
    await refused(() => management.organizations.create({ name: 'Twice' }, options), 422, 'idempotency.key_reused');
  });

  test('ifMatch: an editor who comes late is told', async () => {
    const { id } = await management.organizations.create({ name: 'Edited' });
    const read = await management.organizations.get(id);
    const ifMatch = etagOf(read) as string;
    const changed = await management.organizations.update(id, { name: 'Edited once' }, { ifMatch });
    await refused(() => management.organizations.update(id, { name: 'Lost' }, { ifMatch }), 412, 'etag.mismatch');
    await management.organizations.update(id, { name: 'Edited twice' }, { ifMatch: etagOf(changed) as string });
    assert.equal((await management.organizations.get(id)).name, 'Edited twice');
  });

  test('a refusal says status, code, field, and never the token', async () => {
    const missing = await refused(() => management.organizations.get('org_none'), 404, 'entity.not_exists_with_id');
    assert.doesNotMatch(inspect(missing, { showHidden: true, depth: 9 }), /eyJ/);
    const wrong = await refused(() => management.organizations.create({ name: '' }), 400, 'guard.invalid_input');
    assert.equal(wrong.path, 'name');
    const stranger = createManagementClient({ baseUrl: server.origin, bearerToken: 'not-a-jwt' });
    await refused(() => stranger.organizations.create({ name: 'x' }), 401, 'auth.unauthorized');
    const reader = await server.machine({ scopes: ['x'] });
    const elsewhere = new OAuthClient({ issuer: server.issuer, ...reader });
    await refused(
      () =>
        clientWith(admin, { auth: elsewhere, audience: reader.audience }).management.organizations.create({
          name: 'x',
        }),
      401,
      'auth.unauthorized',
    );
  });

  test('an id with a slash, dots or a query in it stays one id', async () => {
    for (const id of ['a/b', '../users', 'a?cascade=true', 'a#b', '%2e%2e', 'あ']) {
      await refused(() => management.organizations.delete(id), 404, 'entity.not_found');
    }
  });

  test('a token that the server does not take any more is replaced once', async () => {
    const { management: own, auth, counted } = clientWith();
    const token = await auth.accessToken({ audience: server.nativeAudience });
    const { clientId, clientSecret } = admin;
    const form = { token, client_id: clientId, client_secret: clientSecret };
    assert.equal((await server.request('POST', '/oauth/revoke', { form })).status, 200);
    await own.organizations.create({ name: 'After a revocation' });
    assert.equal(counted.count('/api/organizations'), 2);
  });

  test('with tokens of the other issuer', async () => {
    const { management: other } = clientWith(admin, { scope: ['all'] }, `${server.origin}/oidc`);
    assert.ok((await other.organizations.list().page()).items.length > 0);
  });

  test('for one organization it sees and changes nothing else', async () => {
    const root = await management.organizations.create({ name: 'Own' });
    const other = await management.organizations.create({ name: 'Other' });
    const caller = await delegatedCaller(server, {
      organizationId: root.id,
      scopes: ['read:organizations', 'create:organizations'],
    });
    const { management: own } = clientWith(caller, { organization: root.id });
    const child = await own.organizations.create({ name: 'Below' });
    assert.equal((await management.organizations.get(child.id)).parentId, root.id);
    assert.deepEqual((await own.organizations.list().all()).map(({ id }) => id).sort(), [child.id, root.id].sort());
    await refused(() => own.organizations.get(other.id), 404, 'entity.not_exists_with_id');
    await refused(() => own.organizations.delete(child.id), 403, 'auth.forbidden');
  });

  test('what the server needs no token for answers, too', async () => {
    assert.equal(await management.server.status(), undefined);
    assert.ok((await management.dashboard.totalUsers()).totalUserCount >= 1);
    assert.ok((await management.logs.list({ page_size: 5 }).page()).items.length === 5);
    const accounts = createAccountsClient({
      baseUrl: server.origin,
      auth: () => server.managementToken(server.nativeAudience),
    });
    assert.ok((await accounts.listAccounts({ limit: 2 }).all()).length > 2);
  });
});
