/** Whom a password is told: only a directory that proves who it is, at an address that is allowed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { authenticateLdap } from '../../../src/upstream/ldap/authenticate.ts';
import { testLdap } from '../../../src/upstream/ldap/check.ts';
import { type LdapLab, people, startLdapLab } from '../../labs/ldap.ts';
import { withDirectoryOf } from './fake.ts';
import { assertRefused, labPolicy, labSearch, labSecrets, noLab, policy, services, signIn } from './support.ts';

const { uid, password } = people.alice;

describe('LDAP, TLS', { skip: noLab }, () => {
  let lab: LdapLab;
  before(async () => {
    lab = await startLdapLab();
  });
  after(() => lab?.close());

  const binds = () => lab.log().match(/ BIND dn=/g)?.length ?? 0;

  test('a certificate of nobody we know, or for another name: no bind', async () => {
    const count = binds();
    const starttls = { url: lab.urls.ldap, startTls: true };
    const byAddress = lab.urls.wrongName.replace('localhost', '127.0.0.1');
    for (const [label, changes] of Object.entries({
      'unknown authority': { caCertificates: null },
      'unknown authority, StartTLS': { ...starttls, caCertificates: null },
      'another name': { url: lab.urls.wrongName },
      'another name, by address': { url: byAddress },
    })) {
      await assertRefused(signIn(labPolicy(lab, changes), uid, password), 'untrusted', label);
    }
    assert.equal(binds(), count);
    await signIn(labPolicy(lab, { url: lab.urls.ldaps.replace('localhost', '127.0.0.1') }), uid, password);
  });

  test('whatever the environment says of certificates', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      await assertRefused(signIn(labPolicy(lab, { caCertificates: null }), uid, password), 'untrusted', 'environment');
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });

  test('a server without StartTLS is told nothing', async () => {
    const refusing = labPolicy(lab, { url: lab.urls.withoutTls, startTls: true, allowsClearText: true });
    await assertRefused(signIn(refusing, uid, password), 'untrusted', 'refused');
    const clear = labPolicy(lab, { url: lab.urls.ldap.replace('ldap:', 'ldaps:') });
    await assertRefused(signIn(clear, uid, password), 'untrusted', 'no TLS at all');
  });

  test('authorities that can not be read certify nobody', async () => {
    for (const caCertificates of ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'none', '']) {
      await assertRefused(signIn(labPolicy(lab, { caCertificates }), uid, password), 'untrusted', caCertificates);
    }
  });

  test('a connection can be tried without anybody: all that can be wrong has its own answer', async () => {
    const good = labPolicy(lab, labSearch(lab, '(uid={user})'));
    await testLdap(services, good, labSecrets(lab));
    await testLdap(services, labPolicy(lab, { authMethod: 'DIGEST-MD5' }), {});
    const search = good.search!;
    const cases = [
      ['unavailable', policy()],
      ['untrusted', { ...good, caCertificates: null }],
      ['untrusted', { ...good, url: lab.urls.wrongName }],
      ['untrusted', { ...good, url: lab.urls.withoutTls, startTls: true }],
      ['misconfigured', { ...good, search: { ...search, bindDn: 'cn=nobody,dc=example,dc=com' } }],
      ['misconfigured', { ...good, search: { ...search, base: 'ou=gone,dc=example,dc=com' } }],
      ['misconfigured', { ...good, search: { ...search, base: 'dc=elsewhere' } }],
    ] as const;
    for (const [failure, configuration] of cases) {
      await assertRefused(
        testLdap(services, configuration, labSecrets(lab)),
        failure,
        configuration.url,
        'searcher-of',
      );
    }
    await assertRefused(testLdap(services, good, { bindPassword: 'wrong' }), 'misconfigured', 'wrong', 'wrong');
  });
});

describe('LDAP, where it may go', () => {
  test('nothing in the clear to other machines, by whatever method', async () => {
    const search = { base: 'dc=example', filter: '(uid={user})', bindDn: 'cn=searcher' };
    for (const url of [
      'ldap://192.0.2.1',
      'ldap://directory.example',
      'ldap://[2001:db8::1]',
      'ldap://localhost.example',
    ]) {
      for (const changes of [{}, { authMethod: 'GSSAPI', search }, { authMethod: 'DIGEST-MD5' }] as const) {
        const begunAt = performance.now();
        await assertRefused(
          signIn(policy({ url, ...changes }), uid, password, { bindPassword: 'x' }),
          'untrusted',
          url,
        );
        assert.ok(performance.now() - begunAt < 1000);
      }
    }
  });

  test('with leave it may; but not where requests may never go', async () => {
    const allowed = { allowsClearText: true };
    await assertRefused(
      signIn(policy({ url: 'ldap://169.254.169.254', ...allowed }), uid, password),
      'forbidden',
      'metadata',
    );
    await assertRefused(signIn(policy({ url: 'ldap://0.0.0.0', ...allowed }), uid, password), 'forbidden', 'any');
  });

  test('private addresses only where the installation allows them, by address and by name', async () => {
    await withDirectoryOf(
      () => undefined,
      async (url, heard) => {
        const closed = { guard: { privateTargets: false } };
        for (const target of [url, url.replace('127.0.0.1', 'localhost'), url.replace('ldap:', 'ldaps:')]) {
          const attempt = authenticateLdap(closed, policy({ url: target }), {}, { user: uid, password });
          await assertRefused(attempt, 'forbidden', target);
          await assertRefused(testLdap(closed, policy({ url: target }), {}), 'forbidden', target);
        }
        assert.equal(heard.connections, 0);
      },
    );
  });

  test('nothing listens, no such name', async () => {
    await assertRefused(signIn(policy(), uid, password), 'unavailable', 'refused');
    await assertRefused(signIn(policy({ url: 'ldaps://directory.invalid' }), uid, password), 'unavailable', 'no name');
  });

  test('URLs that are none of a directory', async () => {
    for (const url of [
      '',
      'ldap:',
      'ldap://',
      'http://localhost',
      'ldapi://x',
      'ldap://u:p@localhost',
      'ldap://localhost/dc=x',
      'ldap://localhost?x',
    ]) {
      await assertRefused(signIn(policy({ url }), uid, password), 'misconfigured', url);
    }
    await assertRefused(
      signIn(policy({ url: 'ldaps://localhost', startTls: true }), uid, password),
      'misconfigured',
      'both',
    );
  });
});
