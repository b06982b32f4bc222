import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { type Answer, admin, type TestServer } from '../harness.ts';
import { sendTo, startNodes } from './nodes.ts';

type Machine = Awaited<ReturnType<TestServer['machine']>>;

/** Each change is made on the one node; the other has served the same request just before, and knows at once. */
describe('two nodes over one PostgreSQL: a change on one counts on the other’s next request', () => {
  let first: TestServer;
  let second: TestServer;
  before(async () => {
    [first, second] = await startNodes();
  });
  after(() => Promise.all([first.close(), second.close()]));

  const ask = (machine: Machine, change: Record<string, string> = {}): Promise<Answer> => {
    const { clientId: client_id, clientSecret: client_secret, audience } = machine;
    const form = { grant_type: 'client_credentials', client_id, client_secret, audience, ...change };
    return sendTo(second, 'POST', '/oauth/token', { form });
  };
  /** A machine that the second node has just given a token. */
  const served = async (options: Parameters<TestServer['machine']>[0] = {}): Promise<Machine & { token: string }> => {
    const machine = await first.machine(options);
    const answer = await ask(machine);
    assert.equal(answer.status, 200, answer.text);
    return { ...machine, token: answer.body.access_token };
  };
  const status = async (machine: Machine) => (await ask(machine)).status;
  const introspected = async (machine: Machine, token: string) => {
    const form = { client_id: machine.clientId, client_secret: machine.clientSecret, token };
    return (await sendTo(second, 'POST', '/oauth/introspect', { form })).body;
  };

  test('a rotated secret', async () => {
    const machine = await served();
    const { client_secret } = await first.manage('POST', `/clients/${machine.clientId}/rotate-secret`);
    assert.equal(await status(machine), 401);
    assert.equal((await ask(machine, { client_secret })).status, 200);
  });

  test('a secret that was set', async () => {
    const machine = await served();
    const client_secret = 'MRK-set-0123456789abcdefghijklmnopqrstuvwxyz';
    await first.manage('PATCH', `/clients/${machine.clientId}`, { client_secret });
    assert.equal(await status(machine), 401);
    assert.equal((await ask(machine, { client_secret })).status, 200);
  });

  test('a disabled client, and an enabled one', async () => {
    const machine = await served();
    await first.manage('PATCH', `/clients/${machine.clientId}`, { enabled: false });
    assert.equal(await status(machine), 403);
    await first.manage('PATCH', `/clients/${machine.clientId}`, { enabled: true });
    assert.equal(await status(machine), 200);
  });

  test('a deleted client, for its requests and for its tokens', async () => {
    const machine = await served();
    const { clientId: client_id, clientSecret: client_secret } = machine;
    assert.equal((await introspected(machine, machine.token)).active, true);
    await first.manage('DELETE', `/clients/${client_id}`);
    assert.equal((await ask(machine, { client_id, client_secret })).status, 401);
    const asAdmin = { ...machine, clientId: admin.clientId, clientSecret: admin.clientSecret };
    assert.deepEqual(await introspected(asAdmin, machine.token), { active: false });
  });

  test('the method and the grant types of a client', async () => {
    const machine = await served();
    const path = `/clients/${machine.clientId}`;
    await first.manage('PATCH', path, { token_endpoint_auth_method: 'client_secret_basic' });
    assert.equal(await status(machine), 401);
    await first.manage('PATCH', path, { token_endpoint_auth_method: null });
    assert.equal(await status(machine), 200);
    await first.manage('PATCH', path, { grant_types: ['authorization_code'] });
    assert.equal(await status(machine), 403);
  });

  test('a narrowed, a deleted, and a new grant', async () => {
    const machine = await served();
    await first.manage('PATCH', `/client-grants/${machine.grantId}`, { scope: ['read:orders'] });
    assert.equal((await ask(machine)).body.scope, 'read:orders');
    assert.equal((await introspected(machine, machine.token)).scope, 'read:orders');
    await first.manage('DELETE', `/client-grants/${machine.grantId}`);
    assert.equal(await status(machine), 403);
    assert.deepEqual(await introspected(machine, machine.token), { active: false });
    const { clientId: client_id, audience } = machine;
    await first.manage('POST', '/client-grants', { client_id, audience, scope: ['write:orders'] });
    assert.equal((await ask(machine)).body.scope, 'write:orders');
  });

  test('lifetime, dialect, algorithm, scopes and policy of an API, and its end', async () => {
    const machine = await served();
    const change = (json: object) => first.manage('PATCH', `/resource-servers/${machine.apiId}`, json);
    const token = async () => (await ask(machine)).body.access_token as string;
    await change({ token_lifetime: 60 });
    assert.equal((await ask(machine)).body.expires_in, 60);
    await change({ token_dialect: 'rfc9068_profile_authz' });
    assert.equal(decodeJwt(await token()).client_id, machine.clientId);
    await change({ signing_alg: 'ES256' });
    assert.equal(decodeProtectedHeader(await token()).alg, 'ES256');
    await change({ scopes: [{ value: 'write:orders' }] });
    assert.equal((await ask(machine)).body.scope, 'write:orders');
    await change({ subject_type_authorization: { client: { policy: 'deny_all' } } });
    assert.equal(await status(machine), 403);
    await change({ subject_type_authorization: { client: { policy: 'require_client_grant' } } });
    assert.equal(await status(machine), 200);
    await first.manage('DELETE', `/resource-servers/${machine.apiId}`);
    assert.equal(await status(machine), 403);
  });

  test('a revoked token', async () => {
    const machine = await served();
    assert.equal((await introspected(machine, machine.token)).active, true);
    const form = { client_id: machine.clientId, client_secret: machine.clientSecret, token: machine.token };
    assert.equal((await sendTo(first, 'POST', '/oauth/revoke', { form })).status, 200);
    assert.deepEqual(await introspected(machine, machine.token), { active: false });
  });

  test('a management token that is revoked, loses its grant, or loses its client', async () => {
    const list = async (token: string) => (await sendTo(second, 'GET', '/api/v2/clients', { token })).status;
    const manager = async () => {
      const client = await first.manage('POST', '/clients', { name: 'Manager', app_type: 'non_interactive' });
      const grant = await first.manage('POST', '/client-grants', {
        client_id: client.client_id,
        audience: first.managementAudience,
        scope: ['read:clients', 'read:resource_servers'],
      });
      const form = { client_id: client.client_id, client_secret: client.client_secret };
      const { body } = await first.token({ ...form, audience: first.managementAudience });
      assert.equal(await list(body.access_token), 200);
      return { form, grant, token: body.access_token as string };
    };
    const revoked = await manager();
    await sendTo(first, 'POST', '/oauth/revoke', { form: { ...revoked.form, token: revoked.token } });
    assert.equal(await list(revoked.token), 401);

    const narrowed = await manager();
    await first.manage('PATCH', `/client-grants/${narrowed.grant.id}`, { scope: ['read:resource_servers'] });
    assert.equal(await list(narrowed.token), 403);
    await first.manage('DELETE', `/client-grants/${narrowed.grant.id}`);
    assert.equal(await list(narrowed.token), 401);

    const disabled = await manager();
    await first.manage('PATCH', `/clients/${disabled.form.client_id}`, { enabled: false });
    assert.equal(await list(disabled.token), 401);
    const deleted = await manager();
    await first.manage('DELETE', `/clients/${deleted.form.client_id}`);
    assert.equal(await list(deleted.token), 401);
  });

  test('a rotated and a revoked signing key', async () => {
    const machine = await served();
    const { kid } = decodeProtectedHeader(machine.token);
    const published = async (): Promise<string[]> =>
      (await sendTo(second, 'GET', '/.well-known/jwks.json')).body.keys.map((key: { kid: string }) => key.kid);
    await first.manage('POST', '/keys/signing/rotate');
    const { access_token } = (await ask(machine)).body;
    assert.notEqual(decodeProtectedHeader(access_token).kid, kid);
    assert.ok((await published()).includes(kid as string));
    assert.equal((await introspected(machine, machine.token)).active, true);

    const managed = await sendTo(first, 'PUT', `/api/v2/keys/signing/${kid}/revoke`, {
      token: await first.managementToken(),
    });
    assert.ok(managed.status < 300, managed.text);
    assert.ok(!(await published()).includes(kid as string));
    assert.deepEqual(await introspected(machine, machine.token), { active: false });
    assert.equal((await introspected(machine, access_token)).active, true);
  });

  test('a suspended and a deleted tenant', async () => {
    const native = await first.managementToken(first.nativeAudience);
    const manage = (method: string, path: string, json?: object) =>
      sendTo(first, method, `/api/tenants${path}`, { token: native, ...(json === undefined ? {} : { json }) });
    const created = await manage('POST', '', { id: 'acme' });
    assert.equal(created.status, 201, created.text);
    const { clientId: client_id, clientSecret: client_secret } = created.body.managementClient;
    const { host, origin } = new URL(created.body.issuer);
    const form = { grant_type: 'client_credentials', client_id, client_secret, audience: `${origin}/api/v2/` };
    const token = () => sendTo(second, 'POST', '/oauth/token', { form, headers: { host } });
    const jwks = async () => (await sendTo(second, 'GET', '/.well-known/jwks.json', { headers: { host } })).status;
    const issued = await token();
    assert.deepEqual([issued.status, await jwks()], [200, 200]);
    const list = async () => {
      const options = { headers: { host }, token: issued.body.access_token };
      return (await sendTo(second, 'GET', '/api/v2/clients', options)).status;
    };
    assert.equal(await list(), 200);

    await manage('PATCH', '/acme', { status: 'suspended' });
    assert.deepEqual([(await token()).status, await jwks(), await list()], [403, 403, 401]);
    await manage('PATCH', '/acme', { status: 'active' });
    assert.deepEqual([(await token()).status, await jwks(), await list()], [200, 200, 200]);
    await manage('DELETE', '/acme');
    assert.deepEqual([(await token()).status, await jwks(), await list()], [404, 404, 401]);
  });
});
