/** docs/mapping.md: what one thing is in each dialect. Made through one, read through the others. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type LogKind, logKinds } from '../src/domain/logs/kinds.ts';
import { logTypes } from '../src/http/auth0/logs/types.ts';
import { keyOf } from '../src/http/native/logs/keys.ts';
import { eachEngine, startServer, type TestServer } from './harness.ts';
import { Members } from './native/members-support.ts';

const page = readFileSync(new URL('../../docs/mapping.md', import.meta.url), 'utf8');

/** The rows of a section's table, each as its cells without code marks. */
function rowsOf(section: string): string[][] {
  const text = page.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  const [, , ...rows] = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

test('every kind of log event is on the page, with its key in each dialect', () => {
  const expected = (Object.keys(logKinds) as LogKind[]).map((kind) => [kind, keyOf(kind), logTypes[kind]]);
  assert.deepEqual(rowsOf('Log events'), expected);
});

eachEngine('one thing in each dialect', (engine) => {
  let server: TestServer;
  let native: Members;
  before(async () => {
    server = await startServer({ engine });
    native = await Members.of(server);
  });
  after(() => server.close());

  const auth0 = (method: string, path: string, json?: unknown) => server.manage(method, path, json);

  describe('defaults belong to the dialect that makes a thing', () => {
    test('an API', async () => {
      const ours = await native.expect(201, 'POST', '/resources', { name: 'A', indicator: 'https://a.example' });
      const theirs = await auth0('POST', '/resource-servers', { name: 'B', identifier: 'https://b.example' });
      const readByThem = await auth0('GET', `/resource-servers/${ours.id}`);
      assert.deepEqual([readByThem.token_lifetime, readByThem.token_dialect], [3600, 'rfc9068_profile']);
      assert.deepEqual([theirs.token_lifetime, theirs.token_dialect], [86_400, 'access_token']);
      const readByUs = await native.expect(200, 'GET', `/resources/${theirs.id}`);
      assert.deepEqual([readByUs.accessTokenTtl, readByUs.indicator], [86_400, 'https://b.example']);
    });

    test('an application: type, grant types, method', async () => {
      for (const [type, shown, appType] of rowsOf('Types of applications, and which are public')) {
        const body = appType === 'absent' ? {} : { app_type: appType };
        const machine = { resource_server_identifier: 'https://a.example' };
        const client = await auth0('POST', '/clients', {
          name: `Their ${type}`,
          ...body,
          ...(appType === 'resource_server' ? machine : {}),
        });
        const read = await native.expect(200, 'GET', `/applications/${client.client_id}`);
        assert.equal(read.type, shown, type);
        assert.equal(client.app_type, appType === 'absent' ? undefined : appType);
        if (appType === 'absent' || appType === 'resource_server') continue;
        const made = await native.expect(200, 'POST', '/applications', { name: `Our ${type}`, type: shown });
        const readByThem = await auth0('GET', `/clients/${made.id}`);
        assert.equal(readByThem.app_type, appType);
        const isMachine = type === 'machine';
        const [ourTypes, theirTypes] = [readByThem.grant_types, client.grant_types];
        assert.deepEqual(ourTypes, isMachine ? ['client_credentials'] : ['authorization_code', 'refresh_token']);
        const four = ['authorization_code', 'implicit', 'refresh_token', 'client_credentials'];
        assert.deepEqual(theirTypes, isMachine ? ['client_credentials'] : four);
        const isPublic = type === 'browser' || type === 'native';
        assert.equal(readByThem.token_endpoint_auth_method, isPublic ? 'none' : undefined);
        assert.equal('secret' in made, !isPublic, 'who can not keep a secret gets none');
      }
    });

    test('a user', async () => {
      const ours = await native.expect(200, 'POST', '/users', {
        primaryEmail: 'u@a.example',
        primaryPhone: '81312345678',
      });
      const theirs = await auth0('POST', '/users', {
        connection: 'Username-Password-Authentication',
        email: 'u@b.example',
        password: 'Analytical-Engine-1843',
      });
      const readByThem = await auth0('GET', `/users/${encodeURIComponent(`auth0|${ours.id}`)}`);
      const { email, email_verified, phone_number, phone_verified, name, blocked } = readByThem;
      assert.deepEqual(
        [email, email_verified, phone_number, phone_verified, name, blocked],
        ['u@a.example', true, '+81312345678', true, undefined, false],
      );
      assert.equal(theirs.email_verified, false);
      const application = await native.expect(200, 'POST', '/applications', {
        name: 'Makes',
        type: 'MachineToMachine',
      });
      const made = await native.expect(201, 'POST', `/applications/${application.id}/users`, { email: 'u@c.example' });
      const typed = await auth0('GET', `/users/${encodeURIComponent(`auth0|${made.id}`)}`);
      assert.deepEqual([typed.email, typed.email_verified], ['u@c.example', false]);
      const readByUs = await native.expect(200, 'GET', `/users/${theirs.user_id.replace('auth0|', '')}`);
      assert.deepEqual(
        [readByUs.primaryEmail, readByUs.name, readByUs.status],
        ['u@b.example', 'u@b.example', 'active'],
      );
    });
  });

  test('public is who has the method none, or is browser or native with none set, asked at each change', async () => {
    const organization = await native.expect(201, 'POST', '/organizations', { name: 'Public or not' });
    const join = (id: string) =>
      native.call('POST', `/organizations/${organization.id}/applications`, { applicationIds: [id] });
    const client = async (more: object) => (await auth0('POST', '/clients', { name: 'C', ...more })).client_id;
    for (const [more, isPublic] of [
      [{ app_type: 'non_interactive' }, false],
      [{ app_type: 'regular_web', token_endpoint_auth_method: 'none' }, true],
      [{ app_type: 'spa' }, true],
      [{ app_type: 'native' }, true],
      [{ app_type: 'native', token_endpoint_auth_method: 'client_secret_post' }, false],
      [{}, false],
    ] as const) {
      assert.equal((await join(await client(more))).status, isPublic ? 422 : 201, JSON.stringify(more));
    }
    const id = await client({ app_type: 'regular_web' });
    await auth0('PATCH', `/clients/${id}`, { token_endpoint_auth_method: 'none' });
    assert.equal((await join(id)).status, 422);
  });

  test('status of users, clients, organizations', async () => {
    const application = await native.expect(200, 'POST', '/applications', { name: 'App', type: 'MachineToMachine' });
    for (const status of ['active', 'blocked', 'awaiting_approval']) {
      const user = await native.expect(201, 'POST', `/applications/${application.id}/users`, { status });
      assert.equal(user.status, status);
      const ours = await native.expect(200, 'GET', `/users/${user.id}`);
      assert.deepEqual(
        [ours.status, ours.isSuspended, ours.applicationId],
        [status, status !== 'active', application.id],
      );
      const theirs = await auth0('GET', `/users/${encodeURIComponent(`auth0|${user.id}`)}`);
      assert.equal(theirs.blocked, status !== 'active');
      assert.equal(theirs.status, status === 'awaiting_approval' ? status : undefined);
    }
    await native.expect(200, 'PATCH', `/applications/${application.id}`, { status: 'disabled' });
    assert.equal((await auth0('GET', `/clients/${application.id}`)).enabled, false);
    const organization = await native.expect(201, 'POST', '/organizations', { name: 'Stopped', status: 'suspended' });
    assert.equal((await native.expect(200, 'GET', `/accounts/${organization.id}`)).status, 'suspended');
    assert.equal('status' in (await auth0('GET', `/organizations/${organization.id}`)), false);
  });

  test('an organization: its names, its metadata, one id', async () => {
    const theirs = await auth0('POST', '/organizations', {
      name: 'acme-inc',
      display_name: 'Acme',
      metadata: { a: 'b' },
    });
    const ours = await native.expect(200, 'GET', `/organizations/${theirs.id}`);
    assert.deepEqual([ours.name, ours.slug, ours.customData, ours.parentId], ['Acme', 'acme-inc', { a: 'b' }, null]);
    const account = await native.expect(200, 'GET', `/accounts/${theirs.id}`);
    assert.deepEqual([account.name, account.metadata, account.parent_account_id], ['Acme', { a: 'b' }, null]);
    const made = await native.expect(201, 'POST', `/accounts/${theirs.id}/accounts`, { name: 'Acme' });
    const child = await native.expect(200, 'GET', `/organizations/${made.id}`);
    assert.deepEqual([child.parentId, child.slug, child.status], [theirs.id, 'acme', 'active']);
    const twin = await native.expect(201, 'POST', '/organizations', { name: 'Acme', customData: { n: 1, t: 'x' } });
    assert.match(twin.slug, /^acme-[0-9a-f]{8}$/);
    const read = await auth0('GET', `/organizations/${twin.id}`);
    assert.deepEqual([read.name, read.display_name, read.metadata], [twin.slug, 'Acme', { t: 'x' }]);
    await native.expect(200, 'PATCH', `/organizations/${twin.id}`, { name: 'Zenith' });
    assert.equal((await auth0('GET', `/organizations/${twin.id}`)).name, twin.slug, 'the slug stays');
  });

  test('levels of roles: who lists what', async () => {
    const named = async (path: string) => (await native.expect(200, 'GET', `${path}?page_size=100`)).map(nameOf);
    const make = {
      '/api/roles, for users': () => native.expect(200, 'POST', '/roles', { name: 'r1', description: '' }),
      '/api/roles, for machines': () =>
        native.expect(200, 'POST', '/roles', { name: 'r2', description: '', type: 'MachineToMachine' }),
      '/api/organization-roles': () => native.expect(201, 'POST', '/organization-roles', { name: 'r3' }),
      '/api/v2/roles': () => auth0('POST', '/roles', { name: 'r4' }),
      'the accounts API (owner, member, viewer)': async () => {
        const account = await native.expect(201, 'POST', '/accounts', { name: 'First use' });
        const user_id = await native.user('Owner');
        await native.expect(201, 'POST', `/accounts/${account.id}/members`, { user_id, role: 'owner' });
        return { name: 'owner' };
      },
    };
    const rows = rowsOf('Levels of roles');
    assert.deepEqual(
      rows.map(([by]) => by),
      Object.keys(make),
    );
    for (const [by, level, inRoles, inOrganizationRoles, inTheirs] of rows) {
      const { name } = await make[by as keyof typeof make]();
      const lists = [
        await named('/roles'),
        await named('/organization-roles'),
        (await auth0('GET', '/roles?per_page=100')).map(nameOf),
      ];
      assert.deepEqual(
        lists.map((list: string[]) => (list.includes(name) ? 'yes' : 'no')),
        [inRoles, inOrganizationRoles, inTheirs],
        by,
      );
      const row = (await server.rows('roles')).find((one) => one.name === name && one.tenant_id === 'default');
      assert.equal(row.level, level, by);
      assert.equal(row.is_owner, name === 'owner' ? 1 : 0);
    }
  });

  test('a log event carries its kind in each dialect', async () => {
    await native.expect(201, 'POST', '/organizations', { name: 'Logged' });
    const [ours] = await native.expect(200, 'GET', '/logs?logKey=organization.created');
    assert.deepEqual([ours.key, ours.payload.params.kind], ['organization.created', 'organization.created']);
    const theirs = (await server.logEvents()).find(({ kind }) => kind === 'organization.created');
    assert.equal((await auth0('GET', `/logs/${theirs.id}`)).details.kind, 'organization.created');
    assert.equal((await auth0('GET', `/logs/${theirs.id}`)).type, 'sapi');
  });
});

const nameOf = ({ name }: { name: string }): string => name;
