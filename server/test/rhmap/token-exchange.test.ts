/** The session of an app for access tokens of APIs (RFC 8693): of its own client only, as far as the person may, no longer. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Answer, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import {
  exchangeGrant,
  exchangeToken,
  makeAdministratorOf,
  makeApi,
  makeUserOf,
  subjectTokenFor,
  type TestApi,
} from '../sign-in/exchange-support.ts';
import {
  bothIssuers,
  claimsOf,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  native,
  type TestClient,
  type TestUser,
  tokenRequest,
} from '../sign-in/support.ts';
import { callApp, isValid, makePolicy, sessionOf, type TestPolicy } from './support.ts';

const policySession = 'urn:sekisho:params:oauth:token-type:policy-session';
const ofSession = { subject_token_type: policySession };
const mayExchange = { customClientMetadata: { allowTokenExchange: true } };

eachEngine('RHMAP: sessions for access tokens', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let policy: TestPolicy;
  let api: TestApi;
  let app: TestClient;
  let back: TestClient;
  let user: TestUser;
  before(async () => {
    server = await startServer({ engine, clock, env: { SEKISHO_RATE_LIMIT_FAILURES_PER_CLIENT: '0' } });
    policy = await makePolicy(server);
    api = await makeApi(server);
    app = await makeApp(server, 'Native', mayExchange);
    back = await makeApp(server, 'Traditional', mayExchange);
    user = await makeUserOf(server, api);
  });
  after(() => server.close());

  const session = (of: TestClient = app, person: TestUser = user) => sessionOf(server, policy, of, person);
  const exchange = (issuer: IssuerKey, token: string, more: Record<string, string> = {}, of: TestClient = app) =>
    exchangeToken(server, issuer, of, token, { ...ofSession, resource: api.indicator, scope: 'read:orders', ...more });

  /** What the caller is told of a reason is each issuer's own (`docs/errors.md`). */
  const refused = async (answer: Promise<Answer>, reason: string): Promise<void> => {
    const { status, body } = await answer;
    assert.ok(status >= 400 && status < 500, JSON.stringify(body));
    assert.equal(body.access_token, undefined);
    assert.equal(typeof body.error, 'string', JSON.stringify(body));
    assert.equal((await server.logEvents()).filter(({ kind }) => kind === 'token.refused').at(-1).reason, reason);
  };

  for (const issuer of bothIssuers) {
    describe(issuer, () => {
      test('a public app gets a token for an API', async () => {
        const { status, body } = await exchange(issuer, await session());
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(Object.keys(body).sort(), [
          ...['access_token', 'expires_in', 'issued_token_type', 'scope', 'token_type'],
        ]);
        assert.equal(body.scope, 'read:orders');
        const claims = claimsOf(body.access_token);
        assert.deepEqual([claims.aud, claims.client_id, claims.scope], [api.indicator, app.clientId, 'read:orders']);
        assert.ok(claims.sub.endsWith(user.id));
        assert.equal(claims.act, undefined);
      });

      test('a confidential app proves itself besides', async () => {
        const token = await session(back);
        assert.equal((await exchange(issuer, token, {}, back)).status, 200);
        const nameless = { clientId: back.clientId, clientSecret: undefined };
        await refused(exchange(issuer, token, {}, nameless), 'credentials_missing');
      });

      test('of no other client, and no other kind of secret', async () => {
        const token = await session();
        await refused(exchange(issuer, token, {}, back), 'subject_token_invalid');
        const other = await makeApp(server, 'Native', mayExchange);
        await refused(exchange(issuer, token, {}, other), 'subject_token_invalid');
        for (const wrong of ['x', `${token}x`, policy.guid, await subjectTokenFor(server, user)]) {
          await refused(exchange(issuer, wrong), 'subject_token_invalid');
        }
      });

      test('a public app exchanges nothing else', async () => {
        const { access_token: token } = (await exchange(issuer, await session())).body;
        const types = [
          'urn:ietf:params:oauth:token-type:access_token',
          'urn:logto:token-type:impersonation_token',
          'x',
        ];
        for (const subject_token_type of types) {
          await refused(exchange(issuer, token, { subject_token_type }), 'client_public');
        }
        const none = tokenRequest(server, issuer, app, { grant_type: exchangeGrant, subject_token: token });
        await refused(none, 'client_public');
      });

      test('no more than the person may, and never a management API', async () => {
        const stranger = await makeUser(server);
        const token = await session(app, stranger);
        const got = await exchange(issuer, token);
        // The issuers differ in whether they say it.
        if (got.status === 200) assert.equal(got.body.scope ?? '', '');
        const administrator = await makeUser(server);
        await makeAdministratorOf(server, administrator.id);
        const theirs = await session(app, administrator);
        for (const resource of [server.nativeAudience, server.managementAudience]) {
          await refused(exchange(issuer, theirs, { resource, scope: '' }), 'exchange_at_management');
        }
        const unknown = await exchange(issuer, await session(), { resource: 'https://nothing.example' });
        assert.ok(unknown.status >= 400 && unknown.body.access_token === undefined, JSON.stringify(unknown.body));
      });

      test('its tokens end with the session', async () => {
        const token = await session();
        const { body } = await exchange(issuer, token);
        const introspected = async () => {
          const form = { token: body.access_token, client_id: back.clientId, client_secret: back.clientSecret ?? '' };
          const own = await makeIntrospector();
          return (await server.request('POST', issuers[issuer].introspect, { form: { ...form, ...own } })).body.active;
        };
        assert.equal(await introspected(), true);
        await callApp(server, 'revokesession', { sessionToken: token });
        assert.equal(await introspected(), false);
        await refused(exchange(issuer, token), 'subject_token_invalid');
      });
    });
  }

  /** A client that may introspect any token. */
  async function makeIntrospector(): Promise<{ client_id: string; client_secret: string }> {
    const client = await server.manage('POST', '/clients', { name: 'Guard', app_type: 'non_interactive' });
    const grant = { client_id: client.client_id, audience: server.nativeAudience, scope: ['introspect:tokens'] };
    await server.manage('POST', '/client-grants', grant);
    return { client_id: client.client_id, client_secret: client.client_secret };
  }

  test('without scopes: whatever the person may at the root issuer, nothing at the other', async () => {
    const token = await session();
    const at = (issuer: IssuerKey) =>
      exchangeToken(server, issuer, app, token, { ...ofSession, resource: api.indicator });
    assert.equal((await at('root')).body.scope, 'read:orders write:orders');
    assert.equal((await at('oidc')).body.scope, '');
  });

  test('no refresh token, no longer than the session', async () => {
    const token = await session();
    assert.equal((await exchange('root', token, { scope: 'read:orders offline_access' })).status, 400);
    clock.advance(14 * 86_400_000 - 60_000);
    const { body } = await exchange('root', token);
    assert.ok(body.expires_in > 0 && body.expires_in <= 60, String(body.expires_in));
    clock.advance(120_000);
    await refused(exchange('root', token), 'subject_token_invalid');
    clock.advance(-14 * 86_400_000 - 60_000);
  });

  test('what ends the session is seen at the exchange', async () => {
    const person = await makeUserOf(server, api);
    const token = await session(app, person);
    await native(server, 'PATCH', `/users/${person.id}/is-suspended`, { isSuspended: true });
    await refused(exchange('root', token), 'subject_token_invalid');

    const made = await makePolicy(server);
    const ofMade = await sessionOf(server, made, app, user);
    await native(server, 'PATCH', `/auth-policies/${made.guid}`, { enabled: false });
    await refused(exchange('root', ofMade), 'subject_token_invalid');
  });

  test('an organization that takes other policies gives nothing', async () => {
    const { id } = await native(server, 'POST', '/organizations', { name: 'Closed' });
    await native(server, 'POST', `/organizations/${id}/users`, { userIds: [user.id] });
    const token = await session();
    const at = () => exchange('root', token, { organization: id });
    assert.equal((await at()).status, 200);
    await native(server, 'PATCH', `/organizations/${id}`, { authPolicyIds: ['password'] });
    const { status, body } = await at();
    assert.ok(status >= 400 && body.access_token === undefined, JSON.stringify(body));
    await native(server, 'PATCH', `/organizations/${id}`, { authPolicyIds: [policy.guid] });
    assert.equal((await at()).status, 200);
  });

  test('only where the application may exchange, and is one of our own', async () => {
    const plain = await makeApp(server, 'Native');
    await refused(exchange('root', await session(plain), {}, plain), 'grant_type_not_allowed');
  });

  test('revoked while it is exchanged: no token outlives it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const token = await session();
      const [first, , second] = await Promise.all([
        exchange('root', token),
        callApp(server, 'revokesession', { sessionToken: token }),
        exchange('root', token),
      ]);
      assert.equal(await isValid(server, token), false);
      for (const { status, body } of [first, second]) {
        if (status !== 200) continue;
        const [authorizationId] = claimsOf(body.access_token).jti.split('.');
        assert.ok(!(await server.rows('authorizations')).some(({ id }) => id === authorizationId));
      }
    }
  });
});
