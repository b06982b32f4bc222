import { hasOpenldap, installOpenldap } from '../../../scripts/openldap.ts';
import { type LdapLab, people as labPeople, startLdapLab } from '../../../server/test/labs/ldap.ts';
import { onInterrupt } from '../child.ts';

export interface Person {
  name: string;
  password: string;
}

/** Has a principal of Kerberos too. */
export const oneOfRealm: Person = { name: labPeople.alice.uid, password: labPeople.alice.password };

export type Directory = LdapLab & { people: readonly Person[] };

/** A directory of OpenLDAP with so many people; undefined where it is not installed and can not be, which it says. */
export async function startDirectory(count: number): Promise<Directory | undefined> {
  await installOpenldap();
  if (!hasOpenldap()) return undefined;
  const lab = await startLdapLab();
  const close = onInterrupt(() => lab.close());
  const people = Array.from({ length: count }, (_, n) => ({ name: `person${n}`, password: `the password of ${n}` }));
  await lab.modify(people.map((person) => entryOf(person, lab.peopleBase)).join('\n'));
  return { ...lab, people, close };
}

const entryOf = ({ name, password }: Person, base: string): string => `dn: uid=${name},${base}
changetype: add
objectClass: inetOrgPerson
uid: ${name}
cn: ${name}
sn: ${name}
mail: ${name}@bench.example
userPassword: ${password}
`;
