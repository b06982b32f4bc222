import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { subjectOf } from '../../src/kernel/client-certificates.ts';
import { canonicalName } from '../../src/kernel/distinguished-name.ts';
import { certificate } from '../token/client-certificates.ts';

describe('distinguished names', () => {
  const same: [canonical: string, written: string[]][] = [
    [
      'CN=Steve Kille,O=Isode Limited,C=GB',
      ['cn=Steve Kille, o=Isode Limited ,C=GB', '2.5.4.3=Steve Kille,O=Isode Limited,C=GB'],
    ],
    ['CN=J. Smith+OU=Sales,DC=example,DC=net', ['OU=Sales+CN=J. Smith,DC=example,DC=net']],
    ['CN=James \\"Jim\\" Smith\\, III', ['CN=James \\22Jim\\22 Smith\\2C III', 'CN=James \\"Jim\\" Smith\\, III']],
    ['CN=Before\\0dAfter', ['CN=Before\\0DAfter']],
    ['1.3.6.1.4.1.1466.0=Test', ['1.3.6.1.4.1.1466.0=#0c0454657374', '1.3.6.1.4.1.1466.0=#130454657374']],
    ['CN=Lučić', ['CN=Lu\\C4\\8Di\\C4\\87']],
    ['CN=\\#a', ['CN=\\#a', 'CN=\\23a']],
    ['CN=\\ a\\ ', ['CN=\\ a\\ ', 'CN=\\20a\\20', 'CN= \\ a\\ ']],
    ['CN=#0101ff', ['CN=#0101FF']],
    ['emailAddress=a@b.example', ['EMAILADDRESS=a@b.example', '1.2.840.113549.1.9.1=a@b.example']],
  ];
  for (const [canonical, written] of same) {
    test(`${canonical} however it is written`, () => {
      for (const text of [canonical, ...written]) assert.equal(canonicalName(text), canonical, text);
    });
  }

  test('what is no name is none', () => {
    const none = [
      '',
      ' ',
      'CN',
      'CN=',
      'CN= ',
      '=a',
      'CN=a,',
      'CN=a,,O=b',
      'CN=a+',
      'CN="a"',
      'CN=a;O=b',
      'CN=a\\',
      'CN=a\\x',
    ];
    const further = [
      'CN=#0',
      'CN=#',
      'CN=#zz',
      'XX=a',
      '1=a',
      '1.02=a',
      'CN=a<b',
      'CN=\\00',
      'CN=\\ff',
      '/C=JP/CN=a',
      'CN=#0c01 x',
    ];
    for (const text of [...none, ...further]) assert.equal(canonicalName(text), undefined, JSON.stringify(text));
  });

  const values = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 20 })
    .filter((text) => text.isWellFormed() && !text.includes('\0'));
  const types = fc.constantFrom('CN', 'O', 'OU', 'L', 'ST');

  test('a name of a certificate, written as canonical text and read again, is the same; two names are two texts', async () => {
    const names = fc.array(fc.tuple(types, values), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(names, names, async (one, two) => {
        const [first, second] = await Promise.all(
          [one, two].map(async (parts) => {
            const name = parts.map(([type, value]) => ({ [type]: [{ utf8String: value }] }));
            const { cert } = await certificate({ name: name as never });
            return subjectOf(new X509Certificate(cert));
          }),
        );
        assert.ok(first !== undefined && second !== undefined);
        assert.equal(canonicalName(first), first);
        assert.equal(first === second, JSON.stringify(one) === JSON.stringify(two));
      }),
      { numRuns: 60 },
    );
  });

  test('any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const canonical = canonicalName(text);
        if (canonical !== undefined) assert.equal(canonicalName(canonical), canonical);
      }),
    );
  });

  test('how a text is encoded does not matter: printable, UTF-8, two bytes a character', async () => {
    const subjects = await Promise.all(
      ([{ printableString: 'Abc' }, { utf8String: 'Abc' }, { bmpString: 'Abc' }, { ia5String: 'Abc' }] as const).map(
        async (value) => subjectOf(new X509Certificate((await certificate({ name: [{ CN: [value as never] }] })).cert)),
      ),
    );
    assert.deepEqual(new Set(subjects), new Set(['CN=Abc']));
  });
});
