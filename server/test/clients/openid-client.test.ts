/** `openid-client`, unmodified: a certified relying party, at both issuers, over https. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as client from 'openid-client';
import { Browser, claimsOf, formsOf } from '../sign-in/support.ts';
import {
  accessTokenType,
  audience,
  deviceGrant,
  exchangeGrant,
  type IssuerKey,
  issuerKeys,
  issuerUrls,
  otherScope,
  type People,
  postLogoutRedirectUri,
  redirectUri,
  scope,
  startWithPeople,
} from './people.ts';

describe('openid-client', () => {
  let people: People;
  before(async () => {
    people = await startWithPeople();
  });
  after(() => people?.server.stop());

  for (const issuer of issuerKeys) describe(`at the issuer ${issuer}`, () => cases(issuer));

  function cases(issuer: IssuerKey): void {
    const issuerUrl = () => new URL(issuerUrls(people.server)[issuer]);

    /** An application of the person's own company, as its configuration is discovered. */
    async function configure(
      settings: Record<string, unknown> = {},
      authentication?: (secret: string) => client.ClientAuth,
    ): Promise<client.Configuration> {
      const { clientId, clientSecret } = await people.newClient(settings);
      const auth =
        clientSecret === undefined ? client.None() : (authentication ?? client.ClientSecretPost)(clientSecret);
      return client.discovery(issuerUrl(), clientId, undefined, auth);
    }

    /** An authorization request with everything that a careful client sends. */
    async function request(more: Record<string, string> = {}) {
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      const [expectedNonce, expectedState] = [client.randomNonce(), client.randomState()];
      const parameters = {
        redirect_uri: redirectUri,
        scope: 'openid profile email offline_access',
        prompt: 'consent',
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        nonce: expectedNonce,
        state: expectedState,
        ...more,
      };
      return { parameters, checks: { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true } };
    }

    async function signedIn(
      config: client.Configuration,
      more: Record<string, string> = {},
      dpop?: client.DPoPOptions,
    ) {
      const { parameters, checks } = await request(more);
      const back = await people.signIn(client.buildAuthorizationUrl(config, parameters));
      return client.authorizationCodeGrant(config, back, checks, undefined, dpop);
    }

    test('discovers what is there', async () => {
      const metadata = (await configure()).serverMetadata();
      assert.equal(metadata.issuer, issuerUrl().href);
      assert.equal(metadata.supportsPKCE(), true);
      assert.equal(metadata.authorization_response_iss_parameter_supported, true);
    });

    for (const [name, authentication] of [
      ['client_secret_post', client.ClientSecretPost],
      ['client_secret_basic', client.ClientSecretBasic],
    ] as const) {
      test(`code, ID token and userinfo, with ${name}`, async () => {
        const config = await configure({ token_endpoint_auth_method: name }, authentication);
        const tokens = await signedIn(config);
        assert.equal(tokens.claims()?.sub, people.subject(issuer));
        assert.equal(tokens.claims()?.email, people.hanako.email);
        const info = await client.fetchUserInfo(config, tokens.access_token, people.subject(issuer));
        assert.deepEqual([info.email, info.email_verified, info.name], [people.hanako.email, true, 'Hanako']);
      });
    }

    test('a public client: without a secret, and not without PKCE', async () => {
      const config = await configure({ app_type: 'native', token_endpoint_auth_method: 'none' });
      assert.equal((await signedIn(config)).claims()?.aud, config.clientMetadata().client_id);
      const { parameters, checks } = await request();
      const { code_challenge: _challenge, code_challenge_method: _method, ...weak } = parameters;
      const browser = new Browser(people.server);
      await browser.open(client.buildAuthorizationUrl(config, weak).href);
      const back = new URL(browser.page.location as string);
      await assert.rejects(client.authorizationCodeGrant(config, back, checks), { error: 'invalid_request' });
    });

    test('a private key instead of a secret', async () => {
      const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
      const jwk = { ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), alg: 'ES256', kid: 'first' };
      const { clientId } = await people.newClient({ jwks: { keys: [jwk] } });
      const authentication = client.PrivateKeyJwt({ key: pair.privateKey, kid: 'first' });
      const config = await client.discovery(issuerUrl(), clientId, undefined, authentication);
      assert.equal((await signedIn(config)).claims()?.sub, people.subject(issuer));
    });

    test('an answer of another issuer, with another state or nonce, or without its verifier, is not taken', async () => {
      const config = await configure();
      const { parameters, checks } = await request();
      const back = await people.signIn(client.buildAuthorizationUrl(config, parameters));
      const elsewhere = new URL(back);
      elsewhere.searchParams.set('iss', issuerUrls(people.server)[issuer === 'root' ? 'oidc' : 'root']);
      await assert.rejects(client.authorizationCodeGrant(config, elsewhere, checks), {
        code: 'OAUTH_INVALID_RESPONSE',
      });
      const expectedState = client.randomState();
      await assert.rejects(client.authorizationCodeGrant(config, back, { ...checks, expectedState }));
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      await assert.rejects(client.authorizationCodeGrant(config, back, { ...checks, pkceCodeVerifier }), {
        error: 'invalid_grant',
      });
      const again = await people.signIn(client.buildAuthorizationUrl(config, parameters));
      await assert.rejects(
        client.authorizationCodeGrant(config, again, { ...checks, expectedNonce: client.randomNonce() }),
        { code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' },
      );
    });

    test('max_age: the ID token says when, and how, the person proved who it is', async () => {
      const config = await configure();
      const { parameters, checks } = await request({ max_age: '600' });
      const back = await people.signIn(client.buildAuthorizationUrl(config, parameters));
      const tokens = await client.authorizationCodeGrant(config, back, { ...checks, maxAge: 600 });
      assert.ok(Math.abs((tokens.claims()?.auth_time ?? 0) - Date.now() / 1000) < 30);
      assert.deepEqual(tokens.claims()?.amr, ['pwd']);
    });

    test('form_post: the answer comes as a form', async () => {
      const config = await configure();
      const { parameters, checks } = await request({ response_mode: 'form_post' });
      const browser = new Browser(people.server);
      await browser.open(client.buildAuthorizationUrl(config, parameters).href);
      await browser.signIn(people.hanako);
      const form = formsOf(browser.page.text)[0];
      assert.equal(form?.action, redirectUri);
      const body = new URLSearchParams(form?.hidden);
      const tokens = await client.authorizationCodeGrant(
        config,
        new Request(redirectUri, { method: 'POST', body }),
        checks,
      );
      assert.equal(tokens.claims()?.sub, people.subject(issuer));
    });

    test('prompt=none: an error while nobody is signed in, a code afterwards', async () => {
      const config = await configure();
      const browser = new Browser(people.server);
      const silent = await request({ prompt: 'none', scope: 'openid' });
      await browser.open(client.buildAuthorizationUrl(config, silent.parameters).href);
      const nobody = new URL(browser.page.location as string);
      await assert.rejects(client.authorizationCodeGrant(config, nobody, silent.checks), { error: 'login_required' });
      const { parameters } = await request();
      await people.signIn(client.buildAuthorizationUrl(config, parameters), browser);
      await browser.open(client.buildAuthorizationUrl(config, silent.parameters).href);
      const back = new URL(browser.page.location as string);
      const tokens = await client.authorizationCodeGrant(config, back, silent.checks);
      assert.equal(tokens.refresh_token, undefined);
    });

    test('pushed: the browser carries a reference only, which is good once', async () => {
      const config = await configure({ require_pushed_authorization_requests: true });
      const { parameters, checks } = await request();
      const url = await client.buildAuthorizationUrlWithPAR(config, parameters);
      assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
      const back = await people.signIn(url);
      const tokens = await client.authorizationCodeGrant(config, back, checks);
      assert.equal(tokens.claims()?.sub, people.subject(issuer));
      const browser = new Browser(people.server);
      const used = await browser.open(url.href);
      assert.ok(used.status >= 400 && used.location === undefined, 'it was used');
      await browser.open(client.buildAuthorizationUrl(config, parameters).href);
      const notPushed = new URL(browser.page.location as string);
      assert.equal(notPushed.searchParams.get('error'), 'invalid_request');
    });

    test('refreshes: a token for the API by its resource, introspected, revoked', async () => {
      const config = await configure();
      const tokens = await signedIn(config, { resource: audience, scope: `openid offline_access ${scope}` });
      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token as string, { resource: audience });
      const claims = claimsOf(refreshed.access_token);
      assert.deepEqual([claims.iss, claims.aud, claims.sub], [issuerUrl().href, audience, people.subject(issuer)]);
      assert.ok(claims.scope.split(' ').includes(scope));
      assert.equal(refreshed.claims()?.nonce, undefined);
      const active = await client.tokenIntrospection(config, refreshed.access_token);
      assert.deepEqual([active.active, active.sub, active.aud], [true, people.subject(issuer), audience]);
      const live = refreshed.refresh_token ?? (tokens.refresh_token as string);
      await client.tokenRevocation(config, live);
      await assert.rejects(client.refreshTokenGrant(config, live), { error: 'invalid_grant' });
      const ended = await client.tokenIntrospection(config, refreshed.access_token);
      assert.deepEqual(ended, { active: false });
    });

    test('a scope that the person has not is not given', async () => {
      const config = await configure();
      const tokens = await signedIn(config, {
        resource: audience,
        scope: `openid offline_access ${scope} write:orders`,
      });
      const { access_token } = await client.refreshTokenGrant(config, tokens.refresh_token as string, {
        resource: audience,
      });
      assert.ok(!claimsOf(access_token).scope.split(' ').includes('write:orders'));
    });

    test('DPoP: tokens are bound to a key; without it they are good for nothing', async () => {
      const config = await configure({ app_type: 'native', token_endpoint_auth_method: 'none' });
      const keys = await client.randomDPoPKeyPair('ES256', { extractable: true });
      const dpop = { DPoP: client.getDPoPHandle(config, keys) };
      const tokens = await signedIn(config, {}, dpop);
      assert.equal(tokens.token_type, 'dpop');
      const info = await client.fetchUserInfo(config, tokens.access_token, people.subject(issuer), dpop);
      assert.equal(info.email, people.hanako.email);
      await assert.rejects(client.fetchUserInfo(config, tokens.access_token, people.subject(issuer)));
      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token as string, undefined, dpop);
      assert.equal(refreshed.token_type, 'dpop');
      const live = refreshed.refresh_token as string;
      const other = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) };
      await assert.rejects(client.refreshTokenGrant(config, live, undefined, other), { error: 'invalid_grant' });
      await assert.rejects(client.refreshTokenGrant(config, live), { error: 'invalid_grant' });
    });

    test('a device: it shows a code, a person lets it in, and it gets what it asked for', async () => {
      const config = await configure({
        app_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: [deviceGrant, 'refresh_token'],
      });
      const started = await client.initiateDeviceAuthorization(config, { scope: 'openid email offline_access' });
      assert.equal(started.verification_uri, `${people.server.origin}/device`);
      const [tokens] = await Promise.all([
        client.pollDeviceAuthorizationGrant(config, started),
        people.answerDevice(started, 'allow'),
      ]);
      assert.equal(tokens.claims()?.sub, people.subject(issuer));
      const info = await client.fetchUserInfo(config, tokens.access_token, people.subject(issuer));
      assert.equal(info.email, people.hanako.email);
      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token as string);
      assert.equal(refreshed.claims()?.sub, people.subject(issuer));
    });

    test('exchanges a person’s token for one of its own that says who acts, and never more than it shows', async () => {
      const front = await configure();
      const tokens = await signedIn(front, {
        resource: audience,
        scope: `openid offline_access ${scope} ${otherScope}`,
      });
      const shown = await client.refreshTokenGrant(front, tokens.refresh_token as string, { resource: audience });
      const service = await configure({ grant_types: [exchangeGrant, 'client_credentials'] });
      const { client_id } = service.clientMetadata();
      await people.manage('POST', '/client-grants', { client_id, audience, scope: [scope] });
      const own = await client.clientCredentialsGrant(service, { resource: audience, scope });
      const exchange = (more: Record<string, string> = {}) =>
        client.genericGrantRequest(service, exchangeGrant, {
          subject_token: shown.access_token,
          subject_token_type: accessTokenType,
          resource: audience,
          scope,
          ...more,
        });
      const plain = await exchange();
      assert.deepEqual([plain.issued_token_type, plain.refresh_token], [accessTokenType, undefined]);
      const claims = claimsOf(plain.access_token);
      assert.deepEqual([claims.sub, claims.aud, claims.scope], [people.subject(issuer), audience, scope]);
      assert.equal(claims.client_id, client_id);
      const acting = claimsOf(
        (await exchange({ actor_token: own.access_token, actor_token_type: accessTokenType })).access_token,
      );
      assert.deepEqual(acting.act, { sub: claimsOf(own.access_token).sub });
      await assert.rejects(exchange({ resource: people.server.managementAudience }), { error: 'invalid_target' });
      await assert.rejects(exchange({ scope: `${scope} write:orders` }), { error: 'invalid_scope' });
      // RFC 8693 §2.2.2, and what Logto's clients know.
      const error = issuer === 'root' ? 'invalid_request' : 'invalid_grant';
      await assert.rejects(exchange({ subject_token: tokens.id_token as string }), { error });
      await assert.rejects(exchange({ subject_token: own.access_token }), { error: 'invalid_request' });
    });

    test('signs out: the browser comes back with the state, and the session is over', async () => {
      const config = await configure();
      const browser = new Browser(people.server);
      const { parameters, checks } = await request();
      const back = await people.signIn(client.buildAuthorizationUrl(config, parameters), browser);
      const tokens = await client.authorizationCodeGrant(config, back, checks);
      const out = client.buildEndSessionUrl(config, {
        post_logout_redirect_uri: postLogoutRedirectUri,
        id_token_hint: tokens.id_token as string,
        state: 'out-1',
      });
      await browser.open(out.href);
      const landed = new URL(browser.page.location as string);
      assert.equal(`${landed.origin}${landed.pathname}`, postLogoutRedirectUri);
      assert.equal(landed.searchParams.get('state'), 'out-1');
      const silent = await request({ prompt: 'none', scope: 'openid' });
      await browser.open(client.buildAuthorizationUrl(config, silent.parameters).href);
      assert.equal(new URL(browser.page.location as string).searchParams.get('error'), 'login_required');
    });
  }
});
