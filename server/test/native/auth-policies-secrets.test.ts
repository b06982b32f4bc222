/** The secrets of auth policies: never shown, kept encrypted, and sent nowhere else by a change that leaves them out. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type AuthPolicySecrets, secretsOf } from '../../src/domain/auth-policies/policy.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { certificate } from '../token/client-certificates.ts';
import {
  configurations,
  ldap,
  mask,
  oauth1,
  oauth2,
  openid,
  policyOf,
  secrets,
  unused,
} from './auth-policies-samples.ts';
import { Members } from './members-support.ts';

const path = '/auth-policies';
const invalid = [400, 'guard.invalid_input'] as const;
const types = ['ldap', 'oauth1', 'oauth2', 'openid'] as const;

const secretOf = (type: (typeof types)[number]) =>
  secrets[type] as readonly [name: keyof AuthPolicySecrets, value: string];

/** Changes that send the secret elsewhere, or trust something else there. */
const elsewhere: Record<(typeof types)[number], Record<string, unknown>[]> = {
  ldap: [
    { url: 'ldaps://evil.example' },
    { url: 'ldaps://ldap.example.com.evil.example' },
    { url: 'ldaps://ldap.example.com:6360' },
    { url: 'ldap://ldap.example.com', startTls: true },
    { allowsClearText: true },
  ],
  oauth1: [
    { requestTokenUrl: 'https://evil.example/request' },
    { accessTokenUrl: 'https://one.example:8443/token' },
    { profileUrl: 'https://evil.example/me' },
  ],
  oauth2: [
    { tokenUrl: 'https://evil.example/token' },
    { tokenUrl: 'https://two.example:444/token' },
    { issuer: 'https://evil.example' },
  ],
  openid: [
    { issuer: 'https://evil.example' },
    { issuer: 'https://id.example:444' },
    { issuer: 'https://id.example/another' },
  ],
};

/** Changes after which it goes where it went. */
const sameplace: Record<(typeof types)[number], Record<string, unknown>[]> = {
  ldap: [{ url: 'LDAPS://LDAP.example.com:636/' }, { emailIsVerified: true }, { realm: 'x' }],
  oauth1: [{ requestTokenUrl: 'https://one.example:443/other' }, { authorizeUrl: 'https://elsewhere.example/' }],
  oauth2: [{ tokenUrl: 'https://TWO.example/other' }, { userInfoUrl: 'https://elsewhere.example/' }],
  openid: [{ clientId: 'other' }, { scopes: ['openid'] }],
};

