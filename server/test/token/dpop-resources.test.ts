/** Bound tokens where they are used: every management API, and only with a proof of the token's own key. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Answer, admin, eachEngine, freePort, startServer, TestClock, type TestServer } from '../harness.ts';
import { holder, type ProofChanges, proofOf, tokenUrl } from './dpop-proofs.ts';
import { sendTo, startNodes } from './nodes.ts';
import { withoutLimits } from './refusals.ts';

const alice = holder();
const mallory = holder();
const algs = 'algs="ES256 ES384 PS256 EdDSA Ed25519"';

/** A management token of the first client, bound to Alice's key. */
async function boundToken(server: TestServer, audience: string, now = Date.now()): Promise<string> {
  const dpop = await proofOf(alice, 'POST', tokenUrl(server), { now });
  const form = { client_id: admin.clientId, client_secret: admin.clientSecret, audience };
  const answer = await sendTo(server, 'POST', '/oauth/token', {
    form: { grant_type: 'client_credentials', ...form },
    headers: { dpop },
  });
  assert.equal(answer.body.token_type, 'DPoP', answer.text);
  return answer.body.access_token as string;
}

eachEngine('DPoP at the management APIs', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
  });
  after(() => server.close());

  const surfaces = [
    { name: 'Auth0', path: '/api/v2/clients', audience: () => server.managementAudience },
    { name: 'native', path: '/api/applications', audience: () => server.nativeAudience },
    { name: 'accounts', path: '/api/accounts', audience: () => server.nativeAudience },
  ];

  for (const { name, path, audience } of surfaces) {
    describe(`the ${name} API`, () => {
      let token: string;
      before(async () => {
        token = await boundToken(server, audience(), clock.now());
      });
      const make = (changes: ProofChanges = {}, by = alice, method = 'GET') =>
        proofOf(by, method, `${server.origin}${path}`, { token, now: clock.now(), ...changes });
      const call = (authorization: string, dpop?: string, query = '') =>
        server.request('GET', `${path}${query}`, {
          headers: { authorization, ...(dpop === undefined ? {} : { dpop }) },
        });

      async function refused(send: () => Promise<Answer>, scheme: 'Bearer' | 'DPoP', error: string, detail: RegExp) {
        const before = { state: await server.stateHash(), events: (await server.logEvents()).length };
        const answer = await send();
        assert.equal(answer.status, 401, answer.text);
        const challenge = answer.headers.get('www-authenticate') ?? '';
        assert.ok(challenge.startsWith(`${scheme} `) && challenge.includes(`error="${error}"`), challenge);
        assert.equal(challenge.includes(algs), scheme === 'DPoP', challenge);
        assert.equal(await server.stateHash(), before.state);
        const events = (await server.logEvents()).slice(before.events);
        assert.deepEqual(
          events.map(({ kind }) => kind),
          ['access.refused'],
        );
        assert.match(events[0].description, detail);
      }

      test('takes it with a proof, whatever the case of the scheme, and a query beside the address', async () => {
        for (const scheme of ['DPoP', 'dpop', 'DPOP']) {
          const answer = await call(`${scheme} ${token}`, await make());
          assert.equal(answer.status, 200, answer.text);
        }
        assert.equal((await call(`DPoP ${token}`, await make(), '?page=1')).status, 200);
        const claims = { htu: `${server.origin}${path}?page=1#x` };
        assert.equal((await call(`DPoP ${token}`, await make({ claims }), '?page=1')).status, 200);
      });

      test('refuses it as Bearer, with and without a proof', async () => {
        const detail = /presented as Bearer/;
        await refused(() => call(`Bearer ${token}`), 'Bearer', 'invalid_token', detail);
        const proof = await make();
        await refused(() => call(`Bearer ${token}`, proof), 'Bearer', 'invalid_token', detail);
        assert.equal((await call(`DPoP ${token}`, proof)).status, 200, 'and the proof was not used up by that');
      });

      test('refuses it without a proof', async () => {
        await refused(() => call(`DPoP ${token}`), 'DPoP', 'invalid_dpop_proof', /no DPoP proof/);
      });

      test('refuses it with a proof by another key', async () => {
        const proof = await make({}, mallory);
        await refused(() => call(`DPoP ${token}`, proof), 'DPoP', 'invalid_token', /bound to another key/);
      });

      test('refuses it with a proof that is not good for this request', async () => {
        const wrong: [ProofChanges, RegExp][] = [
          [{ claims: { ath: undefined } }, /ath/],
          [{ claims: { ath: 'wrong' } }, /ath/],
          [{ token: `${token}x` }, /ath/],
          [{ claims: { htm: 'POST' } }, /htm/],
          [{ claims: { htu: tokenUrl(server) } }, /htu/],
          [{ claims: { iat: Math.floor(clock.now() / 1000) - 300 } }, /iat/],
          [{ claims: { iat: Math.floor(clock.now() / 1000) + 300 } }, /iat/],
          [{ claims: { jti: undefined } }, /jti/],
          [{ header: { typ: 'JWT' } }, /typ/],
        ];
        for (const [changes, detail] of wrong) {
          const proof = await make(changes);
          await refused(() => call(`DPoP ${token}`, proof), 'DPoP', 'invalid_dpop_proof', detail);
        }
        for (const iat of [-10, 10]) {
          const claims = { iat: Math.floor(clock.now() / 1000) + iat };
          assert.equal((await call(`DPoP ${token}`, await make({ claims }))).status, 200);
        }
      });

      test('refuses a proof that was used before', async () => {
        const proof = await make();
        assert.equal((await call(`DPoP ${token}`, proof)).status, 200);
        await refused(() => call(`DPoP ${token}`, proof), 'DPoP', 'invalid_dpop_proof', /used before/);
      });

      test('refuses a token that is not bound, shown with a proof', async () => {
        const bearer = await server.managementToken(audience());
        assert.equal((await call(`Bearer ${bearer}`)).status, 200);
        const proof = await make({ token: bearer });
        await refused(() => call(`DPoP ${bearer}`, proof), 'DPoP', 'invalid_token', /not bound/);
      });

      test('refuses a proof itself, shown as a token', async () => {
        const proof = await make();
        await refused(() => call(`DPoP ${proof}`, proof), 'DPoP', 'invalid_token', /./);
        await refused(() => call(`Bearer ${proof}`), 'Bearer', 'invalid_token', /./);
      });
    });
  }
});

