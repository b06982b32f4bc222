/** OpenID Connect Back-Channel Logout: `oidcc-backchannel-rp-initiated-logout-certification-test-plan`. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type IssuerKey, issuers, makeApp, makeUser, redirectUri } from '../sign-in/support.ts';
import { discover, module, RelyingParty } from './relying-party.ts';

const bye = 'https://app.example/bye';

eachEngine('Back-channel logout', (engine) => {
  let server: TestServer;
  const received: { method: string | undefined; type: string | undefined; body: string }[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      received.push({ method: request.method, type: request.headers['content-type'], body });
      response.writeHead(200, { 'cache-control': 'no-store' }).end();
    });
  });
  before(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    server = await startServer({ engine, env: { SEKISHO_ALLOW_PRIVATE_TARGETS: 'true' } });
  });
  after(async () => {
    await server.close();
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    describe(issuer, () => {
      module('oidcc-backchannel-logout-discovery-endpoint-verification', async () => {
        const metadata = await discover(server, issuers[issuer].issuer(server));
        assert.equal(metadata.backchannel_logout_supported, true);
        assert.equal(metadata.backchannel_logout_session_supported, true);
        assert.equal(typeof metadata.end_session_endpoint, 'string');
      });

      module('oidcc-backchannel-rp-initiated-logout', async () => {
        const metadata = await discover(server, issuers[issuer].issuer(server));
        const { port } = receiver.address() as AddressInfo;
        const client = await makeApp(server, 'Traditional', {
          oidcClientMetadata: {
            redirectUris: [redirectUri],
            postLogoutRedirectUris: [bye],
            backchannelLogoutUri: `http://127.0.0.1:${port}/logout`,
            backchannelLogoutSessionRequired: true,
          },
        });
        const rp = new RelyingParty(server, metadata, { client, user: await makeUser(server), redirectUri });
        const { body, claims } = await rp.redeem(await rp.authorize());
        assert.equal(typeof claims.sid, 'string', 'the ID token names the session');
        received.length = 0;
        const query = new URLSearchParams({
          id_token_hint: body.id_token,
          post_logout_redirect_uri: bye,
          state: 'abc',
        });
        const page = await rp.browser.open(`${rp.pathOf(metadata.end_session_endpoint)}?${query}`);
        assert.equal(page.location, `${bye}?state=abc`);
        await server.composed.logoutSender.run();

        // §2.5: a POST with the token alone.
        assert.equal(received.length, 1);
        const [{ method, type, body: form }] = received as [(typeof received)[number]];
        assert.equal(method, 'POST');
        assert.match(type ?? '', /^application\/x-www-form-urlencoded/);
        const token = new URLSearchParams(form).get('logout_token') as string;
        // §2.4, §2.6.
        const keys = (await server.request('GET', rp.pathOf(metadata.jwks_uri))).body;
        const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
          issuer: metadata.issuer,
          audience: client.clientId,
          algorithms: ['RS256'],
          requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
        });
        assert.equal(protectedHeader.typ, 'logout+jwt');
        assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
        assert.equal(payload.sid, claims.sid);
        assert.equal(payload.sub, claims.sub);
        assert.equal('nonce' in payload, false);
        assert.ok((payload.exp as number) - (payload.iat as number) <= 120, 'it is short-lived');
      });
    });
  }
});
