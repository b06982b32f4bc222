/** `express-oauth2-jwt-bearer`, unmodified, in an Express application: what an API server does with our tokens. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import express from 'express';
import { auth, claimIncludes, requiredScopes } from 'express-oauth2-jwt-bearer';
import { claimsOf } from '../sign-in/support.ts';
import { accessToken, manager, postToHost, startTrusted, type TrustedServer } from './trusted.ts';

const dialects = ['access_token', 'access_token_authz', 'rfc9068_profile', 'rfc9068_profile_authz'] as const;
type Dialect = (typeof dialects)[number];
const audienceOf = (dialect: string) => `https://${dialect.replaceAll('_', '-')}.example/`;

describe('express-oauth2-jwt-bearer', () => {
  let server: TrustedServer;
  let api: { origin: string; close(): Promise<void> };
  let client: { clientId: string; clientSecret: string };
  let tokens: Record<Dialect, string>;
  before(async () => {
    server = await startTrusted();
    const manage = manager(server);
    const made = await manage('POST', '/clients', { name: 'Caller', app_type: 'non_interactive' });
    client = { clientId: made.client_id, clientSecret: made.client_secret };
    const found: Partial<typeof tokens> = {};
    for (const dialect of dialects) {
      await manage('POST', '/resource-servers', {
        identifier: audienceOf(dialect),
        name: dialect,
        token_dialect: dialect,
        scopes: [{ value: 'read:orders' }, { value: 'write:orders' }],
      });
      await manage('POST', '/client-grants', {
        client_id: client.clientId,
        audience: audienceOf(dialect),
        scope: ['read:orders'],
      });
      found[dialect] = await accessToken(server, audienceOf(dialect), client);
    }
    tokens = found as typeof tokens;
    api = await startApi();
  });
  after(async () => {
    await api?.close();
    await server?.stop();
  });

  /** One API server for each audience: `/<dialect>`, and `/<dialect>/strict` with the stricter reading of RFC 9068. */
  async function startApi() {
    const app = express();
    for (const dialect of dialects) {
      const options = { issuerBaseURL: server.issuer, audience: audienceOf(dialect) };
      const answer: express.RequestHandler = (request, response) => {
        response.json(request.auth?.payload);
      };
      const lax = auth(options);
      app.get(`/${dialect}`, lax, answer);
      app.get(`/${dialect}/strict`, auth({ ...options, strict: true }), answer);
      // Without the five seconds it grants clocks, so that a test need not wait for them.
      app.get(`/${dialect}/punctual`, auth({ ...options, clockTolerance: 0 }), answer);
      app.get(`/${dialect}/read`, lax, requiredScopes('read:orders'), answer);
      app.get(`/${dialect}/write`, lax, requiredScopes('write:orders'), answer);
      app.get(`/${dialect}/permission`, lax, claimIncludes('permissions', 'read:orders'), answer);
    }
    const refuse: express.ErrorRequestHandler = (error, _request, response, _next) => {
      response
        .status(error.status ?? 500)
        .set(error.headers)
        .json({ code: error.code, message: error.message });
    };
    app.use(refuse);
    const listener = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => listener.once('listening', resolve));
    const { port } = listener.address() as AddressInfo;
    return {
      origin: `http://127.0.0.1:${port}`,
      close: () => new Promise<void>((resolve) => listener.close(() => resolve())),
    };
  }

  async function call(path: string, token?: string) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${api.origin}${path}`, { headers });
    return {
      status: response.status,
      authenticate: response.headers.get('www-authenticate') ?? '',
      // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
      body: (await response.json()) as any,
    };
  }

  for (const dialect of dialects) {
    test(`accepts a token of the dialect ${dialect}`, async () => {
      const answer = await call(`/${dialect}`, tokens[dialect]);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.body.iss, server.issuer);
      assert.equal(answer.body.sub, `${client.clientId}@clients`);
      assert.equal((await call(`/${dialect}/read`, tokens[dialect])).status, 200);
    });
  }

  test('strict: accepts the RFC 9068 dialects and no others', async () => {
    for (const dialect of dialects) {
      const answer = await call(`/${dialect}/strict`, tokens[dialect]);
      if (dialect.startsWith('rfc9068')) {
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
      } else {
        assert.equal(answer.status, 401);
        assert.match(answer.body.message, /Unexpected 'typ' value/);
      }
    }
  });

  test('finds permissions in the dialects that carry them', async () => {
    for (const dialect of dialects) {
      const { status } = await call(`/${dialect}/permission`, tokens[dialect]);
      assert.equal(status, dialect.endsWith('authz') ? 200 : 401, dialect);
    }
  });

  test('refuses a request without a token, and one that is none', async () => {
    assert.equal((await call('/rfc9068_profile')).status, 401);
    const answer = await call('/rfc9068_profile', 'not.a.token');
    assert.equal(answer.status, 401);
    assert.equal(answer.body.code, 'invalid_token');
  });

  test('refuses a token for another audience', async () => {
    for (const path of ['/rfc9068_profile', '/rfc9068_profile/strict']) {
      const answer = await call(path, tokens.rfc9068_profile_authz);
      assert.equal(answer.status, 401);
      assert.match(answer.body.message, /Unexpected 'aud' value/);
    }
  });

  test('refuses a token with a missing scope: 403', async () => {
    const answer = await call('/access_token/write', tokens.access_token);
    assert.equal(answer.status, 403);
    assert.equal(answer.body.code, 'insufficient_scope');
    assert.match(answer.authenticate, /scope="write:orders"/);
  });

  test('refuses an expired token', async (t) => {
    await manager(server)('PATCH', `/resource-servers/${encodeURIComponent(audienceOf('rfc9068_profile'))}`, {
      token_lifetime: 60,
    });
    const token = await accessToken(server, audienceOf('rfc9068_profile'), client);
    assert.equal((await call('/rfc9068_profile/punctual', token)).status, 200);
    // The API server is in this process: its clock is put to the very second that the token ends.
    t.mock.timers.enable({ apis: ['Date'], now: claimsOf(token).exp * 1000 });
    const answer = await call('/rfc9068_profile/punctual', token);
    assert.equal(answer.status, 401);
    assert.match(answer.body.message, /"exp" claim timestamp check failed/);
  });

  test('refuses a token of another tenant, for the same audience', async () => {
    const other = await tokenOfOtherTenant();
    const answer = await call('/rfc9068_profile', other);
    assert.equal(answer.status, 401);
    assert.equal(answer.body.code, 'invalid_token');
  });

  /** A token for the same audience, of a second tenant that has an API of the same identifier. */
  async function tokenOfOtherTenant(): Promise<string> {
    const native = await accessToken(server, server.report.nativeApi as string);
    const made = await postToHost(`${server.origin}/api/tenants`, { id: 'other', name: 'Other' }, native);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const { issuer, managementClient } = made.body;
    const post = async (path: string, body: unknown, token?: string) => {
      const answer = await postToHost(new URL(path, issuer).href, body, token);
      assert.ok(answer.status < 300, `${path}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    const tokenFor = async (audience: string, id: string, secret: string) =>
      (await post('/oauth/token', { ...grant, audience, client_id: id, client_secret: secret })).access_token as string;
    const grant = { grant_type: 'client_credentials' };
    const { clientId, clientSecret } = managementClient;
    const token = await tokenFor(`${issuer}api/v2/`, clientId, clientSecret);
    const audience = audienceOf('rfc9068_profile');
    const dialect = { token_dialect: 'rfc9068_profile', scopes: [{ value: 'read:orders' }] };
    await post('/api/v2/resource-servers', { identifier: audience, name: 'Twin', ...dialect }, token);
    const caller = await post('/api/v2/clients', { name: 'Caller', app_type: 'non_interactive' }, token);
    await post('/api/v2/client-grants', { client_id: caller.client_id, audience, scope: ['read:orders'] }, token);
    return tokenFor(audience, caller.client_id, caller.client_secret);
  }
});
