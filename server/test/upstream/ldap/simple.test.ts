/** People of a real directory, by simple binds: as a name below the base, and as the entry that a search finds. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { dnOf, type LdapLab, objectGuid, people, startLdapLab } from '../../labs/ldap.ts';
import { assertRefused, labPolicy, labSearch, labSecrets, noLab, signIn } from './support.ts';

describe('LDAP, simple binds', { skip: noLab }, () => {
  let lab: LdapLab;
  before(async () => {
    lab = await startLdapLab();
  });
  after(() => lab?.close());

  const byUid = () => labPolicy(lab, labSearch(lab, '(&(objectClass=inetOrgPerson)(uid={user}))'));
  const byUidOrMail = () => labPolicy(lab, labSearch(lab, '(|(uid={user})(mail={user}))'));

  test('whom the directory knows, and what it tells', async () => {
    const { uid, password } = people.alice;
    const identity = await signIn(labPolicy(lab), ` ${uid} `, password);
    assert.match(identity.subject, /^[0-9a-f-]{36}$/);
    const groups = [`cn=engineers,${lab.groupsBase}`, `cn=everybody,${lab.groupsBase}`];
    const claims = { username: 'alice', email: 'alice@example.com', name: 'Alice Lab', groups };
    assert.deepEqual(
      { ...identity, groups: [...identity.groups].sort() },
      {
        ...claims,
        issuer: 'ldap:ou=people,dc=example,dc=com',
        subject: identity.subject,
        emailVerified: true,
        givenName: 'Alice',
        familyName: 'Lab',
        picture: null,
        amr: ['pwd'],
        claims: { ...claims, groups: identity.groups, id: identity.subject, dn: `uid=alice,${lab.peopleBase}` },
      },
    );
  });

  test('everybody signs in over TLS, StartTLS and loopback, by name and by search, as the same one', async () => {
    const { urls } = lab;
    for (const { uid, password, mail } of Object.values(people)) {
      const subjects = new Set<string>();
      for (const changes of [{}, { url: urls.ldap, startTls: true }, { url: urls.ldap }]) {
        subjects.add((await signIn(labPolicy(lab, changes), uid, password)).subject);
      }
      const found = await signIn(byUid(), uid, password, labSecrets(lab));
      assert.equal(found.email, [...mail].sort()[0] ?? null, uid);
      subjects.add(found.subject);
      assert.equal(subjects.size, 1, uid);
    }
  });

  test('an address vouched for by nobody is not verified, and none is none', async () => {
    const { silent, bob } = people;
    assert.equal((await signIn(labPolicy(lab), silent.uid, silent.password)).emailVerified, false);
    const unverified = await signIn(labPolicy(lab, { emailIsVerified: false }), bob.uid, bob.password);
    assert.equal(unverified.email, 'bob@example.com');
    assert.equal(unverified.emailVerified, false);
  });

  test('what tells people apart: the DN in lower case, bytes in hexadecimal, exactly one value', async () => {
    const { alice, bob, double } = people;
    const idIs = (id: string | null) => labPolicy(lab, { attributes: { ...labPolicy(lab).attributes, id } });
    assert.equal((await signIn(idIs(null), 'ALICE', alice.password)).subject, dnOf(alice));
    assert.equal((await signIn(idIs('objectGUID'), 'alice', alice.password)).subject, objectGuid.toString('hex'));
    await assertRefused(signIn(idIs('objectGUID'), 'bob', bob.password), 'misconfigured', 'no value');
    await assertRefused(signIn(idIs('mail'), 'double', double.password), 'misconfigured', 'two values');
    await assertRefused(signIn(idIs('objectGUID'), 'bob', 'wrong'), 'credentials_refused', 'told only who is right');
  });

  test('wrong passwords and unknown people are one and the same', async () => {
    for (const configuration of [labPolicy(lab), byUid()]) {
      const [wrong, unknown] = await Promise.all(
        ['alice', 'nobody'].map((user) =>
          signIn(configuration, user, 'wrong', labSecrets(lab)).catch((error) => error),
        ),
      );
      assert.deepEqual([wrong.failure, unknown.failure], ['credentials_refused', 'credentials_refused']);
      // The message is for administrators: they see that the search finds nobody.
      const finds = configuration.search !== null;
      assert.equal(/does not find one entry/.test(unknown.message), finds);
      assert.doesNotMatch(wrong.message, /find/);
    }
  });

  test('somebody unknown is looked for as long: a bind follows the search', async () => {
    const before = lab.log().length;
    await assertRefused(signIn(byUid(), 'nobody', 'secret', labSecrets(lab)), 'credentials_refused', 'nobody');
    const asked = lab.log().slice(before);
    assert.match(asked, /SRCH .*uid=nobody/);
    assert.match(asked, /BIND dn="cn=[0-9a-f-]{36},dc=example,dc=com"/);
  });

  test('what must not be sent is not: no connection, no bind', async () => {
    const asked = () => lab.log().match(/ ACCEPT | BIND dn=/g)?.length;
    const before = asked();
    const passwords = ['', ' ', '\t \n', '\u3000', '\0', 'password of alice\0', '\ud800'];
    for (const configuration of [labPolicy(lab), byUid()]) {
      for (const password of passwords) {
        const attempt = signIn(configuration, 'alice', password, labSecrets(lab));
        await assertRefused(attempt, 'credentials_refused', JSON.stringify(password));
      }
      for (const user of ['', '  ', 'ali\0ce', 'ali\nce', '\x7f', 'x'.repeat(321), '\ud800']) {
        const attempt = signIn(configuration, user, people.alice.password, labSecrets(lab));
        await assertRefused(attempt, 'credentials_refused', JSON.stringify(user));
      }
    }
    assert.equal(asked(), before);
    await signIn(labPolicy(lab), 'alice', people.alice.password);
    assert.notEqual(asked(), before);
  });

  test('a name is a name, whatever it holds', async () => {
    const { password } = people.alice;
    const names = ['*', 'a*', 'alice)(uid=*', '*)(uid=*))(|(uid=*', 'alice,ou=people', 'alice,dc=example', '\\61lice'];
    const more = ['alice+cn=Alice Lab', '#04616c696365', 'uid=alice', '"alice"', 'alice\\', '(', ')', '\\', '\\2a', ''];
    for (const configuration of [labPolicy(lab), byUid(), byUidOrMail()]) {
      for (const user of [...names, ...more]) {
        const attempt = signIn(configuration, user, password, labSecrets(lab));
        await assertRefused(attempt, 'credentials_refused', user);
      }
    }
  });

  test('two entries, an alias and a reference to another directory are nobody', async () => {
    const configuration = byUidOrMail();
    const users = ['twins@example.com', 'ali', 'remote'];
    for (const user of users) {
      for (const { password } of [people.twin, people.other, people.alice]) {
        await assertRefused(signIn(configuration, user, password, labSecrets(lab)), 'credentials_refused', user);
      }
    }
    assert.equal((await signIn(configuration, 'twin', people.twin.password, labSecrets(lab))).name, 'Twin');
  });

  test('the search account: wrong, incomplete, and none', async () => {
    const { alice } = people;
    const attempt = (bindPassword?: string) =>
      signIn(byUid(), alice.uid, alice.password, bindPassword === undefined ? {} : { bindPassword });
    await assertRefused(attempt('wrong'), 'misconfigured', 'wrong');
    await assertRefused(attempt(''), 'misconfigured', 'empty');
    await assertRefused(attempt(), 'misconfigured', 'none given');
    // This directory shows strangers nothing.
    const anonymous = { base: lab.base, filter: '(uid={user})', bindDn: null };
    const configuration = labPolicy(lab, { search: anonymous });
    await assertRefused(signIn(configuration, alice.uid, alice.password), 'misconfigured', 'anonymous');
  });

  test("what the policy gets wrong is not the person's fault", async () => {
    const { uid, password } = people.alice;
    const cases = {
      'a DN that is none': labPolicy(lab, { dn: 'people' }),
      'a search below nothing': labPolicy(lab, { search: { ...byUid().search!, base: 'ou=gone,dc=example,dc=com' } }),
      'a filter that is none': labPolicy(lab, { search: { ...byUid().search!, filter: '(uid={user}' } }),
      'another tree': labPolicy(lab, { search: { ...byUid().search!, base: 'dc=elsewhere' } }),
      'neither name nor search': labPolicy(lab, { dn: null }),
      'not a URL': labPolicy(lab, { url: 'https://localhost' }),
    };
    for (const [label, configuration] of Object.entries(cases)) {
      await assertRefused(signIn(configuration, uid, password, labSecrets(lab)), 'misconfigured', label);
    }
  });
});
