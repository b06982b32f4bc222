/** What is read and written of names, filters and digests, without a directory. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assert as assertProperty, property, string } from 'fast-check';
import { element } from '../../../src/kernel/der.ts';
import { canonicalName, escapedValue } from '../../../src/kernel/distinguished-name.ts';
import { octets } from '../../../src/upstream/ldap/ber.ts';
import { issuerOf } from '../../../src/upstream/ldap/configuration.ts';
import { readChallenge } from '../../../src/upstream/ldap/digest-challenge.ts';
import { answerTo } from '../../../src/upstream/ldap/digest-md5.ts';
import { escapedAssertion, readFilter } from '../../../src/upstream/ldap/filter.ts';
import { policy } from './support.ts';

const hex = (bytes: Buffer) => bytes.toString('hex');

describe('LDAP, filters', () => {
  test('every kind of item, as RFC 4511 §4.5.1 writes it', () => {
    const uid = octets('uid');
    const filters: Record<string, Buffer> = {
      '(uid=a)': element(0xa3, uid, octets('a')),
      '(uid=)': element(0xa3, uid, octets('')),
      '(uid=*)': octets('uid', 0x87),
      '(uid>=a)': element(0xa5, uid, octets('a')),
      '(uid<=a)': element(0xa6, uid, octets('a')),
      '(uid~=a)': element(0xa8, uid, octets('a')),
      '(uid=a*)': element(0xa4, uid, element(0x30, octets('a', 0x80))),
      '(uid=*a)': element(0xa4, uid, element(0x30, octets('a', 0x82))),
      '(uid=a*b*c)': element(0xa4, uid, element(0x30, octets('a', 0x80), octets('b', 0x81), octets('c', 0x82))),
      '(uid=\\2a\\c3\\a9)': element(0xa3, uid, octets('*é')),
      '(2.5.4.3=a)': element(0xa3, octets('2.5.4.3'), octets('a')),
      '(cn;lang-ja=花)': element(0xa3, octets('cn;lang-ja'), octets('花')),
      '(&)': element(0xa0),
      '(&(uid=a)(!(uid=b)))': element(
        0xa0,
        element(0xa3, uid, octets('a')),
        element(0xa2, element(0xa3, uid, octets('b'))),
      ),
      '(|(uid=a))': element(0xa1, element(0xa3, uid, octets('a'))),
      '(memberOf:1.2.840.113556.1.4.1941:=cn=x)': element(
        0xa9,
        octets('1.2.840.113556.1.4.1941', 0x81),
        octets('memberOf', 0x82),
        octets('cn=x', 0x83),
      ),
      '(ou:dn:=x)': element(0xa9, octets('ou', 0x82), octets('x', 0x83), element(0x84, Buffer.of(0xff))),
      '(:caseExactMatch:=x)': element(0xa9, octets('caseExactMatch', 0x81), octets('x', 0x83)),
    };
    for (const [text, bytes] of Object.entries(filters)) assert.equal(hex(readFilter(text)), hex(bytes), text);
  });

  test('texts that are none', () => {
    const texts = [
      '',
      'uid=a',
      '()',
      '(uid)',
      '(=a)',
      '(uid=a',
      '(uid=a))',
      '(uid=(a)',
      '(uid=a)(uid=b)',
      '(!)',
      '(uid=**)',
    ];
    const more = [
      '(!(a=b)(c=d))',
      '(uid=\\2)',
      '(uid=\\zz)',
      '(uid=a\\)',
      '(uid=\0)',
      '(uid>=a*)',
      '(:=x)',
      '(uid:x=a)',
      ' (uid=a)',
    ];
    const long = `${'(!'.repeat(2049)}(a=b)${')'.repeat(2049)}`;
    for (const text of [...texts, ...more, long])
      assert.throws(() => readFilter(text), { failure: 'misconfigured' }, text);
  });

  test('a value is one value, whatever it holds', () => {
    assertProperty(
      property(string({ unit: 'binary' }), (value) => {
        const user = value.toWellFormed();
        assert.equal(
          hex(readFilter(`(uid=${escapedAssertion(user)})`)),
          hex(element(0xa3, octets('uid'), octets(user))),
        );
      }),
    );
  });
});

describe('LDAP, names', () => {
  test('a value is one part of a name, whatever it holds', () => {
    assertProperty(
      property(string({ unit: 'binary', minLength: 1 }), (text) => {
        // A NUL never gets here.
        const value = text.toWellFormed().replaceAll('\0', '0');
        const canonical = canonicalName(`uid=${escapedValue(value)},dc=x`);
        assert.equal(canonical, `UID=${escapedValue(value)},DC=x`);
      }),
    );
  });

  test('whose people they are: the base in one way of writing, wherever it is', () => {
    const search = { base: 'OU=People , DC=Example,DC=com ', filter: '(uid={user})', bindDn: null };
    const issuer = 'ldap:ou=people,dc=example,dc=com';
    assert.equal(issuerOf(policy({ search })), issuer);
    assert.equal(issuerOf(policy({ dn: 'ou = people,dc=example, dc=COM', url: 'ldaps://elsewhere' })), issuer);
    assert.notEqual(issuerOf(policy({ dn: 'ou=people,dc=example,dc=org' })), issuer);
  });
});

describe('LDAP, DIGEST-MD5', () => {
  test('the example of RFC 2831 §4', () => {
    const challenge = readChallenge(
      Buffer.from('realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8'),
    );
    const { text, expectedProof } = answerTo(challenge, {
      user: 'chris',
      password: 'secret',
      realm: 'elwood.innosoft.com',
      uri: 'imap/elwood.innosoft.com',
      clientNonce: 'OA6MHXh6VqTrRk',
    });
    assert.match(text.toString(), /,response=d388dad90d4bbd760a152321f2143af7,/);
    assert.equal(expectedProof, 'ea40f60335c427b5527b84dbabcdfffd');
  });

  test('several realms, blanks, quoted pairs; without UTF-8 names are ISO 8859-1', () => {
    const text = ' realm="a \\"b\\"" , realm=c,, nonce="n" ,algorithm = "md5-sess", qop="auth-int, auth", maxbuf=65536';
    const challenge = readChallenge(Buffer.from(text));
    assert.deepEqual(challenge, { nonce: 'n', realms: ['a "b"', 'c'], isUtf8: false });
    const input = { password: 'x', realm: 'c', uri: 'ldap/x', clientNonce: 'y' };
    const answer = answerTo(challenge, { ...input, user: 'zoë "z"\\' }).text.toString('latin1');
    assert.match(answer, /^username="zoë \\"z\\"\\\\",realm="c",/);
    assert.throws(() => answerTo(challenge, { ...input, user: '花子' }), { failure: 'answer_invalid' });
  });
});
