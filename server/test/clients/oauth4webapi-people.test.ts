/**
 * `oauth4webapi`, unmodified, for people, as strictly as FAPI 2.0 asks: pushed requests, clients that sign who they are,
 * tokens bound to a key, answers that name their issuer.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { exportJWK } from 'jose';
import * as oauth from 'oauth4webapi';
import {
  audience,
  deviceGrant,
  type IssuerKey,
  issuerKeys,
  issuerUrls,
  type People,
  redirectUri,
  scope,
  startWithPeople,
} from './people.ts';

describe('oauth4webapi, for people', () => {
  let people: People;
  before(async () => {
    people = await startWithPeople();
  });
  after(() => people?.server.stop());

  for (const issuer of issuerKeys) describe(`at the issuer ${issuer}`, () => cases(issuer));

  function cases(issuer: IssuerKey): void {
    let as: oauth.AuthorizationServer;
    before(async () => {
      const url = new URL(issuerUrls(people.server)[issuer]);
      as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
    });

    /** A client with a key of its own for signing who it is, and one that its tokens are bound to. */
    async function newClient(settings: Record<string, unknown> = {}) {
      const own = await oauth.generateKeyPair('PS256', { extractable: true });
      const keys = [{ ...(await exportJWK(own.publicKey)), alg: 'PS256', kid: 'own' }];
      const { clientId } = await people.newClient({
        jwks: { keys },
        require_pushed_authorization_requests: true,
        require_proof_of_possession: true,
        ...settings,
      });
      const client: oauth.Client = { client_id: clientId };
      const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256', { extractable: true }));
      return { client, authentication: oauth.PrivateKeyJwt({ key: own.privateKey, kid: 'own' }), DPoP };
    }
    type Strict = Awaited<ReturnType<typeof newClient>>;

    /** Pushes a request, sends the person, and checks the answer. */
    async function authorized({ client, authentication, DPoP }: Strict) {
      const verifier = oauth.generateRandomCodeVerifier();
      const nonce = oauth.generateRandomNonce();
      const state = oauth.generateRandomState();
      const parameters = new URLSearchParams({
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: `openid offline_access ${scope}`,
        prompt: 'consent',
        resource: audience,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        nonce,
        state,
      });
      const pushed = await oauth.pushedAuthorizationRequest(as, client, authentication, parameters, { DPoP });
      const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, pushed);
      const url = new URL(as.authorization_endpoint as string);
      url.search = new URLSearchParams({ client_id: client.client_id, request_uri }).toString();
      const answer = oauth.validateAuthResponse(as, client, await people.signIn(url), state);
      const exchange = (key = DPoP) =>
        oauth.authorizationCodeGrantRequest(as, client, authentication, answer, redirectUri, verifier, { DPoP: key });
      const processed = async (response: Response) =>
        oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
      return { exchange, processed };
    }

    test('a pushed request, a signed client, a bound code and token, and an API that checks the key', async () => {
      const strict = await newClient();
      const { exchange, processed } = await authorized(strict);
      const tokens = await processed(await exchange());
      assert.equal(tokens.token_type, 'dpop');
      assert.equal(oauth.getValidatedIdTokenClaims(tokens)?.sub, people.subject(issuer));

      const { client, authentication, DPoP } = strict;
      const response = await oauth.refreshTokenGrantRequest(
        as,
        client,
        authentication,
        tokens.refresh_token as string,
        {
          DPoP,
          additionalParameters: { resource: audience },
        },
      );
      const { access_token } = await oauth.processRefreshTokenResponse(as, client, response);
      let seen: Request | undefined;
      await oauth.protectedResourceRequest(access_token, 'GET', new URL(audience), undefined, undefined, {
        DPoP,
        [oauth.customFetch]: async (url, init) => {
          seen = new Request(url, init as RequestInit);
          return new Response();
        },
      });
      const claims = await oauth.validateJwtAccessToken(as, seen as Request, audience, { requireDPoP: true });
      assert.equal(claims.sub, people.subject(issuer));
      assert.equal(claims.client_id, client.client_id);
      assert.ok(claims.scope?.split(' ').includes(scope));
    });

    test('a code that was asked for with one key is not exchanged with another', async () => {
      const strict = await newClient();
      const { exchange, processed } = await authorized(strict);
      const other = oauth.DPoP(strict.client, await oauth.generateKeyPair('ES256'));
      await assert.rejects(async () => processed(await exchange(other)), { error: 'invalid_grant' });
    });

    test('a code is good once; a second use ends what came of the first', async () => {
      const strict = await newClient();
      const { exchange, processed } = await authorized(strict);
      const tokens = await processed(await exchange());
      await assert.rejects(async () => processed(await exchange()), { error: 'invalid_grant' });
      const { client, authentication, DPoP } = strict;
      const late = await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token as string, {
        DPoP,
      });
      await assert.rejects(oauth.processRefreshTokenResponse(as, client, late), { error: 'invalid_grant' });
    });

    test('without a proof of its key such a client gets no token', async () => {
      const { client, authentication } = await newClient({ grant_types: ['client_credentials'] });
      const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, { resource: audience });
      await assert.rejects(oauth.processClientCredentialsResponse(as, client, response), {
        error: 'invalid_dpop_proof',
      });
    });

    test('a device waits, is told when it asks too often, and hears no', async () => {
      const { clientId } = await people.newClient({
        app_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: [deviceGrant],
      });
      const client: oauth.Client = { client_id: clientId };
      const started = await oauth.processDeviceAuthorizationResponse(
        as,
        client,
        await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope: 'openid' }),
      );
      const poll = async () =>
        oauth.processDeviceCodeResponse(
          as,
          client,
          await oauth.deviceCodeGrantRequest(as, client, oauth.None(), started.device_code),
        );
      await assert.rejects(poll(), { error: 'authorization_pending' });
      await assert.rejects(poll(), { error: 'slow_down' });
      await people.answerDevice(started, 'deny');
      await assert.rejects(poll(), { error: 'access_denied' });
    });
  }
});
