/** People of a real directory by SASL: CRAM-MD5 and DIGEST-MD5, and GSSAPI with a real Kerberos realm. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { kerberosMissing } from '../../../../scripts/kerberos.ts';
import { testLdap } from '../../../src/upstream/ldap/check.ts';
import type { LdapAuthMethod, LdapConfiguration } from '../../../src/upstream/ldap/configuration.ts';
import { isGssapiInstalled } from '../../../src/upstream/ldap/kerberos.ts';
import { type LdapLab, people, startLdapLab } from '../../labs/ldap.ts';
import { bindResult, message, withDirectoryOf } from './fake.ts';
import { assertRefused, labPolicy, labSearch, labSecrets, noLab, services, signIn } from './support.ts';

const { alice, bob, zoe, hanako } = people;
const noKerberos = noLab || (isGssapiInstalled() ? false : kerberosMissing);

describe('LDAP, SASL', { skip: noLab }, () => {
  let lab: LdapLab;
  let krb5Config: string | undefined;
  before(async () => {
    lab = await startLdapLab();
    krb5Config = process.env.KRB5_CONFIG;
    process.env.KRB5_CONFIG = lab.krb5Config;
  });
  after(async () => {
    if (krb5Config === undefined) delete process.env.KRB5_CONFIG;
    else process.env.KRB5_CONFIG = krb5Config;
    await lab?.close();
  });

  /** No name, no search: the directory itself knows which entry is whose. */
  const by = (authMethod: LdapAuthMethod, changes: Partial<LdapConfiguration> = {}) =>
    labPolicy(lab, { dnPrefix: null, authMethod, ...changes });

  for (const method of ['CRAM-MD5', 'DIGEST-MD5'] as const) {
    test(`${method}: everybody is who a simple bind says, by "Who am I?" and by search`, async () => {
      for (const person of [alice, bob, zoe, hanako]) {
        const { subject } = await signIn(labPolicy(lab), person.uid, person.password);
        for (const url of [lab.urls.ldap, lab.urls.ldaps]) {
          const identity = await signIn(by(method, { url }), person.uid, person.password);
          assert.equal(identity.subject, subject, person.uid);
        }
        const found = await signIn(
          by(method, labSearch(lab, '(uid={user})')),
          person.uid,
          person.password,
          labSecrets(lab),
        );
        assert.equal(found.subject, subject, person.uid);
      }
    });

    test(`${method}: wrong passwords, unknown people, and such as the filter does not find`, async () => {
      for (const [user, password] of [
        ['alice', 'wrong'],
        ['nobody', 'wrong'],
        ['alice', bob.password],
        ['*', 'wrong'],
      ] as const) {
        await assertRefused(signIn(by(method), user, password), 'credentials_refused', user);
      }
      const others = by(method, labSearch(lab, '(&(uid={user})(!(uid=alice)))'));
      await assertRefused(signIn(others, 'alice', alice.password, labSecrets(lab)), 'credentials_refused', 'not found');
    });
  }

  test('DIGEST-MD5: the realm of the policy, and one that is not offered', async () => {
    await signIn(by('DIGEST-MD5', { realm: lab.realm }), 'alice', alice.password);
    const other = by('DIGEST-MD5', { realm: 'OTHER.TEST' });
    await assertRefused(signIn(other, 'alice', alice.password), 'misconfigured', 'realm');
  });

  test('neither method tells the directory the password, also in the clear', async () => {
    for (const method of ['CRAM-MD5', 'DIGEST-MD5'] as const) {
      const before = lab.log().length;
      await signIn(by(method, { url: lab.urls.ldap }), 'alice', alice.password);
      const asked = lab.log().slice(before);
      assert.match(asked, /BIND dn="" method=163/);
      assert.doesNotMatch(asked, /method=128/);
    }
  });

  describe('GSSAPI', { skip: noKerberos }, () => {
    let own: string;
    const shared = process.env.TMPDIR;
    before(() => {
      own = mkdtempSync(join(tmpdir(), 'sekisho-test-'));
      process.env.TMPDIR = own;
    });
    after(() => {
      if (shared === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = shared;
      rmSync(own, { recursive: true, force: true });
    });
    const folders = () => readdirSync(own);

    test('a password becomes a ticket, and the ticket an entry; nothing stays', async () => {
      for (const person of [alice, zoe]) {
        const { subject } = await signIn(labPolicy(lab), person.uid, person.password);
        const before = lab.log().length;
        const attempt = signIn(by('GSSAPI'), person.uid, person.password);
        let isOver = false;
        attempt
          .catch(() => {})
          .finally(() => {
            isOver = true;
          });
        while (folders().length === 0 && !isOver) await sleep(5);
        const [folder = ''] = folders();
        assert.equal(statSync(join(own, folder)).mode & 0o777, 0o700);
        assert.equal((await attempt).subject, subject);
        assert.match(lab.log().slice(before), /mech=GSSAPI/);
        const searching = by('GSSAPI', { ...labSearch(lab, '(uid={user})'), url: lab.urls.ldap, startTls: true });
        assert.equal((await signIn(searching, person.uid, person.password, labSecrets(lab))).subject, subject);
      }
      assert.deepEqual(folders(), []);
      assert.equal(process.env.KRB5CCNAME, undefined);
      await testLdap(services, by('GSSAPI'), {});
    });

    test('wrong passwords and unknown people', async () => {
      await assertRefused(signIn(by('GSSAPI'), 'alice', 'wrong'), 'credentials_refused', 'wrong');
      await assertRefused(signIn(by('GSSAPI'), 'nobody', 'wrong'), 'credentials_refused', 'unknown');
      assert.deepEqual(folders(), []);
    });

    test("realms: the policy's, the machine's, one typed, and wrong ones", async () => {
      const { subject } = await signIn(by('GSSAPI', { realm: lab.realm }), 'alice', alice.password);
      for (const [user, realm] of [
        ['alice@LAB.TEST', null],
        ['alice@lab.test', lab.realm],
      ] as const) {
        assert.equal((await signIn(by('GSSAPI', { realm }), user, alice.password)).subject, subject);
      }
      const refuse = (realm: string | null, user: string) => signIn(by('GSSAPI', { realm }), user, alice.password);
      await assertRefused(refuse(lab.realm, 'alice@OTHER.TEST'), 'credentials_refused', "not the policy's");
      await assertRefused(refuse(null, 'alice@OTHER.TEST'), 'credentials_refused', 'typed');
      await assertRefused(refuse('OTHER.TEST', 'alice'), 'misconfigured', 'of the policy');
    });

    test('names that are no principals of people, passwords that kinit would read otherwise', async () => {
      for (const user of [
        '-k',
        '--help',
        'ldap/localhost',
        'alice/admin',
        'alice\\@x',
        'alice@',
        '@LAB.TEST',
        'a@b@c',
      ]) {
        await assertRefused(signIn(by('GSSAPI'), user, alice.password), 'credentials_refused', user);
      }
      for (const password of [`${alice.password}\nx`, `${alice.password}\r`, 'x'.repeat(1001)]) {
        await assertRefused(signIn(by('GSSAPI'), 'alice', password), 'credentials_refused', 'password');
      }
    });

    test("another service than that of the URL's host gets no ticket; a wrong certificate, a closed guard", async () => {
      const byAddress = by('GSSAPI', { url: lab.urls.ldaps.replace('localhost', '127.0.0.1') });
      await assertRefused(signIn(byAddress, 'alice', alice.password), 'misconfigured', 'service');
      await assertRefused(
        signIn(by('GSSAPI', { url: lab.urls.wrongName }), 'alice', alice.password),
        'untrusted',
        'name',
      );
    });

    test('a directory without the keys of its host proves nothing, and a success too early is none', async () => {
      const lies = {
        untrusted: (id: number) => message(id, bindResult(14, 'no answer to a ticket')),
        answer_invalid: (id: number) => message(id, bindResult(0)),
        misconfigured: (id: number) => message(id, bindResult(7)),
      } as const;
      for (const [failure, lie] of Object.entries(lies) as [keyof typeof lies, (id: number) => Buffer][]) {
        await withDirectoryOf(
          ({ id }) => lie(id),
          async (url) => {
            const attempt = signIn(
              by('GSSAPI', { url: url.replace('127.0.0.1', 'localhost') }),
              'alice',
              alice.password,
            );
            await assertRefused(attempt, failure, failure);
          },
        );
      }
    });

    test('secrets are in no argument and no environment of the processes', async () => {
      const seen: string[] = [];
      process.env.SEKISHO_MASTER_KEY = 'ours';
      const watch = setInterval(() => seen.push(...commandLinesOf(process.pid)), 5);
      await signIn(by('GSSAPI'), 'alice', alice.password);
      clearInterval(watch);
      delete process.env.SEKISHO_MASTER_KEY;
      assert.ok(
        seen.some((text) => text.includes('gssapi-child')),
        'it was seen',
      );
      assert.ok(seen.every((text) => !text.includes(alice.password) && !text.includes('SEKISHO_')));
    });
  });
});

/** Arguments and environments of all that a process has started, as anybody with a shell there would see them. */
function commandLinesOf(pid: number): string[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return children
      .filter((child) => child !== '')
      .flatMap((child) => [
        readFileSync(`/proc/${child}/cmdline`, 'utf8') + readFileSync(`/proc/${child}/environ`, 'utf8'),
        ...commandLinesOf(Number(child)),
      ]);
  } catch {
    // It ended while we looked.
    return [];
  }
}
