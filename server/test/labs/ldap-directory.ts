/** What the directory of the lab holds, and how its server is set up. */

export const realm = 'LAB.TEST';
export const base = 'dc=example,dc=com';
export const peopleBase = `ou=people,${base}`;
export const groupsBase = `ou=groups,${base}`;
export const administrator = { dn: `cn=admin,${base}`, password: 'admin-of-the-lab' };
/** May search everything; people may only read. */
export const searcher = { dn: `cn=searcher,${base}`, password: 'searcher-of-the-lab' };

export interface LabPerson {
  /** What the person signs in as. */
  readonly uid: string;
  readonly password: string;
  readonly name: string;
  /** Several are possible. */
  readonly mail: readonly string[];
  readonly groups: readonly string[];
}

const person = (uid: string, name: string, groups: string[] = [], mail = [`${uid}@example.com`]): LabPerson => ({
  uid,
  password: `password of ${uid}`,
  name,
  mail,
  groups,
});

/** Alice, Bob and Zoë have Kerberos principals too. */
export const people = {
  alice: person('alice', 'Alice Lab', ['engineers', 'everybody']),
  bob: person('bob', 'Bob Lab', ['everybody']),
  /** Text that is ISO 8859-1, and yet not ASCII. */
  zoe: person('zoë', 'Zoë Größe', [], ['zoe@example.com']),
  hanako: { ...person('花子', '山田 花子', [], ['hanako@example.com']), password: '合言葉・開けゴマ' },
  /** Every character that means something in a DN or a filter. */
  odd: person('o\'brien, (r&d) + "x" = *\\;<#>', "Odd O'Brien", [], ['odd@example.com']),
  /** Both have the same address. */
  twin: person('twin', 'Twin', [], ['twins@example.com']),
  other: person('other', 'Other Twin', [], ['twins@example.com']),
  /** Has no address. */
  silent: person('silent', 'Silent', [], []),
  /** Has two. */
  double: person('double', 'Double', [], ['double@example.com', 'second@example.com']),
} as const;

export const objectGuid = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

/** `uid=ali` is an alias of Alice, `uid=remote` is in another directory. */
export function directoryLdif(): string {
  const groupNames = [...new Set(Object.values(people).flatMap(({ groups }) => groups))];
  return [
    entry(base, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Lab' }),
    entry(peopleBase, { objectClass: 'organizationalUnit', ou: 'people' }),
    entry(groupsBase, { objectClass: 'organizationalUnit', ou: 'groups' }),
    entry(searcher.dn, {
      objectClass: ['organizationalRole', 'simpleSecurityObject'],
      cn: 'searcher',
      userPassword: searcher.password,
    }),
    ...Object.values(people).map(personEntry),
    ...groupNames.map(groupEntry),
    entry(`uid=ali,${peopleBase}`, {
      objectClass: ['alias', 'extensibleObject'],
      uid: 'ali',
      aliasedObjectName: dnOf(people.alice),
    }),
    entry(`uid=remote,${peopleBase}`, {
      objectClass: ['referral', 'extensibleObject'],
      uid: 'remote',
      ref: `ldap://directory.invalid/uid=remote,${peopleBase}`,
    }),
  ].join('\n');
}

/** Bytes that mean something in a name are written by their number; so the lab does not test our escaping with itself. */
export const dnOf = ({ uid }: LabPerson): string =>
  `uid=${uid.replace(/[^a-z0-9]/gi, (character) => Buffer.from(character).toString('hex').replace(/../g, '\\$&'))},${peopleBase}`;

const personEntry = (someone: LabPerson): string =>
  entry(dnOf(someone), {
    objectClass: ['inetOrgPerson', 'labAccount'],
    uid: someone.uid,
    cn: someone.name,
    givenName: someone.name.split(' ')[0] as string,
    sn: someone.name.split(' ').at(-1) as string,
    mail: someone.mail,
    userAccountControl: '512',
    // Clear text, because the server has to know it for CRAM-MD5 and DIGEST-MD5.
    userPassword: someone.password,
    ...(someone === people.alice ? { objectGUID: objectGuid } : {}),
  });

const groupEntry = (name: string): string =>
  entry(`cn=${name},${groupsBase}`, {
    objectClass: 'groupOfNames',
    cn: name,
    member: Object.values(people)
      .filter(({ groups }) => groups.includes(name))
      .map(dnOf),
  });

/** One entry of LDIF (RFC 2849); every value in base64, so that none can break a line. */
function entry(dn: string, attributes: Record<string, string | Buffer | readonly string[]>): string {
  const line = (name: string, value: string | Buffer) => `${name}:: ${Buffer.from(value).toString('base64')}`;
  const lines = Object.entries(attributes).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => line(name, value)),
  );
  return [line('dn', dn), ...lines, ''].join('\n');
}

/** slapd.conf(5). SASL's names become entries by `authz-regexp`; groups show as `memberOf`. */
export const slapdConfiguration = (folder: string): string => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/dyngroup.schema
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.11.1 NAME 'labAccount' SUP top AUXILIARY MAY ( userAccountControl $ objectGUID ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload dynlist
TLSCertificateFile ${folder}/server.pem
TLSCertificateKeyFile ${folder}/server.key
sasl-host localhost
sasl-realm ${realm}
sasl-secprops none
password-hash {CLEARTEXT}
authz-regexp uid=([^,]+),cn=[^,]+,cn=[^,]+,cn=auth uid=$1,${peopleBase}
authz-regexp uid=([^,]+),cn=[^,]+,cn=auth uid=$1,${peopleBase}
database mdb
maxsize 33554432
suffix "${base}"
rootdn "${administrator.dn}"
rootpw "${administrator.password}"
directory ${folder}/data
overlay dynlist
dynlist-attrset groupOfURLs memberURL member+memberOf@groupOfNames
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="${base}" by dn.exact="${searcher.dn}" read by users read by anonymous auth
access to * by * read
`;

/** A server that knows nobody and no StartTLS. */
export const bareConfiguration = `
include /etc/ldap/schema/core.schema
sasl-host localhost
`;
