/** Whether somebody who signed in once is still there: asked without the person's password. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { canFindLdapUser, findLdapUser } from '../../../src/upstream/ldap/check.ts';
import { issuerOf } from '../../../src/upstream/ldap/configuration.ts';
import { dnOf, type LabPerson, type LdapLab, people, startLdapLab } from '../../labs/ldap.ts';
import { assertRefused, labPolicy, labSearch, labSecrets, noLab, services, signIn } from './support.ts';

describe('LDAP, who is still there', { skip: noLab }, () => {
  let lab: LdapLab;
  before(async () => {
    lab = await startLdapLab();
  });
  after(() => lab?.close());

  const configuration = () => {
    const found = labPolicy(lab, labSearch(lab, '(uid={user})'));
    return { ...found, search: { ...found.search!, base: lab.peopleBase } };
  };
  const groupsOf = (subject: string, username: string) =>
    findLdapUser(services, configuration(), labSecrets(lab), { issuer: issuerOf(configuration()), subject, username });
  const isThere = async (subject: string, username: string) => (await groupsOf(subject, username)) !== undefined;
  const subjectOf = async ({ uid, password }: LabPerson) =>
    (await signIn(configuration(), uid, password, labSecrets(lab))).subject;
  const change = (person: LabPerson, lines: string[]) => lab.modify([`dn: ${dnOf(person)}`, ...lines, ''].join('\n'));

  test('there, the same one, and nobody else under that name', async () => {
    const { alice, bob } = people;
    const subject = await subjectOf(alice);
    assert.equal(await isThere(subject, alice.uid), true);
    assert.deepEqual(
      [...((await groupsOf(subject, alice.uid)) ?? [])].sort(),
      alice.groups.map((name) => `cn=${name},${lab.groupsBase}`).sort(),
    );
    assert.equal(await isThere(subject, bob.uid), false);
    assert.equal(await isThere(subject, '*'), false);
    assert.equal(await isThere(subject, 'nobody'), false);
    const { odd } = people;
    assert.equal(await isThere(await subjectOf(odd), odd.uid), true);
  });

  test('moved out of the base, disabled, deleted', async () => {
    const { twin, other, silent } = people;
    const subjects = { twin: await subjectOf(twin), other: await subjectOf(other), silent: await subjectOf(silent) };
    const move = ['changetype: moddn', 'newrdn: uid=twin', 'deleteoldrdn: 1', `newsuperior: ${lab.groupsBase}`];
    await change(twin, move);
    assert.equal(await isThere(subjects.twin, twin.uid), false);
    await assertRefused(subjectOf(twin), 'credentials_refused', 'moved');
    await change(other, ['changetype: modify', 'replace: userAccountControl', 'userAccountControl: 514']);
    assert.equal(await isThere(subjects.other, other.uid), false);
    await change(other, ['changetype: modify', 'replace: userAccountControl', 'userAccountControl: 512']);
    assert.equal(await isThere(subjects.other, other.uid), true);
    await change(silent, ['changetype: delete']);
    assert.equal(await isThere(subjects.silent, silent.uid), false);
  });

  test('a name that somebody else has now is somebody else', async () => {
    const { double } = people;
    const subject = await subjectOf(double);
    await change(double, ['changetype: delete']);
    const person = ['objectClass: inetOrgPerson', 'uid: double', 'cn: New', 'sn: New', 'userPassword: new'];
    await change(double, ['changetype: add', ...person]);
    assert.equal(await isThere(subject, double.uid), false);
    assert.notEqual(await subjectOf({ ...double, password: 'new' }), subject);
  });

  test('of another base nobody is the same one, and nobody asks', async () => {
    const subject = await subjectOf(people.alice);
    // The end of the last connection may be written down at any time.
    const asked = () => lab.log().match(/ ACCEPT | BIND dn=| SRCH base=/g)?.length;
    const before = asked();
    const person = { issuer: 'ldap:ou=others,dc=example,dc=com', subject, username: people.alice.uid };
    assert.equal(await findLdapUser(services, configuration(), labSecrets(lab), person), undefined);
    assert.equal(asked(), before);
  });

  test('only with an account to search with; what can not be asked is not a no', async () => {
    const { search } = configuration();
    assert.equal(canFindLdapUser(configuration()), true);
    assert.equal(canFindLdapUser(labPolicy(lab)), false);
    assert.equal(canFindLdapUser(labPolicy(lab, { search: { ...search, bindDn: null } })), false);
    const somebody = { issuer: issuerOf(configuration()), subject: 'x', username: 'alice' };
    await assertRefused(findLdapUser(services, labPolicy(lab), {}, somebody), 'misconfigured', 'no search');
    await assertRefused(findLdapUser(services, configuration(), {}, somebody), 'misconfigured', 'no password');
    const gone = { ...configuration(), url: 'ldaps://localhost:1' };
    await assertRefused(findLdapUser(services, gone, labSecrets(lab), somebody), 'unavailable', 'gone');
  });
});
