import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { createDatabase, startPostgres } from '../../../scripts/postgres.ts';
import { type Answer, admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { keyPair, sign } from './assertions.ts';
import { assertRefusal, basic, refused, withoutLimits } from './refusals.ts';

type Machine = Awaited<ReturnType<TestServer['machine']>>;
const inactive = { active: false };

eachEngine('introspection and revocation', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
  });
  after(() => server.close());

  const credentialsOf = (machine: Machine) => ({ client_id: machine.clientId, client_secret: machine.clientSecret });
  const asAdmin = { client_id: admin.clientId, client_secret: admin.clientSecret };
  const tokenOf = async (machine: Machine, more: Record<string, string> = {}): Promise<string> => {
    const answer = await server.token({ ...credentialsOf(machine), audience: machine.audience, ...more });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.access_token;
  };
  const post = (path: string, form: Record<string, string>, headers = {}) =>
    server.request('POST', path, { form, headers });
  const introspect = async (form: Record<string, string>): Promise<Answer['body']> => {
    const answer = await post('/oauth/introspect', form);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    return answer.body;
  };
  const revoke = async (form: Record<string, string>) => {
    const answer = await post('/oauth/revoke', form);
    assert.deepEqual([answer.status, answer.text], [200, '']);
  };

  describe('who may know of a token', () => {
    test('the client it was issued to, with every claim', async () => {
      for (const dialect of ['access_token', 'access_token_authz', 'rfc9068_profile', 'rfc9068_profile_authz']) {
        const machine = await server.machine({ api: { token_dialect: dialect } });
        const token = await tokenOf(machine);
        const expected = { active: true, token_type: 'Bearer', client_id: machine.clientId, ...decodeJwt(token) };
        assert.deepEqual(await introspect({ ...credentialsOf(machine), token }), expected);
        const byHeader = await post(
          '/oauth/introspect',
          { token, token_type_hint: 'refresh_token' },
          basic(machine.clientId, machine.clientSecret),
        );
        assert.deepEqual(byHeader.body, expected);
      }
    });

    test('a client that is the API, and only that API', async () => {
      const [machine, other] = await Promise.all([server.machine(), server.machine()]);
      const api = await server.manage('POST', '/clients', {
        name: 'The API',
        app_type: 'resource_server',
        resource_server_identifier: machine.audience,
      });
      const asApi = { client_id: api.client_id, client_secret: api.client_secret };
      assert.equal((await introspect({ ...asApi, token: await tokenOf(machine) })).active, true);
      assert.deepEqual(await introspect({ ...asApi, token: await tokenOf(other) }), inactive);
      await server.manage('PATCH', `/clients/${api.client_id}`, { resource_server_identifier: null });
      assert.deepEqual(await introspect({ ...asApi, token: await tokenOf(machine) }), inactive);
    });

    test('nobody can be linked to a management audience', async () => {
      const token = await server.managementToken();
      const before = await server.stateHash();
      for (const resource_server_identifier of [server.managementAudience, server.nativeAudience]) {
        const json = { name: 'Spy', app_type: 'resource_server', resource_server_identifier };
        const answer = await server.request('POST', '/api/v2/clients', { token, json });
        assert.equal(answer.status, 400, answer.text);
      }
      assert.equal(await server.stateHash(), before);
    });

    test('who holds introspect:tokens at the native management audience, while it holds it', async () => {
      const [machine, auditor] = await Promise.all([server.machine(), server.machine()]);
      const token = await tokenOf(machine);
      const ask = () => introspect({ ...credentialsOf(auditor), token });
      assert.deepEqual(await ask(), inactive);
      const grant = await server.manage('POST', '/client-grants', {
        client_id: auditor.clientId,
        audience: server.nativeAudience,
        scope: ['introspect:tokens'],
      });
      assert.equal((await ask()).active, true);
      assert.equal(
        (await introspect({ ...credentialsOf(auditor), token: await server.managementToken() })).active,
        true,
      );
      await server.manage('DELETE', `/client-grants/${grant.id}`);
      assert.deepEqual(await ask(), inactive);
    });

    test('nobody else: not another client of the same API, not one with other management scopes', async () => {
      const machine = await server.machine();
      const neighbour = await server.machine();
      for (const [audience, scope] of [
        [machine.audience, ['read:orders']],
        [server.managementAudience, ['read:clients', 'read:client_keys']],
      ] as const) {
        await server.manage('POST', '/client-grants', { client_id: neighbour.clientId, audience, scope });
      }
      const answer = await post('/oauth/introspect', { ...credentialsOf(neighbour), token: await tokenOf(machine) });
      assert.equal(answer.text, '{"active":false}');
    });

    test('without authentication there is no answer at all', async () => {
      const machine = await server.machine();
      const open = await server.machine({ client: { app_type: 'spa', token_endpoint_auth_method: 'none' } });
      const token = await tokenOf(machine);
      const kind = 'endpoint.refused';
      for (const path of ['/oauth/introspect', '/oauth/revoke']) {
        for (const [form, error, reason] of [
          [{ token }, 'invalid_client', 'client_id_missing'],
          [{ token, client_id: machine.clientId }, 'access_denied', 'credentials_missing'],
          [{ token, client_id: open.clientId }, 'access_denied', 'client_public'],
          [{ token, client_id: machine.clientId, client_secret: 'wrong' }, 'access_denied', 'secret_wrong'],
          [{ token, client_id: 'nobody', client_secret: 'wrong' }, 'access_denied', 'client_unknown'],
        ] as const) {
          // A public client may end tokens of its own (RFC 7009 §2.1); of this one it hears nothing.
          if (path === '/oauth/revoke' && reason === 'client_public') continue;
          await refused(server, () => post(path, form), { status: 401, error, reason, kind });
        }
        const bearer = () => post(path, { token }, { authorization: `Bearer ${token}` });
        await refused(server, bearer, { status: 401, error: 'invalid_client', reason: 'credentials_malformed', kind });
        assertRefusal(await server.request('GET', `${path}?token=${token}`), { status: 405, error: 'invalid_request' });
      }
      const before = await server.stateHash();
      const foreign = await post('/oauth/revoke', { token, client_id: open.clientId });
      assert.deepEqual([foreign.status, foreign.text], [200, '']);
      assert.equal(await server.stateHash(), before);
      assert.equal((await introspect({ ...credentialsOf(machine), token })).active, true, 'it stays active');
    });
  });

  describe('what a token is worth today', () => {
    test('a narrowed grant shows narrowed scopes, a deleted one ends the token', async () => {
      const machine = await server.machine({ api: { token_dialect: 'access_token_authz' } });
      const token = await tokenOf(machine);
      const ask = () => introspect({ ...credentialsOf(machine), token });
      const path = `/client-grants/${machine.grantId}`;
      await server.manage('PATCH', path, { scope: ['write:orders'] });
      const narrowed = await ask();
      assert.equal(narrowed.scope, 'write:orders');
      assert.deepEqual(narrowed.permissions, ['write:orders']);
      await server.manage('PATCH', path, { scope: [] });
      const none = await ask();
      assert.deepEqual([none.active, none.scope, none.permissions], [true, undefined, []]);
      await server.manage('DELETE', path);
      assert.deepEqual(await ask(), inactive);
    });

    test('the default grant counts for a third-party client as it did when its token was issued', async () => {
      const { audience } = await server.machine();
      const client = await server.manage('POST', '/clients', {
        name: 'Third party',
        app_type: 'non_interactive',
        is_first_party: false,
      });
      const asClient = { client_id: client.client_id, client_secret: client.client_secret };
      assert.equal((await server.token({ ...asClient, audience })).status, 403, 'it has no grant yet');
      const grant = await server.manage('POST', '/client-grants', {
        default_for: 'third_party_clients',
        audience,
        scope: ['read:orders'],
      });
      const issued = await server.token({ ...asClient, audience });
      assert.deepEqual([issued.status, issued.body.scope], [200, 'read:orders'], issued.text);
      const ask = () => introspect({ ...asClient, token: issued.body.access_token });
      const active = await ask();
      assert.deepEqual([active.active, active.scope], [true, 'read:orders']);
      await server.manage('DELETE', `/client-grants/${grant.id}`);
      assert.deepEqual(await ask(), inactive);
    });

    test('a wider grant does not widen a token', async () => {
      const machine = await server.machine({ granted: ['read:orders'] });
      const token = await tokenOf(machine);
      await server.manage('PATCH', `/client-grants/${machine.grantId}`, { scope: ['read:orders', 'write:orders'] });
      assert.equal((await introspect({ ...credentialsOf(machine), token })).scope, 'read:orders');
    });

    test('a disabled or deleted client ends its tokens', async () => {
      const machine = await server.machine();
      const token = await tokenOf(machine);
      await server.manage('PATCH', `/clients/${machine.clientId}`, { enabled: false });
      assert.deepEqual(await introspect({ ...asAdmin, token }), inactive);
      await server.manage('PATCH', `/clients/${machine.clientId}`, { enabled: true });
      assert.equal((await introspect({ ...asAdmin, token })).active, true);
      await server.manage('DELETE', `/clients/${machine.clientId}`);
      assert.deepEqual(await introspect({ ...asAdmin, token }), inactive);
    });

    test('an expired token is not active', async () => {
      const machine = await server.machine({ api: { token_lifetime: 60 } });
      const token = await tokenOf(machine);
      clock.advance(61_000);
      assert.deepEqual(await introspect({ ...credentialsOf(machine), token }), inactive);
    });

    test('what was not signed here is not active, and is answered in one way', async () => {
      const machine = await server.machine();
      const token = await tokenOf(machine);
      const [header, payload, signature] = token.split('.') as [string, string, string];
      const stranger = keyPair('RS256');
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const claims = decodeJwt(token);
      const kid = JSON.parse(Buffer.from(header, 'base64url').toString()).kid;
      const forgeries = [
        'x',
        'a.b.c',
        `${header}.${payload}.`,
        `${header}.${payload}`,
        `${header}.${part({ ...claims, scope: 'all' })}.${signature}`,
        `${part({ alg: 'none', typ: 'JWT', kid })}.${payload}.`,
        await sign(stranger.privateKey, { alg: 'RS256', typ: 'JWT', kid }, claims),
        await sign(stranger.privateKey, { alg: 'RS256', typ: 'JWT', jwk: stranger.jwk }, claims),
        await sign(Buffer.from(stranger.pem), { alg: 'HS256', typ: 'JWT', kid }, claims),
        't'.repeat(65_000),
        token.slice(0, -1),
        ` ${token}`,
        `Bearer ${token}`,
      ];
      for (const forged of forgeries) {
        const answer = await post('/oauth/introspect', { ...credentialsOf(machine), token: forged });
        assert.equal(answer.text, '{"active":false}', forged.slice(0, 60));
        await revoke({ ...credentialsOf(machine), token: forged });
      }
      assert.equal((await introspect({ ...credentialsOf(machine), token })).active, true);
    });
  });

  describe('revocation', () => {
    test('counts at once for introspection, and leaves one event', async () => {
      const machine = await server.machine();
      const [token, other] = [await tokenOf(machine), await tokenOf(machine)];
      await revoke({ ...credentialsOf(machine), token });
      assert.deepEqual(await introspect({ ...credentialsOf(machine), token }), inactive);
      assert.deepEqual(await introspect({ ...asAdmin, token }), inactive);
      assert.equal((await introspect({ ...credentialsOf(machine), token: other })).active, true);
      const { jti } = decodeJwt(token);
      // Again: the same answer, no second event (RFC 7009 §2.2).
      await revoke({ ...credentialsOf(machine), token });
      const events = (await server.logEvents()).filter(
        ({ token_id, kind }) => token_id === jti && kind === 'token.revoked',
      );
      assert.equal(events.length, 1);
      assert.equal(events[0].client_id, machine.clientId);
      await tokenOf(machine);
    });

    test('counts at once for the management API', async () => {
      const token = await server.managementToken();
      const list = async () => (await server.request('GET', '/api/v2/clients', { token })).status;
      assert.equal(await list(), 200);
      await revoke({ ...asAdmin, token, token_type_hint: 'access_token' });
      assert.equal(await list(), 401);
    });

    test('of another client’s token changes nothing and tells nothing', async () => {
      const [machine, other] = await Promise.all([server.machine(), server.machine()]);
      const token = await tokenOf(machine);
      const before = await server.stateHash();
      await revoke({ ...credentialsOf(other), token });
      await revoke({ ...asAdmin, token });
      assert.equal(await server.stateHash(), before);
      assert.equal((await introspect({ ...credentialsOf(machine), token })).active, true);
    });

    test('holds while the grant is gone, so that the token does not come back with it', async () => {
      const machine = await server.machine();
      const token = await tokenOf(machine);
      await server.manage('DELETE', `/client-grants/${machine.grantId}`);
      await revoke({ ...credentialsOf(machine), token });
      await server.manage('POST', '/client-grants', {
        client_id: machine.clientId,
        audience: machine.audience,
        scope: ['read:orders'],
      });
      assert.deepEqual(await introspect({ ...credentialsOf(machine), token }), inactive);
      const fresh = await tokenOf(machine);
      assert.equal((await introspect({ ...credentialsOf(machine), token: fresh })).active, true);
    });

    test('of tokens signed with HS256 too', async () => {
      const machine = await server.machine({ api: { signing_alg: 'HS256' } });
      const token = await tokenOf(machine);
      assert.equal((await introspect({ ...credentialsOf(machine), token })).active, true);
      await revoke({ ...credentialsOf(machine), token });
      assert.deepEqual(await introspect({ ...credentialsOf(machine), token }), inactive);
    });

    test('in parallel is one revocation', async () => {
      const machine = await server.machine();
      const token = await tokenOf(machine);
      await Promise.all(Array.from({ length: 10 }, () => revoke({ ...credentialsOf(machine), token })));
      const { jti } = decodeJwt(token);
      const rows = (await server.rows('revoked_tokens')).filter((row) => row.jti === jti);
      assert.equal(rows.length, 1);
      const events = (await server.logEvents()).filter(
        ({ token_id, kind }) => token_id === jti && kind === 'token.revoked',
      );
      assert.equal(events.length, 1);
    });
  });
});

