import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  createClientGrant,
  deleteClientGrant,
  updateClientGrant,
} from '../../src/domain/client-grants/client-grants.ts';
import { createClient, updateClient } from '../../src/domain/clients/clients.ts';
import { createKey, updateCredential } from '../../src/domain/clients/credentials.ts';
import { rotateSecret } from '../../src/domain/clients/secrets.ts';
import { nowhere } from '../../src/domain/context.ts';
import { rsaKeys } from '../auth0/support.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import {
  type DelegatedCaller,
  delegatedCaller,
  makeMembership,
  makeOrganization,
  makeOrganizationRole,
} from './delegated.ts';
import { Members } from './members-support.ts';

const wholeTenant = [403, 'auth.organization_token'] as const;
const exceeds = [403, 'auth.exceeds_own'] as const;

eachEngine('applications of a token for an organization', (engine) => {
  let server: TestServer;
  let native: Members;
  let root: string;
  let below: string;
  let elsewhere: string;
  let caller: DelegatedCaller;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
    root = await makeOrganization(server, 'Customer');
    below = await makeOrganization(server, 'Branch', root);
    elsewhere = await makeOrganization(server, 'Competitor');
    caller = await delegatedCaller(server, { organizationId: root, scopes: ['all'] });
  });
  after(() => server.close());

  const as = (status: number, method: string, path: string, json?: unknown) =>
    native.expect(status, method, path, json, caller.token);
  const refuse = (expected: readonly [number, string], method: string, path: string, json?: unknown) =>
    native.refuse(expected, method, path, json, caller.token);
  const idsOf = (list: { id: string }[]) => list.map(({ id }) => id);
  const machine = (name: string, more = {}) => ({ name, type: 'MachineToMachine', ...more });
  /** The caller as the verbs know it, for doors that the native API does not open. */
  const asCaller = async () => {
    const { services } = server.composed;
    const [{ path }] = (await server.rows('organizations')).filter(({ id }) => id === root) as [{ path: string }];
    const actor = {
      kind: 'client' as const,
      clientId: caller.clientId,
      scopes: new Set(['all']),
      tokenId: 'none',
      organization: { id: root, path },
    };
    return { ...services, site: services.sites.ofTenant('default'), actor, origin: nowhere };
  };
  const refused = async (code: string, work: () => Promise<unknown>) => {
    const before = await server.stateHash();
    await assert.rejects(work(), { code });
    assert.equal(await server.stateHash(), before);
  };

  test('it makes machines, which its organization owns, or one below', async () => {
    const own = await as(200, 'POST', '/applications', machine('Own'));
    const deeper = await as(200, 'POST', '/applications', machine('Deeper', { organizationId: below }));
    assert.deepEqual([own.ownerOrganizationId, deeper.ownerOrganizationId], [root, below]);
    assert.match(own.secret, /^[0-9A-Za-z]{64}$/);
    const listed = await as(200, 'GET', '/applications');
    assert.deepEqual(idsOf(listed).sort(), [caller.clientId, own.id, deeper.id].sort());
    assert.deepEqual(idsOf(await as(200, 'GET', '/applications?cursor=')), idsOf(listed));
    const narrow = await delegatedCaller(server, { organizationId: below, scopes: ['all'] });
    const narrower = await native.expect(200, 'GET', '/applications', undefined, narrow.token);
    assert.deepEqual(idsOf(narrower).sort(), [narrow.clientId, deeper.id].sort());
    await as(204, 'DELETE', `/applications/${narrow.clientId}`);

    const unknown = [404, 'entity.relation_foreign_key_not_found'] as const;
    const theirs = await refuse(unknown, 'POST', '/applications', machine('x', { organizationId: elsewhere }));
    const nothing = await refuse(unknown, 'POST', '/applications', machine('x', { organizationId: 'org_nothing' }));
    assert.deepEqual(theirs, nothing);
    assert.equal(theirs.data.path, 'organizationId');
  });

  test('it makes nothing that people sign in to, others trust, or that sees tokens', async () => {
    for (const type of ['SPA', 'Native', 'Traditional']) {
      await refuse(wholeTenant, 'POST', '/applications', { name: type, type });
    }
    await refuse(wholeTenant, 'POST', '/applications', machine('x', { isThirdParty: true }));
    const exchange = { customClientMetadata: { allowTokenExchange: true } };
    await refuse(wholeTenant, 'POST', '/applications', machine('x', exchange));
    const { id } = await as(200, 'POST', '/applications', machine('Plain'));
    await refuse(wholeTenant, 'PATCH', `/applications/${id}`, { isThirdParty: true });
    await refuse(wholeTenant, 'PATCH', `/applications/${id}`, exchange);
    const ctx = await asCaller();
    await refused('auth.organization_token', () =>
      createClient(ctx, { name: 'x', type: 'machine', authMethod: 'none' }),
    );
    await refused('auth.organization_token', () => updateClient(ctx, id, () => ({ authMethod: 'none' })));
    await refused('auth.organization_token', () => updateClient(ctx, id, () => ({ type: 'browser' })));
    const { audience } = await native.api(['read:orders']);
    await refused('auth.organization_token', () => updateClient(ctx, id, () => ({ resourceServer: audience })));
  });

  test('it changes its own: name, state, secrets', async () => {
    const { id } = await as(200, 'POST', '/applications', machine('Changed'));
    const renamed = await as(200, 'PATCH', `/applications/${id}`, { name: 'Renamed', customData: { a: 1 } });
    assert.deepEqual([renamed.name, renamed.customData], ['Renamed', { a: 1 }]);
    assert.deepEqual(await as(200, 'PATCH', `/applications/${id}/custom-data`, { b: 2 }), { a: 1, b: 2 });
    const { value } = await as(201, 'POST', `/applications/${id}/secrets`, { name: 'new' });
    assert.equal(typeof value, 'string');
    assert.equal((await as(200, 'GET', `/applications/${id}/secrets`)).length, 2);
    await as(200, 'PATCH', `/applications/${id}/secrets/new`, { name: 'newer' });
    await as(204, 'DELETE', `/applications/${id}/secrets/newer`);
    await as(200, 'PATCH', `/applications/${id}`, { status: 'disabled' });
    await as(204, 'DELETE', `/applications/${id}`);
    await refuse(wholeTenant, 'PUT', `/applications/${caller.clientId}/roles`, { roleIds: [] });
  });

  test('what its subtree does not own answers as what is not there', async () => {
    const foreign = await native.expect(
      200,
      'POST',
      '/applications',
      machine('Foreign', { organizationId: elsewhere }),
    );
    const tenants = await native.expect(200, 'POST', '/applications', machine('Tenant’s'));
    const member = await native.expect(200, 'POST', '/applications', machine('Member'));
    await makeMembership(server, { organizationId: below, subjectId: member.id, kind: 'client' });
    assert.deepEqual(await as(200, 'GET', `/applications?search.name=${encodeURIComponent('foreign')}`), []);
    for (const [method, path, json] of [
      ['GET', '', undefined],
      ['GET', '/secrets', undefined],
      ['GET', '/roles', undefined],
      ['GET', '/organizations', undefined],
      ['PATCH', '', { name: 'x' }],
      ['PATCH', '/custom-data', { a: 1 }],
      ['POST', '/secrets', { name: 'x' }],
      ['PATCH', '/secrets/Default%20secret', { name: 'x' }],
      ['DELETE', '/secrets/Default%20secret', undefined],
      ['DELETE', '/legacy-secret', undefined],
      ['DELETE', '', undefined],
    ] as const) {
      const before = await server.stateHash();
      const [absent, ...others] = await Promise.all(
        ['nothing', foreign.id, tenants.id, member.id].map((id) =>
          native.call(method, `/applications/${id}${path}`, json, caller.token),
        ),
      );
      assert.equal(absent?.status, 404, `${method} ${path}`);
      for (const answer of others) {
        assert.deepEqual([answer.status, answer.body], [absent?.status, absent?.body], `${method} ${path}`);
      }
      assert.equal(await server.stateHash(), before);
    }
  });

  test('it takes over no application that reaches beyond its subtree, or holds more than it does', async () => {
    const granted = await native.expect(200, 'POST', '/applications', machine('Granted', { organizationId: root }));
    await server.manage('POST', '/client-grants', {
      client_id: granted.id,
      audience: server.nativeAudience,
      scope: ['read:logs'],
    });
    const both = await native.expect(200, 'POST', '/applications', machine('Both', { organizationId: root }));
    const role = await makeOrganizationRole(server, { scopes: ['read:users'] });
    await makeMembership(server, { organizationId: elsewhere, subjectId: both.id, kind: 'client', roleIds: [role] });
    const narrow = await delegatedCaller(server, {
      organizationId: root,
      scopes: ['create:application_secrets', 'update:applications'],
    });
    const stronger = await native.expect(200, 'POST', '/applications', machine('Stronger', { organizationId: root }));
    await makeMembership(server, { organizationId: root, subjectId: stronger.id, kind: 'client', roleIds: [role] });
    const ctx = await asCaller();
    const { pem } = rsaKeys();
    for (const { id } of [granted, both]) {
      await refuse(exceeds, 'POST', `/applications/${id}/secrets`, { name: 'mine' });
      await refuse(exceeds, 'DELETE', `/applications/${id}/secrets/Default%20secret`);
      await refuse(exceeds, 'PATCH', `/applications/${id}`, { status: 'disabled' });
      await refused('auth.exceeds_own', () => rotateSecret(ctx, id));
      await refused('auth.exceeds_own', () => createKey(ctx, id, { pem }));
      await refused('auth.exceeds_own', () => updateClient(ctx, id, () => ({ secret: 'x9'.repeat(40) })));
      await refused('auth.exceeds_own', () => updateClient(ctx, id, () => ({ authMethod: 'client_secret_post' })));
    }
    const path = `/applications/${stronger.id}/secrets`;
    await native.refuse(exceeds, 'POST', path, { name: 'mine' }, narrow.token);
    await as(201, 'POST', path, { name: 'mine' });
  });

  test('client grants are not its business', async () => {
    const ctx = await asCaller();
    const { audience } = await native.api(['read:orders']);
    const grant = await server.manage('POST', '/client-grants', {
      client_id: caller.clientId,
      audience,
      scope: ['read:orders'],
    });
    const wanted = { clientId: caller.clientId, audience, subjectType: 'client' as const, scopes: ['read:orders'] };
    await refused('auth.organization_token', () => createClientGrant(ctx, wanted));
    await refused('auth.organization_token', () => updateClientGrant(ctx, grant.id, () => ({ scopes: [] })));
    await refused('auth.organization_token', () => deleteClientGrant(ctx, grant.id));
    await server.manage('DELETE', `/client-grants/${grant.id}`);
  });

  test('a key of another’s application is not there for it', async () => {
    const { pem } = rsaKeys();
    const foreign = await server.manage('POST', '/clients', {
      name: 'Foreign with a key',
      app_type: 'non_interactive',
      client_authentication_methods: {
        private_key_jwt: { credentials: [{ credential_type: 'public_key', name: 'key', pem }] },
      },
    });
    const [{ id }] = foreign.client_authentication_methods.private_key_jwt.credentials;
    const ctx = await asCaller();
    await refused('entity.not_found', () => createKey(ctx, foreign.client_id, { pem }));
    await refused('entity.not_found', () => rotateSecret(ctx, foreign.client_id));
    await refused('entity.not_found', () => updateCredential(ctx, foreign.client_id, id, null));
  });
});