eachEngine('the secrets of auth policies', (engine) => {
  let server: TestServer;
  let native: Members;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
  });
  after(() => server.close());

  const make = async (type: (typeof types)[number]): Promise<string> =>
    (await native.expect(201, 'POST', path, policyOf(type))).id;
  const stored = async (id: string): Promise<AuthPolicySecrets> => {
    const row = (await server.rows('auth_policies')).find((one) => one.id === id);
    return secretsOf(server.composed.services, row);
  };
  const patch = (id: string, configuration: unknown) => native.expect(200, 'PATCH', `${path}/${id}`, { configuration });

  for (const type of types) {
    const [name, value] = secretOf(type);
    const { [name as string]: _, ...rest } = configurations[type] as Record<string, unknown>;

    test(`${type}: its secret is in no answer, no log and no table, but is kept`, async () => {
      const headers = { 'idempotency-key': unused('key') };
      const json = policyOf(type);
      const create = () => server.request('POST', `/api${path}`, { token: native.token, json, headers });
      const [made, again] = [await create(), await create()];
      assert.equal(again.headers.get('idempotency-replayed'), 'true');
      const { id } = made.body;
      const at = `${path}/${id}`;
      const answers = [
        made,
        again,
        await native.call('GET', at),
        await native.call('GET', `${path}?page_size=100`),
        await native.call('PATCH', at, { configuration: configurations[type] }),
        await native.call('PATCH', `${at}?dry_run=true`, { configuration: configurations[type] }),
        await native.call('POST', path, json),
        await native.call('POST', path, {
          ...json,
          name: unused(),
          configuration: { ...configurations[type], [name]: [value] },
        }),
        await native.call('POST', `${at}/test`),
      ];
      for (const { text, status } of answers) assert.ok(!text.includes(value) && status < 500, text);
      assert.equal(answers[2]?.body.configuration[name], mask);
      for (const table of ['auth_policies', 'log_events', 'idempotency_keys']) {
        const rows = JSON.stringify(await server.rows(table));
        assert.ok(rows.length > 2 && !rows.includes(value), table);
      }
      assert.deepEqual(await stored(id), { [name]: value });
      await native.expect(204, 'DELETE', at);
    });

    test(`${type}: left out or masked, it stays where it goes to the same place`, async () => {
      for (const change of sameplace[type]) {
        const id = await make(type);
        for (const sent of [{}, { [name]: mask }]) {
          const shown = await patch(id, { ...rest, ...change, ...sent });
          assert.equal(shown.configuration[name], mask);
          assert.deepEqual(await stored(id), { [name]: value });
        }
      }
    });

    test(`${type}: it does not go anywhere else by itself`, async () => {
      for (const change of elsewhere[type]) {
        const id = await make(type);
        for (const sent of [{}, { [name]: mask }]) {
          const configuration = { ...rest, ...change, ...sent };
          const { data } = await native.refuse(invalid, 'PATCH', `${path}/${id}`, { configuration });
          assert.equal(data.path, `configuration.${name}`, JSON.stringify(configuration));
        }
        await patch(id, { ...rest, ...change, [name]: 'A-new-secret-9' });
        assert.deepEqual(await stored(id), { [name]: 'A-new-secret-9' });
      }
    });

    test(`${type}: of another type it is forgotten`, async () => {
      const id = await make(type);
      await native.expect(200, 'PATCH', `${path}/${id}`, { type: 'password', configuration: {} });
      assert.deepEqual(await stored(id), {});
      const mine = { type, configuration: { ...rest, [name]: mask } };
      const { data } = await native.refuse(invalid, 'PATCH', `${path}/${id}`, mine);
      assert.equal(data.path, `configuration.${name}`);
    });
  }

  test('the certificates that are trusted are part of where it goes', async () => {
    const id = await make('ldap');
    const { cert: caCertificates } = await certificate();
    const { bindPassword: _, ...rest } = ldap;
    const configuration = { ...rest, caCertificates };
    const { data } = await native.refuse(invalid, 'PATCH', `${path}/${id}`, { configuration });
    assert.equal(data.path, 'configuration.bindPassword');
    const shown = await patch(id, { ...ldap, caCertificates });
    assert.equal(shown.configuration.caCertificates.trim(), caCertificates.trim());
    await patch(id, { ...rest, caCertificates: `\n${caCertificates}\n` });
    await native.refuse(invalid, 'PATCH', `${path}/${id}`, { configuration: rest });
  });

  test('null removes it, where it can be done without', async () => {
    const id = await make('oauth2');
    const shown = await patch(id, { ...oauth2, clientSecret: null });
    assert.deepEqual([shown.configuration.clientSecret, shown.configuration.clientAuthMethod], [undefined, 'none']);
    assert.deepEqual(await stored(id), {});
    assert.equal((await server.rows('auth_policies')).find((row) => row.id === id).secrets, null);
    const anonymous = await patch(await make('ldap'), {
      ...ldap,
      search: { ...ldap.search, bindDn: null },
      bindPassword: mask,
    });
    assert.equal(anonymous.configuration.bindPassword, undefined);
    const publicClient = await make('openid');
    const { clientSecret: _, ...rest } = openid;
    await patch(publicClient, { ...rest, clientAuthMethod: 'none' });
    assert.deepEqual(await stored(publicClient), {});
    const signing = { configuration: { ...oauth1, consumerSecret: null } };
    await native.refuse(invalid, 'PATCH', `${path}/${await make('oauth1')}`, signing);
  });

  test('a ciphertext is good for its own policy only', async () => {
    const [one, other] = [await make('openid'), await make('openid')];
    const rows = await server.rows('auth_policies');
    const of = (id: string) => rows.find((row) => row.id === id);
    assert.notEqual(of(one).secrets, of(other).secrets);
    assert.throws(() => secretsOf(server.composed.services, { ...of(one), secrets: of(other).secrets }));
  });
});