describe('while the database is gone', () => {
  test('nothing is revoked, issued or introspected: 503, and all goes on when it is back', async (t) => {
    const postgres = await startPostgres();
    t.after(() => postgres.stop());
    const server = await startServer({ databaseUrl: await createDatabase(postgres.url), env: withoutLimits });
    t.after(() => server.close());
    const machine = await server.machine();
    const client = { client_id: machine.clientId, client_secret: machine.clientSecret };
    const token = (await server.token({ ...client, audience: machine.audience })).body.access_token;
    const management = await server.managementToken();

    await postgres.pause();
    const answers = [
      await server.request('POST', '/oauth/revoke', { form: { ...client, token } }),
      await server.request('POST', '/oauth/introspect', { form: { ...client, token } }),
      await server.token({ ...client, audience: machine.audience }),
      await server.token({ ...client, client_secret: 'wrong', audience: machine.audience }),
      await server.request('POST', '/oauth/token', { form: { grant_type: 'x' } }),
    ];
    for (const answer of answers) {
      assertRefusal(answer, { status: 503, error: 'temporarily_unavailable' });
      assert.ok(Number(answer.headers.get('retry-after')) >= 1);
      assert.ok(!/ECONN|postgres|127\.0\.0\.1|select|at .*\.ts/i.test(answer.text), answer.text);
    }
    const managed = await server.request('GET', '/api/v2/clients', { token: management });
    assert.equal(managed.status, 503, managed.text);

    await postgres.resume();
    const introspect = async () =>
      (await server.request('POST', '/oauth/introspect', { form: { ...client, token } })).body;
    assert.equal((await introspect()).active, true, 'it was not revoked');
    const revoked = await server.request('POST', '/oauth/revoke', { form: { ...client, token } });
    assert.equal(revoked.status, 200);
    assert.deepEqual(await introspect(), inactive);
  });
});
