/**
 * The directory that tests use, to try things against by hand: it prints where it is and who is in it, until Ctrl-C.
 *
 *   node scripts/labs/ldap.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dnOf, people, startLdapLab } from '../../server/test/labs/ldap.ts';
import { installOpenldap } from '../openldap.ts';

await installOpenldap();
const lab = await startLdapLab();
const authority = join(lab.folder, 'authority.pem');
writeFileSync(authority, lab.caCertificates);

console.log(`
To be pasted where you type your commands:

LDAP=${lab.urls.ldap}          # takes StartTLS
LDAPS=${lab.urls.ldaps}        # the same directory
WRONG_NAME=${lab.urls.wrongName}   # with a certificate for another name
WITHOUT_TLS=${lab.urls.withoutTls}   # an empty one that refuses StartTLS
LDAP_CA=${authority}
export KRB5_CONFIG=${lab.krb5Config}

base of people                ${lab.peopleBase}
search account                ${lab.searcher.dn}
  its password                ${lab.searcher.password}
Kerberos realm                ${lab.realm}
`);
for (const person of Object.values(people)) {
  console.log(`${person.uid}\n  password  ${person.password}\n  DN        ${dnOf(person)}`);
}
console.log('\nCtrl-C ends it.');

const goOn = setInterval(() => {}, 60_000);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    clearInterval(goOn);
    await lab.close();
  });
}
