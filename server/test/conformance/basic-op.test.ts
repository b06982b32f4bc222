/** OpenID Connect Basic OP: `oidcc-basic-certification-test-plan`. */
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { decodeProtectedHeader, UnsecuredJWT } from 'jose';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import {
  Browser,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  native,
  pkce,
  redirectUri,
  type TestUser,
} from '../sign-in/support.ts';
import { withoutLimits } from '../token/refusals.ts';
import { discover, module, RelyingParty } from './relying-party.ts';

/** Claims of each scope (Core §5.4), all of which the person has. */
const claimsOfScope: Record<string, string[]> = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
};

eachEngine('Basic OP', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  let user: TestUser;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    user = await makeUser(server, {
      username: 'hanako_sekino',
      primaryPhone: '819012345678',
      avatar: 'https://app.example/hanako.png',
    });
    const profile = {
      familyName: 'Sekino',
      givenName: 'Hanako',
      middleName: 'M',
      nickname: 'Hana',
      preferredUsername: 'hanako_sekino',
      profile: 'https://app.example/hanako',
      website: 'https://hanako.example',
      gender: 'female',
      birthdate: '1990-04-01',
      zoneinfo: 'Asia/Tokyo',
      locale: 'ja-JP',
      address: { formatted: '1-1 Chiyoda, Tokyo', locality: 'Chiyoda', country: 'Japan' },
    };
    await native(server, 'PATCH', `/users/${user.id}/profile`, { profile });
  });
  after(() => server.close());

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    describe(issuer, () => {
      /** A relying party with a new browser. */
      async function party(): Promise<RelyingParty> {
        const metadata = await discover(server, issuers[issuer].issuer(server));
        const client = await makeApp(server);
        return new RelyingParty(server, metadata, { client, user, redirectUri });
      }

      /** The whole flow with what a request may carry besides. */
      async function succeedsWith(changes: Record<string, string>): Promise<void> {
        const rp = await party();
        const { body, claims } = await rp.redeem(await rp.authorize(changes));
        await rp.userinfo(body.access_token, claims.sub);
      }

      module('oidcc-server', async () => {
        await succeedsWith({});
      });

      module('oidcc-response-type-missing', async () => {
        const rp = await party();
        const { error, code } = await rp.authorize({ response_type: undefined });
        assert.equal(error, 'invalid_request');
        assert.equal(code, undefined);
      });

      module('oidcc-idtoken-signature', async () => {
        const rp = await party();
        const { body } = await rp.redeem(await rp.authorize());
        const { alg, kid } = decodeProtectedHeader(body.id_token);
        assert.ok(rp.metadata.id_token_signing_alg_values_supported.includes(alg));
        const { keys } = (await server.request('GET', rp.pathOf(rp.metadata.jwks_uri))).body;
        assert.equal(keys.filter((key: { kid: string }) => key.kid === kid).length, 1);
        const [head, payload, signature = ''] = body.id_token.split('.');
        const changed = `${head}.${payload}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
        await assert.rejects(rp.idToken(changed, undefined), /signature/i);
      });

      for (const way of ['get', 'post-header', 'post-body'] as const) {
        const work = async () => {
          const rp = await party();
          const { body, claims } = await rp.redeem(await rp.authorize());
          const path = rp.pathOf(rp.metadata.userinfo_endpoint);
          const token = body.access_token as string;
          const answer =
            way === 'get'
              ? await server.request('GET', path, { token })
              : way === 'post-header'
                ? await server.request('POST', path, { token })
                : await server.request('POST', path, { form: { access_token: token } });
          rp.claims(answer, claims.sub);
        };
        if (way === 'get') module('oidcc-userinfo-get', work);
        if (way === 'post-header') module('oidcc-userinfo-post-header', work);
        if (way === 'post-body') module('oidcc-userinfo-post-body', work);
      }

      module('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
        const rp = await party();
        const { claims } = await rp.redeem(await rp.authorize({ nonce: undefined }));
        assert.equal('nonce' in claims, false);
      });

      /** The claims of these scopes, and of no others. */
      async function tellsOf(scopes: string[], order = scopes): Promise<void> {
        const rp = await party();
        const { body, claims } = await rp.redeem(await rp.authorize({ scope: order.join(' ') }));
        assert.deepEqual(new Set(body.scope.split(' ')), new Set(scopes));
        const told = await rp.userinfo(body.access_token, claims.sub);
        for (const [scope, names] of Object.entries(claimsOfScope)) {
          for (const name of names) {
            assert.equal(told[name] !== undefined, scopes.includes(scope), `${name} by ${scopes}`);
            assert.ok(claims[name] === undefined || scopes.includes(scope), `${name} in the ID token by ${scopes}`);
          }
        }
        const types: Record<string, string> = {
          email_verified: 'boolean',
          phone_number_verified: 'boolean',
          updated_at: 'number',
          address: 'object',
        };
        for (const names of Object.values(claimsOfScope)) {
          for (const name of names) {
            if (told[name] !== undefined) assert.equal(typeof told[name], types[name] ?? 'string', name);
          }
        }
      }
      module('oidcc-scope-profile', () => tellsOf(['openid', 'profile']));
      module('oidcc-scope-email', () => tellsOf(['openid', 'email']));
      module('oidcc-scope-address', () => tellsOf(['openid', 'address']));
      module('oidcc-scope-phone', () => tellsOf(['openid', 'phone']));
      module('oidcc-scope-all', () => tellsOf(['openid', 'profile', 'email', 'address', 'phone']));

      module('oidcc-alternate-happy-flow', async () => {
        await tellsOf(['openid', 'email'], ['email', 'openid']);
        const rp = await party();
        const parameters = rp.request();
        await rp.browser.open(rp.url(Object.fromEntries(Object.entries(parameters).reverse())));
        await rp.pages();
        await rp.redeem(rp.outcome(parameters));
      });

      module('oidcc-display-page', () => succeedsWith({ display: 'page' }));
      module('oidcc-display-popup', () => succeedsWith({ display: 'popup' }));

      module('oidcc-prompt-login', async () => {
        const rp = await party();
        const first = (await rp.redeem(await rp.authorize({ prompt: 'login' }))).claims;
        clock.advance(2000);
        const parameters = rp.request({ prompt: 'login' });
        await rp.browser.open(rp.url(parameters));
        assert.equal(rp.browser.page.location, undefined, 'the person is asked again');
        await rp.pages();
        const second = (await rp.redeem(rp.outcome(parameters))).claims;
        assert.equal(second.sub, first.sub);
        assert.ok((second.auth_time as number) > (first.auth_time as number));
      });

      module('oidcc-prompt-none-not-logged-in', async () => {
        const rp = await party();
        const { error, code } = await rp.authorize({ prompt: 'none' });
        assert.equal(error, 'login_required');
        assert.equal(code, undefined);
      });

      module('oidcc-prompt-none-logged-in', async () => {
        const rp = await party();
        const first = (await rp.redeem(await rp.authorize())).claims;
        const parameters = rp.request({ prompt: 'none' });
        await rp.browser.open(rp.url(parameters));
        const second = (await rp.redeem(rp.outcome(parameters))).claims;
        assert.equal(second.sub, first.sub);
        assert.equal(second.auth_time, first.auth_time);
      });

      module('oidcc-max-age-1', async () => {
        const rp = await party();
        const first = (await rp.redeem(await rp.authorize())).claims;
        clock.advance(2000);
        const parameters = rp.request({ max_age: '1' });
        await rp.browser.open(rp.url(parameters));
        assert.equal(rp.browser.page.location, undefined, 'the person is asked again');
        await rp.pages();
        const second = (await rp.redeem(rp.outcome(parameters))).claims;
        assert.equal(second.sub, first.sub);
        assert.equal(typeof second.auth_time, 'number');
        assert.ok((second.auth_time as number) >= (first.auth_time as number) + 2);
      });

      module('oidcc-max-age-10000', async () => {
        const rp = await party();
        const first = (await rp.redeem(await rp.authorize())).claims;
        clock.advance(2000);
        const parameters = rp.request({ max_age: '10000' });
        await rp.browser.open(rp.url(parameters));
        const second = (await rp.redeem(rp.outcome(parameters))).claims;
        assert.equal(second.sub, first.sub);
        assert.equal(second.auth_time, first.auth_time, 'nobody is asked');
      });

      module('oidcc-ensure-request-with-unknown-parameter-succeeds', () => succeedsWith({ extra: 'foobar' }));

      module('oidcc-id-token-hint', async () => {
        const rp = await party();
        const { body, claims } = await rp.redeem(await rp.authorize());
        const parameters = rp.request({ prompt: 'none', id_token_hint: body.id_token });
        await rp.browser.open(rp.url(parameters));
        assert.equal((await rp.redeem(rp.outcome(parameters))).claims.sub, claims.sub);
      });

      module('oidcc-login-hint', async () => {
        const rp = await party();
        await rp.browser.open(rp.url(rp.request({ login_hint: 'buffy@app.example' })));
        assert.match(rp.browser.page.text, /value="buffy@app\.example"/);
        rp.browser = new Browser(server);
        await rp.redeem(await rp.authorize({ login_hint: 'buffy@app.example' }));
      });

      module('oidcc-ui-locales', async () => {
        await succeedsWith({ ui_locales: 'se' });
        const rp = await party();
        await rp.browser.open(rp.url(rp.request({ ui_locales: 'ja en' })));
        assert.match(rp.browser.page.text, /<html[^>]* lang="ja"/);
      });

      module('oidcc-claims-locales', () => succeedsWith({ claims_locales: 'se' }));
      module('oidcc-ensure-request-with-acr-values-succeeds', () => succeedsWith({ acr_values: '1 2' }));

      /** The second use is refused, and the tokens of the first end. */
      async function refusesSecondUse(seconds: number): Promise<void> {
        const rp = await party();
        const outcome = await rp.authorize();
        const { body, claims } = await rp.redeem(outcome);
        await rp.userinfo(body.access_token, claims.sub);
        clock.advance(seconds * 1000);
        const again = await rp.exchange(outcome);
        assert.equal(`${again.status} ${again.body.error}`, '400 invalid_grant');
        const path = rp.pathOf(rp.metadata.userinfo_endpoint);
        assert.equal((await server.request('GET', path, { token: body.access_token })).status, 401);
      }
      module('oidcc-codereuse', () => refusesSecondUse(0));
      module('oidcc-codereuse-30seconds', () => refusesSecondUse(30));

      module('oidcc-ensure-registered-redirect-uri', async () => {
        const rp = await party();
        await rp.browser.open(rp.url(rp.request({ redirect_uri: `${redirectUri}/${Date.now()}` })));
        rp.errorPage();
      });

      module('oidcc-ensure-post-request-succeeds', async () => {
        const rp = await party();
        const parameters = rp.request();
        await rp.browser.post(rp.pathOf(rp.metadata.authorization_endpoint), parameters);
        await rp.pages();
        await rp.redeem(rp.outcome(parameters));
      });

      module('oidcc-server-client-secret-post', async () => {
        const rp = await party();
        rp.authentication = 'post';
        assert.ok(rp.metadata.token_endpoint_auth_methods_supported.includes('client_secret_post'));
        await rp.redeem(await rp.authorize());
      });

      module('oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported', async () => {
        const rp = await party();
        assert.equal(rp.metadata.request_uri_parameter_supported, false);
        // It is not fetched: whatever it is, it is no pushed request.
        await rp.browser.open(rp.url(rp.request({ request_uri: 'https://app.example/request.jwt' })));
        rp.errorPage(404);
      });

      module('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', async () => {
        const rp = await party();
        assert.equal(rp.metadata.request_parameter_supported, false);
        const request = new UnsecuredJWT({ ...rp.request(), iss: rp.client.clientId }).encode();
        const { error } = await rp.authorize({ request });
        assert.equal(error, 'request_not_supported');
      });

      module('oidcc-claims-essential', async () => {
        const rp = await party();
        assert.equal(rp.metadata.claims_parameter_supported, false);
        const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
        const tokens = await rp.redeem(await rp.authorize({ claims }));
        await rp.userinfo(tokens.body.access_token, tokens.claims.sub);
      });

      module('oidcc-refresh-token', async () => {
        const rp = await party();
        assert.ok(rp.metadata.grant_types_supported.includes('refresh_token'));
        const outcome = await rp.authorize({ scope: 'openid offline_access', prompt: 'consent' });
        const { body, claims } = await rp.redeem(outcome);
        assert.ok(typeof body.refresh_token === 'string');
        clock.advance(2000);
        const answer = await rp.token({ grant_type: 'refresh_token', refresh_token: body.refresh_token });
        const next = await rp.checked(answer, undefined);
        // Core §12.2: about the same sign-in.
        for (const name of ['iss', 'sub', 'aud', 'auth_time']) assert.deepEqual(next.claims[name], claims[name], name);
        assert.ok((next.claims.iat as number) > (claims.iat as number));
        assert.notEqual(next.body.access_token, body.access_token);
        await rp.userinfo(next.body.access_token, claims.sub);
        const other = await party();
        const stolen = await other.token({ grant_type: 'refresh_token', refresh_token: body.refresh_token });
        assert.equal(stolen.body.error, 'invalid_grant', 'it is bound to its client');
      });

      module('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
        const rp = await party();
        assert.deepEqual(rp.metadata.code_challenge_methods_supported, ['S256']);
        const { verifier, challenge } = pkce();
        const outcome = await rp.authorize({ code_challenge: challenge, code_challenge_method: 'S256' });
        await rp.redeem(outcome, { code_verifier: verifier });
      });
    });
  }
});
