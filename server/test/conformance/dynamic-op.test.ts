/** OpenID Connect Dynamic OP: `oidcc-dynamic-certification-test-plan`. Each module registers the client it needs. */
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { type IssuerKey, issuers, makeUser, native, redirectUri, type TestUser } from '../sign-in/support.ts';
import { claimsOf, keyPair, proof, sign } from '../token/assertions.ts';
import { withoutLimits } from '../token/refusals.ts';
import { assertMetadata } from './metadata.ts';
import { discover, type Metadata, module, RelyingParty } from './relying-party.ts';

eachEngine('Dynamic OP', (engine) => {
  let server: TestServer;
  let user: TestUser;
  let initialToken: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    user = await makeUser(server);
    const expiresAt = Date.now() + 3_600_000;
    const made = await native(server, 'POST', '/initial-access-tokens', { name: 'Conformance', uses: 100, expiresAt });
    initialToken = made.value;
  });
  after(() => server.close());

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    describe(issuer, () => {
      let metadata: Metadata;
      before(async () => {
        metadata = await discover(server, issuers[issuer].issuer(server));
      });

      const register = (facts: Record<string, unknown> = {}): Promise<Answer> =>
        server.request('POST', metadata.registration_endpoint.slice(server.origin.length), {
          token: initialToken,
          json: {
            client_name: 'Conformance',
            redirect_uris: [redirectUri],
            response_types: ['code'],
            grant_types: ['authorization_code'],
            ...facts,
          },
        });

      /** A relying party that registered itself (RFC 7591 §3.2.1). */
      async function registered(facts: Record<string, unknown> = {}): Promise<RelyingParty> {
        const { status, body, headers, text } = await register(facts);
        assert.equal(status, 201, text);
        assert.equal(headers.get('cache-control'), 'no-store');
        assert.equal(typeof body.client_id, 'string');
        for (const [name, value] of Object.entries(facts)) assert.deepEqual(body[name], value, name);
        if (body.client_secret !== undefined) {
          assert.ok(body.client_secret.length >= 43);
          assert.equal(typeof body.client_secret_expires_at, 'number');
        }
        const client = { clientId: body.client_id, clientSecret: body.client_secret };
        return new RelyingParty(server, metadata, { client, user, redirectUri: body.redirect_uris[0] });
      }

      async function refusesRegistration(facts: Record<string, unknown>, error: string): Promise<void> {
        const state = await server.stateHash();
        const answer = await register(facts);
        assert.equal(`${answer.status} ${answer.body.error}`, `400 ${error}`, answer.text);
        assert.equal(answer.body.client_id, undefined);
        assert.equal(await server.stateHash(), state);
      }

      module('oidcc-idtoken-rs256', async () => {
        const rp = await registered({ id_token_signed_response_alg: 'RS256' });
        const { body } = await rp.redeem(await rp.authorize());
        assert.equal(decodeProtectedHeader(body.id_token).alg, 'RS256');
      });

      module('oidcc-ensure-redirect-uri-in-authorization-request', async () => {
        const rp = await registered();
        await rp.browser.open(rp.url(rp.request({ redirect_uri: undefined })));
        rp.errorPage();
      });

      module('oidcc-redirect-uri-query-OK', async () => {
        const rp = await registered({ redirect_uris: [`${redirectUri}?foo=bar`] });
        const outcome = await rp.authorize();
        assert.equal(outcome.parameters.get('foo'), 'bar');
        await rp.redeem(outcome);
      });

      module('oidcc-redirect-uri-query-mismatch', async () => {
        const rp = await registered({ redirect_uris: [`${redirectUri}?foo=bar`] });
        await rp.browser.open(rp.url(rp.request({ redirect_uri: `${redirectUri}?foo=baz` })));
        rp.errorPage();
      });

      module('oidcc-redirect-uri-query-added', async () => {
        const rp = await registered();
        await rp.browser.open(rp.url(rp.request({ redirect_uri: `${redirectUri}?foo=bar` })));
        rp.errorPage();
      });

      module('oidcc-redirect-uri-regfrag', () =>
        refusesRegistration({ redirect_uris: [`${redirectUri}#foo`] }, 'invalid_redirect_uri'),
      );

      module('oidcc-discovery-endpoint-verification', async () => {
        await assertMetadata(server, metadata);
        assert.equal(new URL(metadata.registration_endpoint).origin, server.origin);
      });

      module('oidcc-server', async () => {
        const rp = await registered();
        const { body, claims } = await rp.redeem(await rp.authorize());
        await rp.userinfo(body.access_token, claims.sub);
      });

      /** What the consent page shows of the client. */
      async function consentPage(facts: Record<string, unknown>): Promise<string> {
        const rp = await registered(facts);
        await rp.browser.open(rp.url(rp.request()));
        await rp.browser.signIn(user);
        const { text } = rp.browser.page;
        assert.match(text, /\/consent/);
        await rp.pages();
        assert.match(rp.browser.page.location ?? '', /code=/);
        return text;
      }

      module('oidcc-registration-logo-uri', async () => {
        const text = await consentPage({ logo_uri: 'https://app.example/logo.png' });
        assert.match(text, /<img[^>]* src="https:\/\/app\.example\/logo\.png"/);
      });

      module('oidcc-registration-policy-uri', async () => {
        const text = await consentPage({ policy_uri: 'https://app.example/policy' });
        assert.match(text, /<a href="https:\/\/app\.example\/policy"/);
      });

      module('oidcc-registration-tos-uri', async () => {
        const text = await consentPage({ tos_uri: 'https://app.example/terms' });
        assert.match(text, /<a href="https:\/\/app\.example\/terms"/);
      });

      module('oidcc-registration-sector-bad', () =>
        refusesRegistration({ sector_identifier_uri: 'https://app.example/sector.json' }, 'invalid_client_metadata'),
      );

      module('oidcc-server-rotate-keys', async () => {
        const rp = await registered();
        const kids = async () =>
          (await server.request('GET', rp.pathOf(metadata.jwks_uri))).body.keys.map(({ kid }: { kid: string }) => kid);
        const first = await rp.redeem(await rp.authorize());
        const old = decodeProtectedHeader(first.body.id_token).kid;
        assert.ok((await kids()).includes(old));
        await server.manage('POST', '/keys/signing/rotate');
        const second = await rp.redeem(await rp.authorize());
        const current = decodeProtectedHeader(second.body.id_token).kid;
        assert.notEqual(current, old);
        // Both verify: the one before is published as long as it is not revoked.
        const published = await kids();
        assert.ok(published.includes(old) && published.includes(current));
        await rp.idToken(first.body.id_token, first.claims.nonce as string);
      });

      module('oidcc-refresh-token', async () => {
        const rp = await registered({ grant_types: ['authorization_code', 'refresh_token'] });
        const outcome = await rp.authorize({ scope: 'openid offline_access', prompt: 'consent' });
        const { body, claims } = await rp.redeem(outcome);
        const answer = await rp.token({ grant_type: 'refresh_token', refresh_token: body.refresh_token });
        const next = await rp.checked(answer, undefined);
        for (const name of ['iss', 'sub', 'aud', 'auth_time']) assert.deepEqual(next.claims[name], claims[name], name);
        await rp.userinfo(next.body.access_token, claims.sub);
      });

      module('oidcc-ensure-client-assertion-with-iss-aud-succeeds', async () => {
        const key = keyPair('RS256');
        const rp = await registered({
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: { keys: [{ ...key.jwk, kid: 'key-1', alg: 'RS256', use: 'sig' }] },
        });
        rp.authentication = async () => {
          const { clientId } = rp.client;
          const claims = { ...claimsOf(server, clientId), aud: metadata.issuer };
          return { client_id: clientId, ...proof(await sign(key.privateKey, { alg: 'RS256', kid: 'key-1' }, claims)) };
        };
        const { body, claims } = await rp.redeem(await rp.authorize());
        await rp.userinfo(body.access_token, claims.sub);
      });
    });
  }
});
