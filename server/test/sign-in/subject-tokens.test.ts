/** An administrator lets an application act for a user, once. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { sendTo, startNodes } from '../token/nodes.ts';
import { withoutLimits } from '../token/refusals.ts';
import { deviceGrant } from './device-support.ts';
import {
  accessTokenType,
  exchangeGrant,
  exchangeToken,
  impersonationType,
  makeAdministratorOf,
  makeApi,
  makeExchanger,
  makeUserOf,
  subjectTokenFor,
  type TestApi,
} from './exchange-support.ts';
import { claimsOf, type IssuerKey, issuers, makeApp, makeUser, native, type TestClient } from './support.ts';

eachEngine('subject tokens', (engine) => {
  let server: TestServer;
  let back: TestClient;
  let api: TestApi;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    [back, api] = [await makeExchanger(server), await makeApi(server)];
  });
  after(() => server.close());

  const use = (issuer: IssuerKey, token: string, more: Record<string, string> = {}) =>
    exchangeToken(server, issuer, back, token, { subject_token_type: impersonationType, ...more });

  async function refusedUse(issuer: IssuerKey, token: string, reason = 'subject_token_invalid'): Promise<void> {
    const before = { state: await server.stateHash(), events: (await server.logEvents()).length };
    const answer = await use(issuer, token);
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.body.error, /^invalid_(grant|request)$/);
    assert.equal(await server.stateHash(), before.state, 'nothing changed');
    const events = (await server.logEvents()).slice(before.events);
    assert.deepEqual(
      events.map((event) => [event.kind, event.reason]),
      [['token.refused', reason]],
    );
  }

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    test(`${issuer}: good once, for what the person may`, async () => {
      const user = await makeUserOf(server, api);
      const token = await subjectTokenFor(server, user);
      assert.match(token, /^sub_[0-9A-Za-z]{43}$/);
      assert.ok(!JSON.stringify(await server.rows('subject_tokens')).includes(token), 'only the hash is kept');
      const asked = { resource: api.indicator, scope: 'read:orders delete:everything' };
      const answer = await use(issuer, token, asked);
      assert.equal(answer.status, 200, answer.text);
      const claims = claimsOf(answer.body.access_token);
      assert.equal(claims.sub, issuer === 'root' ? `auth0|${user.id}` : user.id);
      assert.equal(claims.scope, 'read:orders');
      assert.ok(answer.body.expires_in <= 3600);
      assert.deepEqual([answer.body.id_token, answer.body.refresh_token], [undefined, undefined]);
      await refusedUse(issuer, token);
      const silent = await use(issuer, await subjectTokenFor(server, user), { resource: api.indicator });
      assert.equal(silent.body.scope ?? '', issuer === 'root' ? 'read:orders write:orders' : '');
    });

    test(`${issuer}: not later than ten minutes, nor for who was blocked or deleted`, async () => {
      const user = await makeUser(server);
      const late = await subjectTokenFor(server, user);
      clock.advance(600_000);
      await refusedUse(issuer, late);
      const blocked = await subjectTokenFor(server, user);
      await native(server, 'PATCH', `/users/${user.id}/is-suspended`, { isSuspended: true });
      await refusedUse(issuer, blocked);
      await refusedUse(issuer, await subjectTokenFor(server, user), 'user_inactive');
      await native(server, 'PATCH', `/users/${user.id}/is-suspended`, { isSuspended: false });
      const deleted = await subjectTokenFor(server, user);
      await native(server, 'DELETE', `/users/${user.id}`);
      await refusedUse(issuer, deleted);
    });

    test(`${issuer}: what it gave ends when the user is signed out everywhere`, async () => {
      const user = await makeUserOf(server, api);
      const { body } = await use(issuer, await subjectTokenFor(server, user), {
        resource: api.indicator,
        scope: 'read:orders',
      });
      const introspect = () =>
        server.request('POST', issuers[issuer].introspect, {
          form: { client_id: back.clientId, client_secret: back.clientSecret as string, token: body.access_token },
        });
      assert.equal((await introspect()).body.active, true);
      await native(server, 'DELETE', `/users/${user.id}/sessions`);
      assert.deepEqual((await introspect()).body, { active: false });
    });

    test(`${issuer}: is no code, no device code, no refresh token, no actor, no access token`, async () => {
      const user = await makeUser(server);
      const token = await subjectTokenFor(server, user);
      const app = await makeApp(server, 'Traditional', {
        customClientMetadata: { allowTokenExchange: true, isDeviceFlow: true },
      });
      const state = await server.stateHash();
      const credentials = { client_id: app.clientId, client_secret: app.clientSecret as string };
      for (const form of [
        { grant_type: 'authorization_code', code: token, redirect_uri: 'https://app.example/callback' },
        { grant_type: 'refresh_token', refresh_token: token },
        { grant_type: deviceGrant, device_code: token },
        { grant_type: exchangeGrant, subject_token: token, subject_token_type: accessTokenType },
      ] as Record<string, string>[]) {
        const answer = await server.request('POST', issuers[issuer].token, { form: { ...credentials, ...form } });
        assert.equal(answer.status, 400, JSON.stringify(form));
      }
      const me = await server.request('GET', issuers[issuer].userinfo, { token });
      assert.equal(me.status, 401);
      assert.equal(await server.stateHash(), state);
      assert.equal((await use(issuer, token, { scope: 'openid' })).status, 200);
    });
  }

  const create = async (scope: string, json: unknown) => {
    const { body } = await server.request('POST', '/oidc/token', {
      form: {
        grant_type: 'client_credentials',
        client_id: admin.clientId,
        client_secret: admin.clientSecret,
        resource: server.nativeAudience,
        scope,
      },
    });
    return server.request('POST', '/api/subject-tokens', { token: body.access_token, json });
  };

  test('made by who may, told once, logged without the token', async () => {
    const user = await makeUser(server);
    const made = await create('create:subject_tokens', { userId: user.id, context: { ticket: 7 } });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(made.body, { subjectToken: made.body.subjectToken, expiresIn: 600 });
    const event = (await server.logEvents()).at(-1);
    assert.deepEqual([event.kind, event.user_id, event.client_id], ['subject_token.created', user.id, admin.clientId]);
    assert.ok(!JSON.stringify(await server.logEvents()).includes(made.body.subjectToken));
    const [row] = (await server.rows('subject_tokens')).slice(-1);
    assert.ok(row.expires_at - row.created_at === 600_000);
    const state = await server.stateHash();
    for (const [scope, json, status] of [
      ['read:users', { userId: user.id }, 403],
      ['create:users update:users', { userId: user.id }, 403],
      ['all', {}, 400],
      ['all', { userId: 7 }, 400],
      ['all', { userId: user.id, context: 'x' }, 400],
      ['all', { userId: user.id, context: { long: 'x'.repeat(5000) } }, 400],
      ['all', { userId: 'nobody' }, 404],
      ['all', { userId: 'nul\u0000' }, 400],
    ] as const) {
      const answer = await create(scope, json);
      assert.equal(answer.status, status, `${scope} ${JSON.stringify(json)} ${answer.text}`);
    }
    assert.equal((await server.request('POST', '/api/subject-tokens', { json: { userId: user.id } })).status, 401);
    assert.equal(await server.stateHash(), state);
  });

  test('never for a user who holds more than the caller', async () => {
    const strong = await makeUser(server);
    await makeAdministratorOf(server, strong.id);
    const weak = await native(server, 'POST', '/applications', { name: 'Support', type: 'MachineToMachine' });
    await server.manage('POST', '/client-grants', {
      client_id: weak.id,
      audience: server.nativeAudience,
      scope: ['create:subject_tokens', 'read:users'],
    });
    const { body } = await server.request('POST', '/oidc/token', {
      form: {
        grant_type: 'client_credentials',
        client_id: weak.id,
        client_secret: weak.secret,
        resource: server.nativeAudience,
        scope: 'create:subject_tokens',
      },
    });
    const state = await server.stateHash();
    const ask = (userId: string) =>
      server.request('POST', '/api/subject-tokens', { token: body.access_token, json: { userId } });
    const refused = await ask(strong.id);
    assert.equal(refused.status, 403, refused.text);
    assert.equal(await server.stateHash(), state);
    const plain = await makeUser(server);
    assert.equal((await ask(plain.id)).status, 201);
  });
});

describe('subject tokens on two nodes [postgres]', () => {
  test('of 20 uses of one at once one gets a token', async () => {
    const nodes = await startNodes();
    try {
      const [first] = nodes;
      const back = await makeExchanger(first);
      const token = await subjectTokenFor(first, await makeUser(first));
      const form = {
        grant_type: exchangeGrant,
        client_id: back.clientId,
        client_secret: back.clientSecret as string,
        subject_token: token,
        subject_token_type: impersonationType,
        scope: 'openid',
      };
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, number) =>
          sendTo(nodes[number % 2] as TestServer, 'POST', '/oidc/token', { form }),
        ),
      );
      const said = answers.map(({ status, body }) => (status === 200 ? 'token' : body.error)).sort();
      assert.deepEqual(said, [...Array.from({ length: 19 }, () => 'invalid_grant'), 'token']);
    } finally {
      for (const node of nodes) await node.close();
    }
  });
});
