/** The guards in front of real APIs, with tokens of the real server: what gets in, and what doesn't any more. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createVerifier, InvalidTokenError, type VerifierOptions } from '../../../client/src/index.ts';
import { type Api, frameworks, startApi } from '../../../client/test/apis.ts';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { withoutLimits } from '../token/refusals.ts';
import { countedFetch } from './support.ts';

type Machine = Awaited<ReturnType<TestServer['machine']>>;

const scopes = ['org:create', 'read:orders'];
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function tokenOf(server: TestServer, machine: Machine, scope = scopes.join(' ')): Promise<string> {
  const { clientId, clientSecret, audience } = machine;
  const answer = await server.token({ client_id: clientId, client_secret: clientSecret, audience, scope });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.access_token;
}

eachEngine('guards of an API', (engine) => {
  let server: TestServer;
  let machine: Machine;
  let theApi: { client_id: string; client_secret: string };
  const clock = new TestClock();
  const now = () => clock.now();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    machine = await server.machine({ scopes, api: { token_dialect: 'rfc9068_profile', token_lifetime: 600 } });
    theApi = await server.manage('POST', '/clients', {
      name: 'The API',
      app_type: 'resource_server',
      resource_server_identifier: machine.audience,
    });
  });
  after(() => server.close());

  const optionsOf = (more: Partial<VerifierOptions> = {}): VerifierOptions => ({
    issuer: server.issuer,
    audience: machine.audience,
    now,
    ...more,
  });

  for (const framework of frameworks) {
    describe(framework, () => {
      let api: Api;
      before(async () => {
        const introspection = { clientId: theApi.client_id, clientSecret: theApi.client_secret };
        api = await startApi(framework, optionsOf({ introspection }));
      });
      after(() => api.close());

      const order = async (token?: string) => {
        const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
        const answer = await fetch(`${api.origin}/orders`, { method: 'POST', headers });
        const body = (await answer.json()) as Record<string, unknown>;
        const ran = api.ran.splice(0).includes('orders');
        return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body, ran };
      };
      const refused = async (token: string | undefined, status: number, challenge: RegExp) => {
        const answer = await order(token);
        assert.equal(answer.status, status, JSON.stringify(answer.body));
        assert.match(answer.challenge as string, challenge);
        assert.equal(answer.ran, false, 'the handler did not run');
      };

      test('a token with the scopes gets in', async () => {
        const answer = await order(await tokenOf(server, machine));
        assert.deepEqual([answer.status, answer.ran], [200, true], JSON.stringify(answer.body));
        assert.deepEqual(answer.body, { subject: `${machine.clientId}@clients`, scopes });
      });

      test('none, garbage, too few scopes, another API’s, the management API’s', async () => {
        await refused(undefined, 401, /^Bearer realm="api"$/);
        await refused('garbage', 401, /error="invalid_token"/);
        const less = await tokenOf(server, machine, 'read:orders');
        await refused(less, 403, /error="insufficient_scope", .*scope="org:create read:orders"$/);
        const other = await server.machine({ scopes });
        await refused(await tokenOf(server, other), 401, /error="invalid_token"/);
        await refused(await server.managementToken(), 401, /error="invalid_token"/);
      });

      test('alg none, HS256 with the published key, a changed payload', async () => {
        const token = await tokenOf(server, machine, 'read:orders');
        const [header, payload, signature] = token.split('.') as [string, string, string];
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
        const known = JSON.parse(Buffer.from(header, 'base64url').toString());
        const more = part({ ...claims, scope: scopes.join(' ') });
        const keys = await server.request('GET', '/.well-known/jwks.json');
        const start = `${part({ ...known, alg: 'HS256' })}.${more}`;
        const macs = [keys.text, JSON.stringify(keys.body.keys[0]), keys.body.keys[0].n].map(
          (secret) => `${start}.${createHmac('sha256', secret).update(start).digest('base64url')}`,
        );
        const forged = [
          `${part({ ...known, alg: 'none' })}.${more}.`,
          `${part({ ...known, alg: 'none' })}.${more}.${signature}`,
          `${header}.${more}.${signature}`,
          ...macs,
        ];
        for (const bad of forged) await refused(bad, 401, /error="invalid_token"/);
      });

      test('one that has ended', async (t) => {
        const token = await tokenOf(server, machine);
        clock.advance(606_000);
        t.after(() => clock.advance(-606_000));
        await refused(token, 401, /error_description="The token has expired\."/);
      });

      test('one that was revoked, and one whose grant is gone, from the next request on', async (t) => {
        const token = await tokenOf(server, machine);
        assert.equal((await order(token)).status, 200);
        const form = { client_id: machine.clientId, client_secret: machine.clientSecret, token };
        assert.equal((await server.request('POST', '/oauth/revoke', { form })).status, 200);
        await refused(token, 401, /error_description="The token is not active any more\."/);

        const other = await tokenOf(server, machine);
        const grant = `/client-grants/${machine.grantId}`;
        await server.manage('PATCH', grant, { scope: ['read:orders'] });
        t.after(() => server.manage('PATCH', grant, { scope: scopes }));
        await refused(other, 403, /error="insufficient_scope"/);
      });
    });
  }

  describe('the verifier', () => {
    const problem = async (work: Promise<unknown>) => {
      const error = await work.then(
        () => 'taken',
        (reason: unknown) => reason,
      );
      return error instanceof InvalidTokenError ? error.problem : error;
    };

    for (const dialect of ['access_token', 'access_token_authz', 'rfc9068_profile', 'rfc9068_profile_authz']) {
      for (const alg of ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA']) {
        test(`takes ${dialect} signed with ${alg}`, async () => {
          const target = await server.machine({ scopes, api: { token_dialect: dialect, signing_alg: alg } });
          const algorithms = [alg] as NonNullable<VerifierOptions['algorithms']>;
          const verifier = createVerifier(optionsOf({ audience: target.audience, algorithms }));
          const token = await verifier.verifyAccessToken(await tokenOf(server, target));
          assert.deepEqual([token.clientId, token.scopes], [target.clientId, scopes]);
          assert.deepEqual(token.permissions, dialect.endsWith('_authz') ? scopes : []);
        });
      }
    }

    test('takes HS256 by the API’s secret, and only with it', async () => {
      const secret = 'MRK-0123456789abcdefghijklmnopqrstuvwxyz';
      const target = await server.machine({ scopes, api: { signing_alg: 'HS256', signing_secret: secret } });
      const token = await tokenOf(server, target);
      const bySecret = createVerifier(optionsOf({ audience: target.audience, secret }));
      assert.equal((await bySecret.verifyAccessToken(token)).clientId, target.clientId);
      const byKeys = createVerifier(optionsOf({ audience: target.audience }));
      assert.equal(await problem(byKeys.verifyAccessToken(token)), 'algorithm_not_accepted');
    });

    test('reads the keys once, and knows the next one before it signs', async () => {
      const counted = countedFetch();
      const verifier = createVerifier(optionsOf({ fetch: counted.fetch }));
      const before = await tokenOf(server, machine);
      await Promise.all(Array.from({ length: 20 }, () => verifier.verifyAccessToken(before)));
      await server.manage('POST', '/keys/signing/rotate');
      await verifier.verifyAccessToken(await tokenOf(server, machine));
      await verifier.verifyAccessToken(before);
      assert.equal(counted.count('/.well-known/jwks.json'), 1);
    });

    test('another server’s token, under the same audience, is none of ours', async (t) => {
      const other = await startServer({ engine });
      t.after(() => other.close());
      const twin = await other.machine({ identifier: machine.audience, scopes });
      const token = await tokenOf(other, twin);
      assert.equal(await problem(createVerifier(optionsOf()).verifyAccessToken(token)), 'issuer_not_accepted');
      const [header, payload, signature] = token.split('.') as [string, string, string];
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
      const renamed = `${header}.${part({ ...claims, iss: server.issuer })}.${signature}`;
      assert.equal(await problem(createVerifier(optionsOf()).verifyAccessToken(renamed)), 'key_unknown');
    });

    test('introspection by a client that may not ask makes no token good', async () => {
      const stranger = await server.machine();
      const introspection = { clientId: stranger.clientId, clientSecret: stranger.clientSecret };
      const verifier = createVerifier(optionsOf({ introspection }));
      assert.equal(await problem(verifier.verifyAccessToken(await tokenOf(server, machine))), 'revoked');
      const wrong = createVerifier(optionsOf({ introspection: { ...introspection, clientSecret: 'wrong' } }));
      const error = (await problem(wrong.verifyAccessToken(await tokenOf(server, machine)))) as { code?: string };
      assert.equal(error.code, 'introspection_unavailable');
    });
  });
});
