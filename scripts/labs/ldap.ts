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
ldap, takes StartTLS          ${lab.urls.ldap}
ldaps                         ${lab.urls.ldaps}
certificate for another name  ${lab.urls.wrongName}
refuses StartTLS, is empty    ${lab.urls.withoutTls}
certificate authority         ${authority}
base of people                ${lab.peopleBase}
search account                ${lab.searcher.dn}
  its password                ${lab.searcher.password}
Kerberos realm                ${lab.realm}
KRB5_CONFIG                   ${lab.krb5Config}
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
