/** Which pages may read the answers of the protocol's endpoints. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { Members } from '../native/members-support.ts';
import { withoutLimits } from './refusals.ts';

const open = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
  '/oidc/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server/oidc',
  '/oidc/jwks',
];
const ofClients = [
  ...['/oauth/token', '/oauth2/token', '/oauth/revoke', '/userinfo', '/oauth/par', '/oauth/device/code'],
  ...['/oidc/token', '/oidc/token/revocation', '/oidc/me', '/oidc/par', '/oidc/device/auth'],
];
const forServers = ['/oauth/introspect', '/oidc/token/introspection', '/authorize', '/oidc/auth'];

eachEngine('pages of other origins', (engine) => {
  let server: TestServer;
  let native: Members;
  let id: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
    const application = await native.expect(200, 'POST', '/applications', {
      name: 'Page',
      type: 'SPA',
      oidcClientMetadata: { redirectUris: ['https://app.example/cb?x=1', 'http://localhost:3000/cb'] },
      customClientMetadata: { corsAllowedOrigins: ['https://other.example', 'capacitor://localhost'] },
    });
    id = application.id;
  });
  after(() => server.close());

  const allowed = () => [
    'https://app.example',
    'http://localhost:3000',
    'https://other.example',
    'capacitor://localhost',
    server.origin,
  ];
  const refused = [
    'https://evil.example',
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.example',
    'https://sub.app.example',
    'https://app.example/cb',
    'https://APP.example',
    'https://app.example, https://evil.example',
    'null',
    '*',
    '',
  ];
  const beforehand = (path: string, origin: string): Promise<Answer> =>
    server.request('OPTIONS', path, {
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,dpop',
      },
    });
  const allowedOrigin = (answer: Answer) => answer.headers.get('access-control-allow-origin');
  const tokenOf = (path: string, origin: string) =>
    server.request('POST', path, { form: { grant_type: 'refresh_token', client_id: id }, headers: { origin } });
  const nothing = (answer: Answer) =>
    assert.deepEqual(
      [...answer.headers.keys()].filter((name) => name.startsWith('access-control-')),
      [],
    );

  describe('what is published', () => {
    for (const path of open) {
      test(`${path} is for everybody`, async () => {
        for (const origin of ['https://evil.example', 'null', ...allowed()]) {
          const answer = await server.request('GET', path, { headers: { origin } });
          assert.deepEqual([answer.status, allowedOrigin(answer)], [200, '*']);
          assert.equal(answer.headers.get('access-control-allow-credentials'), null);
        }
        assert.equal(allowedOrigin(await server.request('GET', path)), '*', 'for it may be kept and given to a page');
        const answer = await beforehand(path, 'https://evil.example');
        assert.deepEqual([answer.status, answer.text, allowedOrigin(answer)], [204, '', '*']);
      });
    }
  });

  describe('what clients ask for', () => {
    for (const path of ofClients) {
      test(`${path} is for pages of the tenant's clients and its own`, async () => {
        for (const origin of allowed()) {
          const asked = await beforehand(path, origin);
          assert.deepEqual([asked.status, asked.text, allowedOrigin(asked)], [204, '', origin]);
          assert.equal(asked.headers.get('access-control-allow-methods'), 'GET, POST');
          assert.equal(asked.headers.get('access-control-allow-headers'), 'authorization, content-type, dpop');
          assert.equal(asked.headers.get('vary'), 'Origin');
          const answer = await tokenOf(path, origin);
          assert.ok(answer.status >= 400 || path.includes('revo'), 'an error is read by the page as well');
          assert.deepEqual([allowedOrigin(answer), answer.headers.get('vary')], [origin, 'Origin']);
          assert.equal(answer.headers.get('access-control-expose-headers'), 'WWW-Authenticate, DPoP-Nonce');
          assert.equal(answer.headers.get('access-control-allow-credentials'), null);
        }
        for (const origin of refused) {
          const asked = await beforehand(path, origin);
          assert.equal(asked.status, 204);
          nothing(asked);
          nothing(await tokenOf(path, origin));
        }
        nothing(await server.request('POST', path, { form: { client_id: id } }));
      });
    }

    for (const path of forServers) {
      test(`${path} is for servers`, async () => {
        for (const origin of allowed()) {
          nothing(await beforehand(path, origin));
          nothing(await tokenOf(path, origin));
        }
      });
    }
  });

  test('a token reaches the page that asked for it', async () => {
    const { clientId, clientSecret, audience } = await server.machine();
    const answer = await server.token(
      { client_id: clientId, client_secret: clientSecret, audience },
      { origin: 'https://app.example' },
    );
    assert.deepEqual([answer.status, allowedOrigin(answer)], [200, 'https://app.example']);
  });

  test('an origin counts while a client names it, and in the tenant of that client', async () => {
    const origin = 'https://brief.example';
    const metadata = (corsAllowedOrigins: string[]) => ({ customClientMetadata: { corsAllowedOrigins } });
    const counts = async () => allowedOrigin(await beforehand('/oauth/token', origin)) === origin;
    assert.equal(await counts(), false);
    const [one, two] = [
      await native.expect(200, 'POST', '/applications', { name: 'One', type: 'SPA', ...metadata([origin]) }),
      await native.expect(200, 'POST', '/applications', { name: 'Two', type: 'SPA', ...metadata([`${origin}/`]) }),
    ];
    assert.equal(await counts(), true);
    await native.expect(200, 'PATCH', `/applications/${one.id}`, metadata([]));
    assert.equal(await counts(), true, 'the other one still names it');
    await native.expect(201, 'POST', '/tenants', { id: 'other' });
    const there = await server.composed.services.db.read
      .selectFrom('client_origins')
      .select('origin')
      .where('tenant_id', '=', 'other')
      .execute();
    assert.deepEqual(there, []);
    await native.expect(204, 'DELETE', `/applications/${two.id}`);
    assert.equal(await counts(), false);
  });
});