describe('a proof is used once, wherever it is shown', () => {
  const path = '/api/v2/clients';

  test('on two nodes over one PostgreSQL, one after the other and at once', async (t) => {
    const [first, second] = await startNodes();
    t.after(() => Promise.all([first.close(), second.close()]));
    const token = await boundToken(first, first.managementAudience);
    const make = () => proofOf(alice, 'GET', `${first.origin}${path}`, { token });
    const call = (node: TestServer, dpop: string) =>
      sendTo(node, 'GET', path, { headers: { authorization: `DPoP ${token}`, dpop } });
    const once = await make();
    assert.equal((await call(first, once)).status, 200);
    assert.equal((await call(second, once)).status, 401);

    const raced = await make();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => call(index % 2 === 0 ? first : second, raced)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status }) => status === 401).length, 19);
    assert.equal((await call(second, await make())).status, 200, 'another proof is good');

    const atToken = await proofOf(alice, 'POST', tokenUrl(first));
    const form = {
      grant_type: 'client_credentials',
      client_id: admin.clientId,
      client_secret: admin.clientSecret,
      audience: first.managementAudience,
    };
    const ask = (node: TestServer) =>
      sendTo(node, 'POST', '/oauth/token', { form, headers: { dpop: atToken } }).then(({ status }) => status);
    assert.deepEqual([await ask(second), await ask(first), await ask(second)], [200, 400, 400]);
  });

  test('after a restart on a SQLite file', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-restart-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const options = {
      databaseUrl: `sqlite:${join(folder, 'restart.sqlite')}`,
      env: { ...withoutLimits, SEKISHO_PORT: String(await freePort()) },
    };
    const before = await startServer(options);
    const token = await boundToken(before, before.managementAudience);
    const proof = await proofOf(alice, 'GET', `${before.origin}${path}`, { token });
    const call = (node: TestServer, dpop: string) =>
      sendTo(node, 'GET', path, { headers: { authorization: `DPoP ${token}`, dpop } });
    assert.equal((await call(before, proof)).status, 200);
    await before.close();

    const again = await startServer(options);
    t.after(() => again.close());
    assert.equal((await call(again, proof)).status, 401);
    const fresh = await proofOf(alice, 'GET', `${again.origin}${path}`, { token });
    assert.equal((await call(again, fresh)).status, 200);
  });
});
