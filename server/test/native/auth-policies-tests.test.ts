/** The test of a connection, with real counterparts; presets; and GSSAPI where it is not installed. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { startOidcLab } from '../labs/oidc.ts';
import { withoutLimits } from '../management/support.ts';
import { ldap, oauth1, policyOf, unused } from './auth-policies-samples.ts';
import { Members } from './members-support.ts';

const path = '/auth-policies';
const said = 'What the upstream wrote <script>alert(1)</script>';

eachEngine('the test of an auth policy', (engine) => {
  let server: TestServer;
  let native: Members;
  let silent: Server;
  let rude: Server;
  before(async () => {
    server = await startServer({ engine, env: { ...withoutLimits, SEKISHO_ALLOW_PRIVATE_TARGETS: 'true' } });
    native = await Members.of(server);
    silent = createServer(() => {});
    rude = createServer((_request, response) => response.writeHead(200).end(said));
    for (const one of [silent, rude]) await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    for (const one of [silent, rude]) {
      one.closeAllConnections();
      one.close();
    }
    await server.close();
  });

  const origin = (one: Server): string => `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
  const make = async (type: Parameters<typeof policyOf>[0], configuration: unknown): Promise<string> =>
    (await native.expect(201, 'POST', path, policyOf(type, { configuration }))).id;
  const ask = (id: string) => native.expect(200, 'POST', `${path}/${id}/test`);

  test('a provider that is there and answers as it should', async () => {
    await using lab = await startOidcLab(['https://app.example/callback']);
    const { clientSecret } = lab;
    const good = await make('openid', { ...lab.oidc, clientSecret });
    // The first one also loads both sides' modules, and the deadline is one of real time.
    await ask(good);
    assert.deepEqual(await ask(good), { ok: true });
    assert.deepEqual(await ask(await make('oauth2', { ...lab.oauth2, clientSecret })), { ok: true });
    const wrong = await ask(await make('openid', { ...lab.oidc, clientSecret: 'not-the-secret-of-the-lab' }));
    assert.ok(wrong.ok === true || wrong.failure === 'misconfigured', JSON.stringify(wrong));
  });

  test('a password that is kept here needs no test', async () => {
    assert.deepEqual(await ask(await make('password', {})), { ok: true });
  });

  test('a failure has a code and our own sentence, which says why, and nothing changes by it', async () => {
    const away = 'http://127.0.0.1:1';
    const urls = { requestTokenUrl: away, authorizeUrl: away, accessTokenUrl: away, profileUrl: away };
    const failing = [
      [
        'unavailable',
        /order \(the directory can't be reached \(ECONNREFUSED\)\)\.$/,
        'ldap',
        { ...ldap, url: 'ldap://127.0.0.1:1' },
      ],
      ['unavailable', /order \(The provider was not heard: .+\)\.$/, 'openid', { clientId: 'x', issuer: away }],
      ['unavailable', /order \(The provider was not heard: .+\)\.$/, 'oauth1', { ...oauth1, ...urls }],
      [
        'answer_invalid',
        /rules \(The provider.s answer is not valid: .+ application\/json\)\.$/,
        'openid',
        { clientId: 'x', issuer: origin(rude) },
      ],
    ] as const;
    const ids = [];
    for (const [, , type, configuration] of failing) ids.push(await make(type, configuration));
    const before = await server.stateHash();
    for (const [index, [failure, message]] of failing.entries()) {
      const answer = await ask(ids[index] as string);
      assert.deepEqual([answer.ok, answer.failure], [false, failure]);
      assert.match(answer.message, message);
      assert.ok(!JSON.stringify(answer).includes('upstream wrote') && !answer.message.includes('127.0.0.1'));
    }
    assert.equal(await server.stateHash(), before);
    const tried = await native.call('POST', `${path}/${ids[0]}/test?dry_run=true`);
    assert.deepEqual([tried.status, tried.headers.get('dry-run')], [200, 'true']);
  });

  test('one that does not answer holds nobody else up', { timeout: 20_000 }, async () => {
    const id = await make('openid', { clientId: 'x', issuer: origin(silent) });
    const headers = { 'idempotency-key': unused('key') };
    const began = performance.now();
    let over = false;
    const asked = server.request('POST', `/api${path}/${id}/test`, { token: native.token, headers }).then((answer) => {
      over = true;
      return answer;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await make('password', {});
    assert.equal(over, false, 'what others write is done before');
    assert.equal((await asked).body.failure, 'unavailable');
    assert.ok(performance.now() - began < 10_000);
  });

  test('presets are good configurations once they have the administrator’s values', async () => {
    const presets = await native.expect(200, 'GET', '/auth-policy-presets');
    const ids = presets.map(({ id }: { id: string }) => id).sort();
    assert.deepEqual(ids, ['apple', 'github', 'google', 'line', 'microsoft-entra', 'yahoo-japan']);
    for (const { id, type, configuration, values, name, notes } of presets) {
      assert.ok(name.en && name.ja && notes.en && notes.ja, id);
      const text = values.reduce(
        (known: string, value: { name: string }) => known.replaceAll(`{${value.name}}`, `my-${value.name}`),
        JSON.stringify(configuration),
      );
      const filled = { ...JSON.parse(text), clientSecret: 'the-secret-of-the-provider' };
      const made = await native.expect(201, 'POST', path, { name: unused(id), type, configuration: filled });
      assert.deepEqual({ ...made.configuration, clientSecret: filled.clientSecret }, filled);
    }
  });
});

eachEngine('auth policies', (engine) => {
  test('what this server does not go to is said as that', async () => {
    const server = await startServer({ engine });
    try {
      const native = await Members.of(server);
      const configuration = { clientId: 'x', issuer: 'https://localhost:1' };
      const { id } = await native.expect(201, 'POST', path, policyOf('openid', { configuration }));
      const answer = await native.expect(200, 'POST', `${path}/${id}/test`);
      assert.deepEqual([answer.ok, answer.failure], [false, 'forbidden']);
    } finally {
      await server.close();
    }
  });

  test('GSSAPI is refused where it could not work, with what to install', async () => {
    const server = await startServer({ engine });
    const programs = process.env.PATH;
    try {
      const native = await Members.of(server);
      process.env.PATH = '';
      const gssapi = policyOf('ldap', { configuration: { ...ldap, authMethod: 'gssapi' } });
      const { data, message } = await native.refuse([400, 'guard.invalid_input'], 'POST', path, gssapi);
      assert.equal(data.path, 'configuration.authMethod');
      assert.match(message, /kerberos.*kinit/);
    } finally {
      process.env.PATH = programs;
      await server.close();
    }
  });
});
