/** Whatever somebody sends, no call answers with a mistake of ours, and nothing is let through by its shape. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { makeApp } from '../sign-in/support.ts';
import { base, callApp, localTargets, makePolicy, manage, policyPath } from './support.ts';

const odd: readonly unknown[] = [
  ...[null, true, 0, -1, 1e308, '', ' ', '__proto__', 'constructor', 'toString', '%00', '../..', "'; drop table x; --"],
  ...[
    'x'.repeat(70_000),
    '\u202e\u200b',
    '𝔘',
    'ﬁ',
    '😀'.repeat(500),
    [],
    {},
    [[]],
    [null],
    [{}],
    { a: { b: { c: 1 } } },
  ],
];

eachEngine('RHMAP: odd input', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({
      engine,
      env: { ...localTargets, SEKISHO_RATE_LIMIT_SIGN_IN_FAILURES_PER_ADDRESS: '0' },
    });
  });
  after(() => server.close());

  const assertSane = (status: number, body: { status?: unknown; message?: unknown }, what: string): void => {
    assert.ok(status < 500, `${what}: ${status} ${JSON.stringify(body)}`);
    assert.ok(body.status === 'ok' || (body.status === 'error' && typeof body.message === 'string'), what);
    assert.ok(String(body.message ?? '').length < 1000, what);
  };

  test('at the calls that manage policies', async () => {
    const { guid, policyId } = await makePolicy(server);
    const whole = { guid, policyId, policyType: 'LDAP', configurations: { url: 'ldap://127.0.0.1' }, users: ['x'] };
    for (const call of ['create', 'read', 'update', 'users', 'addusers', 'removeusers', 'delete']) {
      for (const field of Object.keys(whole)) {
        for (const value of odd) {
          const { status, body } = await manage(server, call, { ...whole, [field]: value });
          assertSane(status, body, `${call} ${field} ${JSON.stringify(value).slice(0, 40)}`);
        }
      }
    }
  });

  test('in configurations', async () => {
    const words = ['url', 'authmethod', 'dn', 'dn_prefix', 'searchBase', 'bindPassword', 'starttls', 'attributes'];
    const ofProviders = [
      'clientId',
      'clientSecret',
      'issuer',
      'scope',
      'userIdField',
      'fields',
      'provider',
      'profileUrl',
    ];
    for (const policyType of ['LDAP', 'OAUTH2', 'OPENID', 'OAUTH1']) {
      for (const word of policyType === 'LDAP' ? words : ofProviders) {
        for (const value of odd) {
          const configurations = { url: 'ldap://127.0.0.1', clientId: 'a', issuer: 'https://p.example', [word]: value };
          const { status, body } = await manage(server, 'create', { policyId: 'odd', policyType, configurations });
          assertSane(status, body, `${policyType} ${word} ${JSON.stringify(value).slice(0, 40)}`);
          if (body.status === 'ok') await manage(server, 'delete', { guid: body.guid });
        }
      }
    }
    assert.equal((await manage(server, 'list')).body.status, 'ok');
  });

  test('at the calls of apps', async () => {
    const policy = await makePolicy(server);
    const { clientId } = await makeApp(server, 'Native');
    const whole = { policyId: policy.policyId, clientToken: clientId, params: {}, device: 'x', endRedirectUrl: 'x' };
    for (const field of [...Object.keys(whole), '__fh', 'sessionToken']) {
      for (const value of odd) {
        for (const call of ['auth', 'verifysession', 'revokesession', 'sessioninfo']) {
          const { status, body } = await callApp(server, call, { ...whole, [field]: value });
          assertSane(status, body, `${call} ${field} ${JSON.stringify(value).slice(0, 40)}`);
          assert.equal(body.sessionToken, undefined);
          assert.notEqual(body.isValid, true);
        }
      }
    }
    assert.deepEqual(await server.rows('sessions'), []);
  });

  test('in addresses and headers', async () => {
    for (const query of [
      '',
      '?',
      '?ticket=',
      '?ticket=%ff',
      '?state=%00',
      '?state=a&state=b',
      '?status=complete',
      '?result',
    ]) {
      for (const page of ['arm/begin', 'arm/authCallback']) {
        const { status, headers } = await server.request('GET', `${base}/${page}${query}`);
        assert.ok(status < 500, `${page}${query}: ${status}`);
        assert.equal(headers.get('location'), null);
      }
    }
    for (const value of ['"', '""', '"x', '{}', 'x'.repeat(4000), 'key_\u00e9']) {
      const { status, body } = await server.request('POST', `${policyPath}/list`, {
        headers: { 'x-fh-auth-user': value },
      });
      assert.deepEqual([status, body.status], [401, 'error'], value);
    }
  });
});
