import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { assertRefusal, basic, refused, withoutLimits } from './refusals.ts';

const unauthorized = { status: 401, error: 'access_denied', description: 'Unauthorized' };

eachEngine('client secrets', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
  });
  after(() => server.close());

  type Machine = Awaited<ReturnType<TestServer['machine']>>;
  const post = (machine: Machine, client_secret = machine.clientSecret) =>
    server.token({ client_id: machine.clientId, client_secret, audience: machine.audience });
  const byBasic = (machine: Machine, secret = machine.clientSecret) =>
    server.token({ audience: machine.audience }, basic(machine.clientId, secret));

  describe('the registered method is the only one that counts', () => {
    test('client_secret_post', async () => {
      const machine = await server.machine({ client: { token_endpoint_auth_method: 'client_secret_post' } });
      assert.equal((await post(machine)).status, 200);
      await refused(server, () => byBasic(machine), { ...unauthorized, reason: 'auth_method_not_registered' });
    });

    test('client_secret_basic', async () => {
      const machine = await server.machine({ client: { token_endpoint_auth_method: 'client_secret_basic' } });
      assert.equal((await byBasic(machine)).status, 200);
      await refused(server, () => post(machine), { ...unauthorized, reason: 'auth_method_not_registered' });
    });

    test('either, when none is registered', async () => {
      const machine = await server.machine();
      assert.deepEqual([(await post(machine)).status, (await byBasic(machine)).status], [200, 200]);
    });

    test('none: a public client can not have a token for itself', async () => {
      const machine = await server.machine();
      await server.manage('PATCH', `/clients/${machine.clientId}`, { token_endpoint_auth_method: 'none' });
      await refused(server, () => post(machine), { ...unauthorized, reason: 'client_public' });
      const { clientId: client_id, audience } = machine;
      const send = () => server.token({ client_id, audience });
      await refused(server, send, { ...unauthorized, reason: 'client_public' });
    });

    test('several at once are refused, though each is right', async () => {
      const machine = await server.machine();
      const { clientId: client_id, clientSecret: client_secret, audience } = machine;
      const header = basic(client_id, client_secret);
      const twice = { status: 400, error: 'invalid_request', reason: 'several_auth_methods' };
      await refused(server, () => server.token({ client_id, client_secret, audience }, header), twice);
      await refused(server, () => server.token({ client_id, audience, client_assertion: 'a.b.c' }, header), twice);
      // A client_id beside Basic is no second way, when it is the same.
      assert.equal((await server.token({ client_id, audience }, header)).status, 200);
      await refused(server, () => server.token({ client_id: 'admin', audience }, header), {
        status: 401,
        error: 'invalid_client',
        reason: 'credentials_malformed',
      });
    });
  });

  describe('HTTP Basic', () => {
    for (const special of ['a:b', 'a%41b', 'a+b c', 'a&b=c', 'é日本😀', '"\\\'<>', '%', ':', '+', ' inside ']) {
      test(`a secret with ${JSON.stringify(special)} works in the header and in the body`, async () => {
        const machine = await server.machine();
        const secret = `MRK${special}0123456789abcdefghijklmnopqrstuvwxyz`;
        await server.manage('PATCH', `/clients/${machine.clientId}`, { client_secret: secret });
        assert.equal((await byBasic(machine, secret)).status, 200);
        assert.equal((await post(machine, secret)).status, 200);
        assert.equal((await byBasic(machine, secret.replace(special, 'x'))).status, 401);
        await refused(server, () => post(machine), { ...unauthorized, reason: 'secret_wrong' });
      });
    }

    test('the longest secret there can be works', async () => {
      const machine = await server.machine();
      const secret = [...'😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗'].join('').repeat(8);
      await server.manage('PATCH', `/clients/${machine.clientId}`, { client_secret: secret });
      assert.equal((await byBasic(machine, secret)).status, 200);
    });

    const encode = (text: string | Buffer) => Buffer.from(text).toString('base64');
    const malformed: [string, string][] = [
      ['the scheme alone', 'Basic'],
      ['the scheme and a space', 'Basic '],
      ['what is no base64', 'Basic !!!!'],
      ['base64 of another alphabet', 'Basic _-_-'],
      ['no colon', `Basic ${encode('admin')}`],
      ['only a colon', `Basic ${encode(':')}`],
      ['no id', `Basic ${encode(':secret')}`],
      ['no secret', `Basic ${encode('admin:')}`],
      ['invalid UTF-8', `Basic ${encode(Buffer.from([0x61, 0x3a, 0xff, 0xfe]))}`],
      ['a broken escape', `Basic ${encode('admin:%zz')}`],
      ['an overlong escape', `Basic ${encode('admin:%c0%80')}`],
      ['NUL', `Basic ${encode('admin\0:secret')}`],
      ['an escaped NUL', `Basic ${encode('admin:%00')}`],
      ['Bearer alone', 'Bearer'],
      ['a Bearer token', 'Bearer abc.def.ghi'],
      ['another scheme', 'Digest username="admin"'],
      ['two credentials', `Basic ${encode('a:b')}, Basic ${encode('c:d')}`],
      ['ten thousand characters', `Basic ${'A'.repeat(10_000)}`],
    ];
    for (const [name, authorization] of malformed) {
      test(`a header with ${name} is refused, not an error of ours`, async () => {
        const machine = await server.machine();
        await refused(server, () => server.token({ audience: machine.audience }, { authorization }), {
          status: 401,
          error: 'invalid_client',
          reason: 'credentials_malformed',
        });
      });
    }

    test('a header of 60 KB ends in a 4xx, and the server goes on', async () => {
      const status = await new Promise<number>((resolve, reject) => {
        const headers = { host: new URL(server.origin).host, authorization: `Basic ${'A'.repeat(61_440)}` };
        const sent = request(
          { host: '127.0.0.1', port: server.port, method: 'POST', path: '/oauth/token', headers },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        sent.once('error', reject);
        sent.end();
      });
      assert.equal(status, 431);
      assert.equal((await post(await server.machine())).status, 200);
    });

    test('the scheme’s case does not matter (RFC 7617 §2)', async () => {
      const machine = await server.machine();
      const { authorization } = basic(machine.clientId, machine.clientSecret) as { authorization: string };
      const headers = { authorization: authorization.replace('Basic', 'bAsIc') };
      assert.equal((await server.token({ audience: machine.audience }, headers)).status, 200);
    });
  });

  describe('nothing matches by being absent or by looking alike', () => {
    test('a client that sends no secret, or an empty one', async () => {
      const machine = await server.machine();
      const { clientId: client_id, audience } = machine;
      const send = (more: Record<string, string>) => () => server.token({ client_id, audience, ...more });
      await refused(server, send({}), { ...unauthorized, reason: 'credentials_missing' });
      await refused(server, send({ client_secret: '' }), { ...unauthorized, reason: 'credentials_missing' });
      for (const client_secret of ['null', 'undefined', '[]', '{}', '0', 'false', '[object Object]', ' ']) {
        await refused(server, send({ client_secret }), { ...unauthorized, reason: 'secret_wrong' });
      }
    });

    test('JSON null, lists, objects, numbers and truth are no secrets', async () => {
      const { clientId: client_id, audience } = await server.machine();
      for (const client_secret of [null, [], {}, 0, true, [''], { $ne: '' }]) {
        const json = { grant_type: 'client_credentials', client_id, audience, client_secret };
        await refused(server, () => server.request('POST', '/oauth/token', { json }), {
          status: 400,
          error: 'invalid_request',
          description: 'The parameter client_secret must be a string.',
          reason: 'parameter_invalid',
        });
      }
    });

    test('a client that has no secret stored', async () => {
      const spa = await server.machine({ client: { app_type: 'spa', token_endpoint_auth_method: 'none' } });
      await server.composed.services.db.transact((trx) =>
        trx.updateTable('clients').set({ auth_method: null, type: 'machine' }).where('id', '=', spa.clientId).execute(),
      );
      assert.ok((await server.rows('credentials')).every((row) => row.client_id !== spa.clientId));
      const { clientId: client_id, audience } = spa;
      for (const client_secret of ['', 'null', '0'.repeat(64)]) {
        await refused(server, () => server.token({ client_id, client_secret, audience }), {
          ...unauthorized,
          reason: client_secret === '' ? 'credentials_missing' : 'secret_wrong',
        });
      }
    });

    test('the stored hash is not the secret', async () => {
      const machine = await server.machine();
      const [row] = (await server.rows('credentials')).filter(({ client_id }) => client_id === machine.clientId);
      await refused(server, () => post(machine, row.secret_hash), { ...unauthorized, reason: 'secret_wrong' });
    });

    test('a secret with something after it, before it, cut short, or in another case', async () => {
      const machine = await server.machine();
      const secret = machine.clientSecret;
      for (const wrong of [`${secret}x`, ` ${secret}`, `${secret} `, secret.slice(0, -1), secret.toUpperCase()]) {
        await refused(server, () => post(machine, wrong), { ...unauthorized, reason: 'secret_wrong' });
      }
      const changedTail = `${secret}${'0'.repeat(8)}`.slice(0, 72);
      await refused(server, () => post(machine, `${changedTail}a`), { ...unauthorized, reason: 'secret_wrong' });
    });

    test('a secret and NUL and more, by form and by JSON', async () => {
      const machine = await server.machine();
      const parameters = { grant_type: 'client_credentials', client_id: machine.clientId, audience: machine.audience };
      const client_secret = `${machine.clientSecret}\0junk`;
      for (const options of [{ form: { ...parameters, client_secret } }, { json: { ...parameters, client_secret } }]) {
        await refused(server, () => server.request('POST', '/oauth/token', options), {
          status: 400,
          error: 'invalid_request',
          reason: 'parameter_invalid',
        });
      }
    });

    test('a secret of a megabyte is refused fast', async () => {
      const machine = await server.machine();
      const before = process.cpuUsage();
      const answer = await post(machine, 's'.repeat(1024 * 1024));
      assert.equal(answer.status, 413);
      // In microseconds of work: a machine that is busy elsewhere makes them no more.
      const { user, system } = process.cpuUsage(before);
      assert.ok(user + system < 2_000_000, `${user} and ${system} microseconds`);
      await refused(server, () => post(machine, 's'.repeat(900_000)), {
        status: 400,
        error: 'invalid_request',
        reason: 'parameter_invalid',
      });
      assert.equal((await post(machine)).status, 200);
    });

    test('another client’s secret', async () => {
      const [first, second] = await Promise.all([server.machine(), server.machine()]);
      await refused(server, () => post(first, second.clientSecret), { ...unauthorized, reason: 'secret_wrong' });
    });
  });

  describe('a change counts at the very next request', () => {
    test('a rotated secret', async () => {
      const machine = await server.machine();
      const rotated = await server.manage('POST', `/clients/${machine.clientId}/rotate-secret`);
      await refused(server, () => post(machine), { ...unauthorized, reason: 'secret_wrong' });
      assert.equal((await post(machine, rotated.client_secret)).status, 200);
    });

    test('a rotated secret with an overlap: both, until it is over', () =>
      clock.standingStill(async () => {
        const machine = await server.machine();
        const path = `/clients/${machine.clientId}/rotate-secret`;
        const rotated = await server.manage('POST', path, { overlap_seconds: 3600 });
        const statuses = async () => [
          (await post(machine)).status,
          (await post(machine, rotated.client_secret)).status,
          (await byBasic(machine)).status,
        ];
        assert.deepEqual(await statuses(), [200, 200, 200]);
        clock.advance(3_599_000);
        assert.deepEqual(await statuses(), [200, 200, 200]);
        clock.advance(2_000);
        assert.deepEqual(await statuses(), [401, 200, 401]);
        await refused(server, () => post(machine), { ...unauthorized, reason: 'secret_expired' });
        const last = await server.manage('POST', path);
        assert.deepEqual(
          [(await post(machine, rotated.client_secret)).status, (await post(machine, last.client_secret)).status],
          [401, 200],
        );
      }));

    test('an overlap never lengthens the life of an older secret', async () => {
      const machine = await server.machine();
      const path = `/clients/${machine.clientId}/rotate-secret`;
      await server.manage('POST', path, { overlap_seconds: 60 });
      await server.manage('POST', path, { overlap_seconds: 86_400 });
      clock.advance(61_000);
      await refused(server, () => post(machine), { ...unauthorized, reason: 'secret_expired' });
    });

    test('a disabled client, and an enabled one again', async () => {
      const machine = await server.machine();
      await server.manage('PATCH', `/clients/${machine.clientId}`, { enabled: false });
      await refused(server, () => post(machine), {
        status: 403,
        error: 'unauthorized_client',
        reason: 'client_disabled',
      });
      await server.manage('PATCH', `/clients/${machine.clientId}`, { enabled: true });
      assert.equal((await post(machine)).status, 200);
    });

    test('a deleted and a re-created grant', async () => {
      const machine = await server.machine();
      await server.manage('DELETE', `/client-grants/${machine.grantId}`);
      await refused(server, () => post(machine), { status: 403, error: 'access_denied', reason: 'grant_missing' });
      const { clientId: client_id, audience } = machine;
      await server.manage('POST', '/client-grants', { client_id, audience, scope: ['read:orders'] });
      assert.equal((await post(machine)).body.scope, 'read:orders');
    });

    test('a scope that leaves the API leaves the grant, and does not come back with its name', async () => {
      const machine = await server.machine();
      await server.manage('PATCH', `/resource-servers/${machine.apiId}`, { scopes: [{ value: 'read:orders' }] });
      assert.equal((await post(machine)).body.scope, 'read:orders');
      await server.manage('PATCH', `/resource-servers/${machine.apiId}`, {
        scopes: [{ value: 'read:orders' }, { value: 'write:orders' }],
      });
      assert.equal((await post(machine)).body.scope, 'read:orders');
    });

    test('a deleted client, whose successor of the same name inherits nothing', async () => {
      const machine = await server.machine({ client: { name: 'Twin' } });
      const token = (await post(machine)).body.access_token;
      await server.manage('DELETE', `/clients/${machine.clientId}`);
      await refused(server, () => post(machine), { ...unauthorized, reason: 'client_unknown' });
      const twin = await server.manage('POST', '/clients', { name: 'Twin', app_type: 'non_interactive' });
      assert.notEqual(twin.client_id, machine.clientId);
      const asTwin = { ...machine, clientId: twin.client_id };
      await refused(server, () => post(asTwin), { ...unauthorized, reason: 'secret_wrong' });
      await refused(server, () => post(asTwin, twin.client_secret), {
        status: 403,
        error: 'access_denied',
        reason: 'grant_missing',
      });
      const form = { client_id: twin.client_id, client_secret: twin.client_secret, token };
      const { body } = await server.request('POST', '/oauth/introspect', { form });
      assert.deepEqual(body, { active: false });
    });

    test('a deleted API, whose successor of the same identifier is granted to nobody', async () => {
      const machine = await server.machine();
      const token = (await post(machine)).body.access_token;
      await server.manage('DELETE', `/resource-servers/${machine.apiId}`);
      await refused(server, () => post(machine), { status: 403, error: 'access_denied', reason: 'audience_unknown' });
      await server.manage('POST', '/resource-servers', {
        identifier: machine.audience,
        name: 'Orders',
        scopes: [{ value: 'read:orders' }],
      });
      await refused(server, () => post(machine), { status: 403, error: 'access_denied', reason: 'grant_missing' });
      const form = { client_id: machine.clientId, client_secret: machine.clientSecret, token };
      const { body } = await server.request('POST', '/oauth/introspect', { form });
      assert.deepEqual(body, { active: false });
    });
  });

  test('a supplied secret that can be guessed is refused, and the old one stays', async () => {
    const machine = await server.machine();
    const token = await server.managementToken();
    const before = await server.stateHash();
    for (const client_secret of ['short', 'a'.repeat(64), 'abcdefgh'.repeat(8), '']) {
      const path = `/api/v2/clients/${machine.clientId}`;
      const answer = await server.request('PATCH', path, { token, json: { client_secret } });
      assert.equal(answer.status, 400, answer.text);
    }
    assert.equal(await server.stateHash(), before);
    assert.equal((await post(machine)).status, 200);
    assertRefusal(await post(machine, 'short'), unauthorized);
  });
});
