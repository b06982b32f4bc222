/** Tokens of people bound to a key (RFC 9449): codes, refresh tokens, and the userinfo endpoint. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import {
  Browser,
  codeOf,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  redirectUri,
  type TestClient,
  type TestUser,
  tokenRequest,
} from '../sign-in/support.ts';
import { type Holder, holder, type ProofChanges, proofOf } from './dpop-proofs.ts';
import { withoutLimits } from './refusals.ts';

const [alice, mallory] = [holder(), holder()];

eachEngine('DPoP for people', (engine) => {
  let server: TestServer;
  let user: TestUser;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    user = await makeUser(server);
  });
  after(() => server.close());

  for (const issuer of ['root', 'oidc'] as IssuerKey[]) {
    describe(`of the issuer ${issuer}`, () => {
      let [web, spa]: TestClient[] = [];
      before(async () => {
        web = await makeApp(server);
        spa = await makeApp(server, 'SPA', { customClientMetadata: { rotateRefreshToken: true } });
      });

      const url = (path: 'token' | 'userinfo') => `${server.origin}${issuers[issuer][path]}`;
      const atToken = (by: Holder, changes?: ProofChanges) => proofOf(by, 'POST', url('token'), changes);
      const scope = { scope: 'openid offline_access', prompt: 'consent' };

      /** Signs in and exchanges the code, with a proof or without. */
      async function signIn(client: TestClient, by: Holder | undefined, more: Record<string, string> = {}) {
        const back = await codeOf(new Browser(server), issuer, client, user, { ...scope, ...more });
        assert.ok(back.code, String(back.parameters));
        const headers = by === undefined ? {} : { dpop: await atToken(by) };
        const parameters = { code: back.code, redirect_uri: redirectUri, code_verifier: back.verifier };
        return tokenRequest(server, issuer, client, { grant_type: 'authorization_code', ...parameters }, headers);
      }

      async function refresh(client: TestClient, token: string, by: Holder | undefined): Promise<Answer> {
        const headers = by === undefined ? {} : { dpop: await atToken(by) };
        const parameters = { grant_type: 'refresh_token', refresh_token: token };
        return tokenRequest(server, issuer, client, parameters, headers);
      }

      const userinfo = (authorization: string, dpop?: string) =>
        server.request('GET', issuers[issuer].userinfo, {
          headers: { authorization, ...(dpop === undefined ? {} : { dpop }) },
        });

      test('the userinfo endpoint takes a bound token with a proof of its key only', async () => {
        const answer = await signIn(web as TestClient, alice);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.token_type, 'DPoP');
        const token = answer.body.access_token as string;
        const make = (by = alice, changes: ProofChanges = {}) =>
          proofOf(by, 'GET', url('userinfo'), { token, ...changes });
        const good = await userinfo(`DPoP ${token}`, await make());
        assert.equal(good.status, 200, good.text);
        assert.ok(String(good.body.sub).endsWith(user.id));
        assert.equal((await userinfo(`dpop ${token}`, await make())).status, 200);

        const used = await make();
        assert.equal((await userinfo(`DPoP ${token}`, used)).status, 200);
        const before = await server.stateHash();
        const wrong: [string, string | undefined][] = [
          [`Bearer ${token}`, undefined],
          [`Bearer ${token}`, await make()],
          [`DPoP ${token}`, undefined],
          [`DPoP ${token}`, used],
          [`DPoP ${token}`, await make(mallory)],
          [`DPoP ${token}`, await make(alice, { claims: { ath: undefined } })],
          [`DPoP ${token}`, await make(alice, { token: 'another' })],
          [`DPoP ${token}`, await make(alice, { claims: { htm: 'POST' } })],
          [`DPoP ${token}`, await make(alice, { claims: { htu: url('token') } })],
          [`DPoP ${token}`, await make(alice, { claims: { iat: Math.floor(Date.now() / 1000) - 300 } })],
        ];
        for (const [authorization, proof] of wrong) {
          const refusal = await userinfo(authorization, proof);
          assert.equal(refusal.status, 401, `${authorization.slice(0, 8)} ${refusal.text}`);
          const challenge = refusal.headers.get('www-authenticate') ?? '';
          assert.ok(/Bearer /.test(challenge) && /DPoP /.test(challenge) && /algs="ES256 /.test(challenge), challenge);
        }
        assert.equal(await server.stateHash(), before);
      });

      test('a bearer token is not taken as a bound one', async () => {
        const token = (await signIn(web as TestClient, undefined)).body.access_token as string;
        assert.equal((await userinfo(`Bearer ${token}`)).status, 200);
        const proof = await proofOf(alice, 'GET', url('userinfo'), { token });
        assert.equal((await userinfo(`DPoP ${token}`, proof)).status, 401);
      });

      test('a bad proof at the token endpoint does not use up the code', async () => {
        const back = await codeOf(new Browser(server), issuer, web as TestClient, user, scope);
        const ask = async (dpop: string) =>
          tokenRequest(
            server,
            issuer,
            web as TestClient,
            {
              grant_type: 'authorization_code',
              code: back.code as string,
              redirect_uri: redirectUri,
              code_verifier: back.verifier,
            },
            { dpop },
          );
        const bad = await ask(await atToken(alice, { claims: { htm: 'GET' } }));
        assert.deepEqual([bad.status, bad.body.error], [400, 'invalid_dpop_proof']);
        assert.equal((await ask(await atToken(alice))).status, 200);
      });

      test('a code that was asked for with a key is exchanged with that key only (RFC 9449 §10)', async () => {
        const more = { dpop_jkt: alice.thumbprint };
        assert.equal((await signIn(web as TestClient, alice, more)).status, 200);
        for (const by of [mallory, undefined]) {
          const answer = await signIn(web as TestClient, by, more);
          assert.deepEqual([answer.status, answer.body.error], [400, 'invalid_grant'], answer.text);
        }
      });

      test('a public client refreshes with the same key, and not down to a bearer token', async () => {
        const first = await signIn(spa as TestClient, alice);
        assert.equal(first.status, 200, first.text);
        const token = first.body.refresh_token as string;
        assert.ok(token, first.text);
        for (const by of [mallory, undefined]) {
          const answer = await refresh(spa as TestClient, token, by);
          assert.deepEqual([answer.status, answer.body.error], [400, 'invalid_grant'], answer.text);
        }
        const answer = await refresh(spa as TestClient, token, alice);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.token_type, 'DPoP');
        const again = await refresh(spa as TestClient, answer.body.refresh_token, mallory);
        assert.equal(again.body.error, 'invalid_grant', 'the successor is bound too');
      });

      test('introspection tells the key', async () => {
        const { access_token: token } = (await signIn(web as TestClient, alice)).body;
        const { clientId, clientSecret } = web as TestClient;
        const form = { token, client_id: clientId, client_secret: clientSecret as string };
        const { body } = await server.request('POST', issuers[issuer].introspect, { form });
        assert.deepEqual([body.active, body.token_type, body.cnf], [true, 'DPoP', { jkt: alice.thumbprint }]);
      });
    });
  }
});
