/** Tokens of people at userinfo, introspection and revocation: whose they are, what they say, and when they are over. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { createDatabase, startPostgres } from '../../../scripts/postgres.ts';
import { type Answer, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';
import { basic, visible, withoutLimits } from '../token/refusals.ts';
import { assertGood, changesNothing, grantedTo, isActive, userinfoStatus } from './granted.ts';
import {
  Browser,
  bothIssuers,
  claimsOf,
  codeOf,
  exchange,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  native,
  refresh,
  type TestClient,
  type TestUser,
} from './support.ts';

const inactive = { active: false };
const organizations = 'urn:logto:scope:organizations';

eachEngine('tokens of people', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  let user: TestUser;
  let app: TestClient;
  let other: TestClient;
  let spa: TestClient;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    user = await makeUser(server);
    app = await makeApp(server);
    other = await makeApp(server);
    spa = await makeApp(server, 'SPA');
  });
  after(() => server.close());

  const secretOf = ({ clientId, clientSecret }: TestClient): Record<string, string> => ({
    client_id: clientId,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
  });
  const introspect = (issuer: IssuerKey, client: TestClient, token: string, headers = {}) =>
    server.request('POST', issuers[issuer].introspect, { form: { ...secretOf(client), token }, headers });
  const revoke = (issuer: IssuerKey, client: TestClient, token: string, more: Record<string, string> = {}) =>
    server.request('POST', issuers[issuer].revoke, { form: { ...secretOf(client), token, ...more } });

  /** A token for an API, for the person. */
  async function apiToken(issuer: IssuerKey, client = app) {
    const { audience } = await server.machine();
    const callback = await codeOf(new Browser(server), issuer, client, user, {
      scope: 'openid offline_access',
      prompt: 'consent',
      resource: audience,
    });
    const tokens = (await exchange(server, issuer, client, callback)).body;
    const again = await refresh(server, issuer, client, tokens.refresh_token, { resource: audience });
    assert.equal(again.status, 200, again.text);
    assert.equal(claimsOf(again.body.access_token).aud, audience);
    return { ...again.body, audience, refresh_token: tokens.refresh_token };
  }

  for (const issuer of bothIssuers) {
    const { userinfo } = issuers[issuer];

    test(`${issuer}: userinfo takes an access token of this issuer, whole, in a header or a form`, async () => {
      const granted = await grantedTo(server, issuer, app, user);
      const elsewhere = await grantedTo(server, issuer === 'root' ? 'oidc' : 'root', app, user);
      const { accessToken: token } = granted;
      const machine = await server.machine();
      const ofMachine = await server.token({
        client_id: machine.clientId,
        client_secret: machine.clientSecret,
        audience: machine.audience,
      });
      const wrong: Record<string, string> = {
        nonsense: 'nonsense',
        'an ID token': granted.idToken,
        'a refresh token': granted.refreshToken,
        'the code': granted.callback.code as string,
        'a token of the other issuer': elsewhere.accessToken,
        'a token of a machine': ofMachine.body.access_token,
        'a management token': await server.managementToken(),
        longer: `${token}A`,
        'another case': token.toUpperCase() === token ? token.toLowerCase() : token.toUpperCase(),
      };
      for (let cut = 1; cut <= 16; cut += 5) wrong[`shorter by ${cut}`] = token.slice(0, -cut);
      for (const [what, bad] of Object.entries(wrong)) {
        const send = () => server.request('GET', userinfo, { token: bad });
        const reason = 'userinfo_token_invalid';
        const answer = await changesNothing(server, send, { kind: 'userinfo.refused', reason });
        assert.equal(`${answer.status} ${answer.body.error}`, '401 invalid_token', what);
        assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token"/);
        assert.equal(answer.headers.get('cache-control'), 'no-store');
      }
      const asForm = await server.request('POST', userinfo, { form: { access_token: token } });
      assert.equal(asForm.status, 200, asForm.text);
      assert.equal((await server.request('POST', userinfo, { token })).status, 200);
      // RFC 6750 §2, §2.3: one way at a time, and never the URL.
      const twice = await server.request('POST', userinfo, { form: { access_token: token }, headers: basic('a', 'b') });
      assert.ok(twice.status >= 400 && twice.status < 500, twice.text);
      const inUrl = await server.request('GET', `${userinfo}?access_token=${token}`);
      assert.equal(inUrl.status, 401);
      assert.equal((await server.request('GET', userinfo)).status, 401);
      clock.advance(3_600_001);
      assert.equal(await userinfoStatus(server, issuer, token), 401, 'it is over after an hour');
    });

    test(`${issuer}: userinfo tells what the scopes give, and nothing without openid`, async () => {
      const plain = await exchange(server, issuer, app, await codeOf(new Browser(server), issuer, app, user));
      const me = await server.request('GET', userinfo, { token: plain.body.access_token });
      assert.deepEqual(Object.keys(me.body), ['sub'], me.text);
      const without = await exchange(
        server,
        issuer,
        app,
        await codeOf(new Browser(server), issuer, app, user, { scope: 'profile' }),
      );
      assert.equal(without.status, 200, without.text);
      assert.equal(without.body.id_token, undefined);
      const send = () => server.request('GET', userinfo, { token: without.body.access_token });
      const reason = 'userinfo_scope_missing';
      const answer = await changesNothing(server, send, { kind: 'userinfo.refused', reason });
      assert.equal(`${answer.status} ${answer.body.error}`, '403 insufficient_scope');
    });

    test(`${issuer}: introspection needs a client that proves who it is`, async () => {
      const { accessToken: token } = await grantedTo(server, issuer, app, user);
      const ask = (form: Record<string, string>, headers = {}) =>
        server.request('POST', issuers[issuer].introspect, { form: { token, ...form }, headers });
      for (const attempt of [
        () => ask({}),
        () => ask({ client_id: app.clientId }),
        () => ask({ client_id: app.clientId, client_secret: 'wrong' }),
        () => ask({ client_id: spa.clientId }),
        () => ask({ client_id: spa.clientId, client_secret: 'anything' }),
        () => ask({}, basic(app.clientId, 'wrong')),
        () => server.request('POST', issuers[issuer].introspect, { form: { token }, token }),
      ]) {
        const before = await server.stateHash();
        const answer = await attempt();
        assert.equal(answer.status, 401, answer.text);
        assert.equal(answer.body.active, undefined);
        assert.equal(await server.stateHash(), before);
      }
    });

    test(`${issuer}: a token is told to whom it is for; all others get one answer`, async () => {
      const granted = await grantedTo(server, issuer, app, user);
      const api = await apiToken(issuer);
      const ofSpa = await grantedTo(server, issuer, spa, user);
      const own = (await introspect(issuer, app, granted.accessToken)).body;
      assert.equal(own.active, true);
      assert.equal(own.client_id, app.clientId);
      assert.equal(own.sub, issuer === 'root' ? `auth0|${user.id}` : user.id);
      assert.equal(own.iss, issuers[issuer].issuer(server));
      const ended = await grantedTo(server, issuer, other, user);
      await revoke(issuer, other, ended.refreshToken);
      const nothing = visible(await introspect(issuer, other, 'nothing-like-a-token'));
      assert.equal(nothing.text, JSON.stringify(inactive));
      for (const token of [
        granted.accessToken,
        granted.refreshToken,
        api.access_token,
        ofSpa.accessToken,
        ofSpa.refreshToken,
        ended.accessToken,
        ended.refreshToken,
      ]) {
        assert.deepEqual(visible(await introspect(issuer, other, token)), nothing);
        const accept = { accept: 'application/token-introspection+jwt' };
        assert.deepEqual((await introspect(issuer, other, token, accept)).body, inactive);
      }
      // Who holds the scope for it sees every token of the tenant.
      const auditor = await callerWith(server, ['introspect:tokens'], server.nativeAudience);
      for (const token of [granted.accessToken, granted.refreshToken, api.access_token, ofSpa.refreshToken]) {
        assert.equal((await introspect(issuer, auditor, token)).body.active, true);
      }
      const weak = await callerWith(server, ['read:users'], server.nativeAudience);
      assert.deepEqual((await introspect(issuer, weak, granted.accessToken)).body, inactive);
    });

    test(`${issuer}: another client's token stays, and nobody revokes without proof`, async () => {
      const granted = await grantedTo(server, issuer, app, user);
      const api = await apiToken(issuer);
      const all = [granted.accessToken, granted.refreshToken, api.access_token, api.refresh_token];
      const before = await server.stateHash();
      const nothing = visible(await revoke(issuer, other, 'nothing-like-a-token'));
      assert.equal(nothing.status, 200);
      for (const token of all) {
        assert.deepEqual(visible(await revoke(issuer, other, token)), nothing);
        assert.deepEqual(visible(await revoke(issuer, spa, token)).text, nothing.text);
        assert.deepEqual(visible(await revoke(issuer, other, token, { token_type_hint: 'refresh_token' })), nothing);
        for (const form of [{}, { client_id: app.clientId }, { client_id: app.clientId, client_secret: 'wrong' }]) {
          const answer = await server.request('POST', issuers[issuer].revoke, { form: { token, ...form } });
          assert.equal(answer.status, 401, answer.text);
        }
      }
      assert.equal(await server.stateHash(), before);
      await assertGood(server, granted);
      assert.equal(await isActive(server, { issuer, client: app }, api.access_token), true);
    });

    test(`${issuer}: what is revoked is over: a token alone, or all that rests on the sign-in`, async () => {
      const granted = await grantedTo(server, issuer, app, user);
      const events = (await server.logEvents()).length;
      assert.equal((await revoke(issuer, app, granted.accessToken, { token_type_hint: 'nonsense' })).status, 200);
      assert.equal(await userinfoStatus(server, issuer, granted.accessToken), 401);
      const next = await refresh(server, issuer, app, granted.refreshToken);
      assert.equal(next.status, 200, 'the refresh token is not concerned');
      const api = await apiToken(issuer);
      assert.equal((await revoke(issuer, app, api.access_token)).status, 200);
      assert.deepEqual((await introspect(issuer, app, api.access_token)).body, inactive);
      assert.equal((await refresh(server, issuer, app, api.refresh_token, { resource: api.audience })).status, 200);

      const later = await apiToken(issuer);
      assert.equal((await revoke(issuer, app, later.refresh_token)).status, 200);
      assert.deepEqual((await introspect(issuer, app, later.access_token)).body, inactive);
      assert.equal((await refresh(server, issuer, app, later.refresh_token)).body.error, 'invalid_grant');
      const kinds = (await server.logEvents())
        .slice(events)
        .map(({ kind, reason }) => `${kind} ${reason ?? ''}`.trim());
      assert.equal(kinds.filter((kind) => kind === 'token.revoked').length, 2);
      assert.equal(kinds.filter((kind) => kind === 'authorization.ended revoked').length, 1);

      // A public client revokes its own.
      const ofSpa = await grantedTo(server, issuer, spa, user);
      assert.equal((await revoke(issuer, spa, ofSpa.refreshToken)).status, 200);
      assert.equal(await userinfoStatus(server, issuer, ofSpa.accessToken), 401);
    });

    test(`${issuer}: who is not a member any more has no token of the organization`, async () => {
      const who = await makeUser(server);
      const { id } = await native(server, 'POST', '/organizations', { name: 'Kansai' });
      await native(server, 'POST', `/organizations/${id}/users`, { userIds: [who.id] });
      const granted = await grantedTo(server, issuer, app, who, {
        scope: `openid offline_access ${organizations}`,
        resource: 'urn:logto:resource:organizations',
      });
      const ask = (organization: string): Promise<Answer> =>
        refresh(server, issuer, app, granted.refreshToken, { organization_id: organization });
      const token = await ask(id);
      assert.equal(token.status, 200, token.text);
      assert.equal(claimsOf(token.body.access_token).aud, `urn:logto:organization:${id}`);
      assert.equal(await isActive(server, { issuer, client: app }, token.body.access_token), true);
      const stranger = await ask('org_000000000000');
      await native(server, 'DELETE', `/organizations/${id}/users/${who.id}`);
      const reason = 'organization_not_member';
      const refused = await changesNothing(server, () => ask(id), { kind: 'token.refused', reason });
      assert.equal(`${refused.status} ${refused.body.error}`, '403 access_denied');
      assert.deepEqual(visible(refused), visible(stranger), 'not a member answers as not there');
      assert.equal(await isActive(server, { issuer, client: app }, token.body.access_token), false);
      assert.equal(await userinfoStatus(server, issuer, granted.accessToken), 200, 'the person is still signed in');
    });

    test(`${issuer}: roles taken away are gone from the next token, and from those that are there`, async () => {
      const { audience, apiId } = await server.machine({ scopes: ['read:orders', 'write:orders'] });
      const scopes = await native(server, 'GET', `/resources/${apiId}/scopes`);
      const read = scopes.find(({ name }: { name: string }) => name === 'read:orders');
      const role = await native(server, 'POST', '/roles', {
        name: `Reader ${issuer} ${apiId}`,
        description: 'Reads.',
        scopeIds: [read.id],
      });
      await native(server, 'POST', `/users/${user.id}/roles`, { roleIds: [role.id] });
      const callback = await codeOf(new Browser(server), issuer, app, user, {
        scope: 'openid offline_access read:orders write:orders',
        prompt: 'consent',
        resource: audience,
      });
      const { refresh_token } = (await exchange(server, issuer, app, callback)).body;
      const ask = () => refresh(server, issuer, app, refresh_token, { resource: audience });
      const token = (await ask()).body;
      const scopesOf = (text: string | undefined) => (text ?? '').split(' ').filter((scope) => scope.includes(':'));
      assert.deepEqual(scopesOf(token.scope), ['read:orders'], 'what the person holds, of what was asked for');
      await native(server, 'DELETE', `/users/${user.id}/roles/${role.id}`);
      assert.deepEqual(scopesOf((await ask()).body.scope), []);
      const told = (await introspect(issuer, app, token.access_token)).body;
      assert.deepEqual(scopesOf(told.scope), []);
    });
  }

  test('a revocation that can not be written is never answered as done', async () => {
    const postgres = engine === 'postgres' ? await startPostgres() : undefined;
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-revoke-'));
    const file = join(folder, 'data.db');
    const databaseUrl = postgres === undefined ? `sqlite:${file}` : await createDatabase(postgres.url);
    const node = await startServer({ databaseUrl, env: withoutLimits });
    try {
      const client = await makeApp(node);
      const granted = await grantedTo(node, 'root', client, await makeUser(node));
      // PostgreSQL is gone; of SQLite another process has the write lock.
      const lock = postgres === undefined ? new DatabaseSync(file) : undefined;
      lock?.exec('begin immediate');
      await postgres?.stop();
      const answers = await Promise.all(
        [granted.refreshToken, granted.accessToken].map((token) =>
          node.request('POST', '/oauth/revoke', { form: { ...secretOf(client), token } }),
        ),
      );
      for (const { status, body, headers, text } of answers) {
        assert.equal(`${status} ${body.error}`, '503 temporarily_unavailable', text);
        assert.equal(headers.get('retry-after'), '1');
      }
      lock?.exec('rollback');
      lock?.close();
      if (lock !== undefined) await assertGood(node, granted);
    } finally {
      await node.close().catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('nothing is told', () => {
  test('of a token in an answer that refuses it', async () => {
    const server = await startServer({ env: withoutLimits });
    try {
      const marker = 'MRK-this-must-not-come-back';
      for (const issuer of bothIssuers) {
        const answers = [
          await server.request('GET', issuers[issuer].userinfo, { token: marker }),
          await server.request('POST', issuers[issuer].introspect, { form: { token: marker, client_id: 'x' } }),
          await server.request('POST', issuers[issuer].token, {
            form: { grant_type: 'refresh_token', refresh_token: marker, client_id: 'x', code: marker },
          }),
        ];
        for (const { text, headers } of answers) {
          assert.ok(!text.includes(marker));
          assert.ok(![...headers.values()].some((value) => value.includes(marker)));
        }
      }
      assert.ok(!JSON.stringify(await server.logEvents()).includes(marker));
    } finally {
      await server.close();
    }
  });
});
