/** `oauth4webapi`, unmodified: a client that reads every answer as strictly as the RFCs write it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, exportJWK, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { accessToken, manager, startTrusted, type TrustedServer } from './trusted.ts';

const audience = 'https://orders.example/';
const bearer = (token: string) => new Request(audience, { headers: { authorization: `Bearer ${token}` } });

describe('oauth4webapi', () => {
  let server: TrustedServer;
  let manage: ReturnType<typeof manager>;
  let as: oauth.AuthorizationServer;
  before(async () => {
    server = await startTrusted();
    manage = manager(server);
    await manage('POST', '/resource-servers', {
      identifier: audience,
      name: 'Orders',
      token_dialect: 'rfc9068_profile',
      scopes: [{ value: 'read:orders' }, { value: 'write:orders' }],
    });
    const issuer = new URL(server.issuer);
    as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
  });
  after(() => server?.stop());

  /** A client that may read orders. */
  async function newClient(settings: Record<string, unknown> = {}) {
    const made = await manage('POST', '/clients', { name: 'Caller', app_type: 'non_interactive', ...settings });
    await manage('POST', '/client-grants', { client_id: made.client_id, audience, scope: ['read:orders'] });
    const client: oauth.Client = { client_id: made.client_id };
    return { client, secret: made.client_secret as string };
  }

  const getToken = async (
    client: oauth.Client,
    authentication: oauth.ClientAuth,
    parameters: Record<string, string> = { audience },
  ) =>
    oauth.processClientCredentialsResponse(
      as,
      client,
      await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters),
    );

  /** The token verifies as RFC 9068 says and is the client's. */
  async function assertGood(token: string, client: oauth.Client): Promise<void> {
    const claims = await oauth.validateJwtAccessToken(as, bearer(token), audience);
    assert.equal(claims.client_id, client.client_id);
    assert.equal(claims.scope, 'read:orders');
  }

  test('discovers the server both ways, with the endpoints it uses', async () => {
    const issuer = new URL(server.issuer);
    const rfc8414 = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' });
    assert.deepEqual(await oauth.processDiscoveryResponse(issuer, rfc8414), as);
    assert.equal(as.issuer, server.issuer);
    assert.equal(as.token_endpoint, `${server.origin}/oauth/token`);
    assert.ok(as.grant_types_supported?.includes('client_credentials'));
    assert.ok(as.authorization_endpoint?.startsWith(`${server.origin}/`));
    assert.ok(as.dpop_signing_alg_values_supported?.includes('ES256'));
  });

  test('client_secret_post', async () => {
    const { client, secret } = await newClient({ token_endpoint_auth_method: 'client_secret_post' });
    const answer = await getToken(client, oauth.ClientSecretPost(secret));
    assert.equal(answer.token_type, 'bearer');
    assert.equal(answer.expires_in, 86_400);
    assert.equal(answer.scope, 'read:orders');
    await assertGood(answer.access_token, client);
    await assert.rejects(getToken(client, oauth.ClientSecretBasic(secret)));
  });

  test('client_secret_basic, with resource (RFC 8707) instead of audience', async () => {
    const { client, secret } = await newClient({ token_endpoint_auth_method: 'client_secret_basic' });
    const answer = await getToken(client, oauth.ClientSecretBasic(secret), { resource: audience });
    await assertGood(answer.access_token, client);
    await assert.rejects(getToken(client, oauth.ClientSecretPost(secret)), { status: 401 });
  });

  for (const alg of ['RS256', 'PS256', 'ES256', 'Ed25519']) {
    test(`private_key_jwt with ${alg}`, async () => {
      const { publicKey, privateKey } = await oauth.generateKeyPair(alg, { extractable: true });
      // RFC 9864's name of the algorithm is taken as RFC 8037's.
      const keys = [{ ...(await exportJWK(publicKey)), alg, kid: 'first' }];
      const { client, secret } = await newClient({ jwks: { keys } });
      assert.equal(secret, undefined);
      await assertGood((await getToken(client, oauth.PrivateKeyJwt(privateKey))).access_token, client);
      const named = oauth.PrivateKeyJwt({ key: privateKey, kid: 'first' });
      await assertGood((await getToken(client, named)).access_token, client);

      const stranger = await oauth.generateKeyPair(alg);
      await assert.rejects(getToken(client, oauth.PrivateKeyJwt(stranger.privateKey)), {
        name: 'ResponseBodyError',
        status: 401,
        error: 'invalid_client',
      });
    });
  }

  for (const alg of ['ES256', 'PS256', 'Ed25519']) {
    test(`DPoP with ${alg}: a bound token, at the token endpoint and at the management API`, async () => {
      const { client, secret } = await newClient({ require_proof_of_possession: true });
      await manage('POST', '/client-grants', {
        client_id: client.client_id,
        audience: server.managementAudience,
        scope: ['read:clients'],
      });
      const keys = await oauth.generateKeyPair(alg);
      const DPoP = oauth.DPoP(client, keys);
      const authentication = oauth.ClientSecretPost(secret);
      const parameters = { audience: server.managementAudience };
      const request = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, { DPoP });
      const answer = await oauth.processClientCredentialsResponse(as, client, request);
      assert.equal(answer.token_type, 'dpop');

      const url = new URL(`${server.managementAudience}clients?per_page=1`);
      const call = (options?: oauth.ProtectedResourceRequestOptions) =>
        oauth.protectedResourceRequest(answer.access_token, 'GET', url, undefined, null, options);
      for (const _ of [1, 2]) assert.equal((await call({ DPoP })).status, 200);
      const stranger = oauth.DPoP(client, await oauth.generateKeyPair(alg));
      for (const [options, scheme] of [
        [undefined, 'bearer'],
        [{ DPoP: stranger }, 'dpop'],
      ] as const) {
        await assert.rejects(call(options), (refusal) => {
          assert.ok(refusal instanceof oauth.WWWAuthenticateChallengeError, String(refusal));
          const [challenge] = refusal.cause;
          assert.deepEqual([challenge?.scheme, challenge?.parameters.error], [scheme, 'invalid_token']);
          return true;
        });
      }
      await assert.rejects(getToken(client, authentication), { error: 'invalid_dpop_proof', status: 400 });
    });
  }

  test('introspection tells the claims to the client of the token, and nothing to others', async () => {
    const { client, secret } = await newClient();
    const { access_token } = await getToken(client, oauth.ClientSecretPost(secret));
    const introspect = async (by: oauth.Client, authentication: oauth.ClientAuth) =>
      oauth.processIntrospectionResponse(
        as,
        by,
        await oauth.introspectionRequest(as, by, authentication, access_token),
      );
    const answer = await introspect(client, oauth.ClientSecretPost(secret));
    assert.equal(answer.active, true);
    assert.equal(answer.client_id, client.client_id);
    assert.equal(answer.scope, 'read:orders');
    assert.equal(answer.aud, audience);
    const other = await newClient();
    assert.deepEqual(await introspect(other.client, oauth.ClientSecretPost(other.secret)), { active: false });
  });

  test('a revoked token is not active any more; revoking it again, or nonsense, is no error', async () => {
    const { client, secret } = await newClient();
    const authentication = oauth.ClientSecretPost(secret);
    const { access_token } = await getToken(client, authentication);
    for (const token of [access_token, access_token, 'nonsense']) {
      await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, token));
    }
    const introspection = await oauth.introspectionRequest(as, client, authentication, access_token);
    assert.deepEqual(await oauth.processIntrospectionResponse(as, client, introspection), { active: false });
  });

  test('refusals are read as ResponseBodyError with their code', async () => {
    const { client, secret } = await newClient();
    const authentication = oauth.ClientSecretPost(secret);
    const refusals: [Record<string, string>, number, string][] = [
      [{ audience: 'https://nowhere.example/' }, 403, 'access_denied'],
      [{ audience: server.managementAudience }, 403, 'access_denied'],
      [{ audience, scope: 'write:orders' }, 403, 'access_denied'],
      [{ resource: 'not a URI' }, 400, 'invalid_target'],
    ];
    for (const [parameters, status, error] of refusals) {
      await assert.rejects(getToken(client, authentication, parameters), (refusal) => {
        assert.ok(refusal instanceof oauth.ResponseBodyError, String(refusal));
        assert.deepEqual([refusal.status, refusal.error], [status, error]);
        assert.ok(refusal.error_description);
        return true;
      });
    }
    await assert.rejects(getToken(client, oauth.ClientSecretPost('wrong')), {
      name: 'ResponseBodyError',
      status: 401,
      error: 'access_denied',
    });
    const unsupported = await oauth.genericTokenEndpointRequest(as, client, authentication, 'password', {});
    await assert.rejects(oauth.processGenericTokenEndpointResponse(as, client, unsupported), {
      status: 400,
      error: 'unsupported_grant_type',
    });
  });

  test('a wrong secret by Basic is answered with a challenge (RFC 6749 §5.2)', async () => {
    const { client } = await newClient({ token_endpoint_auth_method: 'client_secret_basic' });
    await assert.rejects(getToken(client, oauth.ClientSecretBasic('wrong')), (refusal) => {
      assert.ok(refusal instanceof oauth.WWWAuthenticateChallengeError, String(refusal));
      assert.deepEqual([refusal.status, refusal.cause[0]?.scheme], [401, 'basic']);
      return true;
    });
  });

  test('the management API challenges a bad token (RFC 6750 §3)', async () => {
    const url = new URL(`${server.managementAudience}clients`);
    await assert.rejects(oauth.protectedResourceRequest('nonsense', 'GET', url), (refusal) => {
      assert.ok(refusal instanceof oauth.WWWAuthenticateChallengeError, String(refusal));
      const [challenge] = refusal.cause;
      assert.deepEqual([challenge?.scheme, challenge?.parameters.error], ['bearer', 'invalid_token']);
      return true;
    });
    const token = await accessToken(server, server.managementAudience);
    assert.equal((await oauth.protectedResourceRequest(token, 'GET', url)).status, 200);
  });

  test("jose's remote key set verifies tokens from before and after a key rotation", async () => {
    const { client, secret } = await newClient();
    const fetchToken = async () => (await getToken(client, oauth.ClientSecretPost(secret))).access_token;
    // No request for new keys is allowed but the first: the next key has to be in the set before it signs.
    const keys = createRemoteJWKSet(new URL(as.jwks_uri as string), { cooldownDuration: 600_000 });
    const kids: (string | undefined)[] = [];
    for (const rotate of [false, true]) {
      if (rotate) await manage('POST', '/keys/signing/rotate');
      const token = await fetchToken();
      const { protectedHeader } = await jwtVerify(token, keys, { issuer: server.issuer, audience, typ: 'at+jwt' });
      kids.push(protectedHeader.kid);
    }
    assert.notEqual(kids[0], kids[1]);
    // A verifier that starts now still knows the key of the first token.
    const before = createRemoteJWKSet(new URL(as.jwks_uri as string));
    const known = await fetch(as.jwks_uri as string).then((response) => response.json());
    assert.ok((known as { keys: { kid: string }[] }).keys.some(({ kid }) => kid === kids[0]));
    await jwtVerify(await fetchToken(), before);
  });
});
