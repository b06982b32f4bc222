/** What a provider that lies tells about a person: by its user info, and beside it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { UpstreamFailure } from '../../../src/upstream/identity.ts';
import { type Liar, type Lies, type Members, startLiar } from '../../labs/liar.ts';
import { json } from '../../labs/liar-answers.ts';
import { jwkOf, newKey, signed, unsigned } from '../../labs/liar-tokens.ts';
import { refusedWith, signInWith } from './support.ts';

describe('what a provider tells about a person', () => {
  let liar: Liar;
  before(async () => {
    liar = await startLiar();
  });
  after(() => liar.close());

  const signIn = (lies: Lies) => signInWith(liar, lies);
  const refused = (lies: Lies, expected: UpstreamFailure = 'answer_invalid') => refusedWith(liar, lies, expected);

  test('the user info is of the same person, or of nobody', async () => {
    for (const sub of ['person-2', 'PERSON-1', 'person-1 ', '', undefined, 1, null]) {
      await refused({ userInfo: (truth) => ({ ...truth, sub }) });
    }
    await refused({ answers: { userinfo: json(['person-1']) } });
    await refused({ answers: { userinfo: { status: 401 } } });
    await refused({ answers: { userinfo: { status: 502 } } }, 'unavailable');
  });

  test('user info in a JWT is signed by the provider, or of nobody', async () => {
    const asJwt = (token: string): Lies => ({
      answers: { userinfo: { status: 200, headers: { 'content-type': 'application/jwt' }, body: token } },
    });
    const claims = { sub: 'person-1', email: 'jwt@example.com' };
    assert.equal((await signIn(asJwt(signed(liar.key, claims)))).email, 'jwt@example.com');
    await refused(asJwt(signed(newKey(), claims)));
    await refused(asJwt(unsigned(claims)));
    await refused(asJwt(signed(liar.key, { ...claims, sub: 'person-2' })));
    const another = newKey('RS256', { kid: 'k2' });
    await refused({ ...asJwt(signed(another, claims)), keys: ([key]) => [key, { ...jwkOf(another), use: 'enc' }] });
  });

  test('an address is verified by nothing but true, said of that very address', async () => {
    for (const email_verified of ['true', 1, '1', 'yes', {}, [true], null, undefined, false]) {
      const { email, emailVerified } = await signIn({ userInfo: (truth) => ({ ...truth, email_verified }) });
      assert.deepEqual([email, emailVerified], ['person@example.com', false], JSON.stringify(email_verified));
    }
    for (const [email_verified, expected] of [
      ['true', true],
      [undefined, true],
      ['false', false],
      [false, false],
    ] as const) {
      const lies: Lies = { userInfo: (truth) => ({ ...truth, email_verified }) };
      const { emailVerified } = await signInWith(liar, lies, { emailIsVerified: true });
      assert.equal(emailVerified, expected, String(email_verified));
    }
    // The ID token's word is about an address that it does not name.
    const mixed = await signIn({
      claims: (truth) => ({ ...truth, email_verified: true }),
      userInfo: (truth) => ({ ...truth, email: 'victim@example.com', email_verified: false }),
    });
    assert.deepEqual(
      [mixed.email, mixed.emailVerified, mixed.claims.email_verified],
      ['victim@example.com', false, false],
    );
    const signedOne = await signIn({
      claims: (truth) => ({ ...truth, email: 'signed@example.com', email_verified: false }),
      userInfo: (truth) => ({ ...truth, email: 'other@example.com' }),
    });
    assert.deepEqual([signedOne.email, signedOne.emailVerified], ['signed@example.com', false]);
  });

  test('odd values are left out, and none reaches a prototype', async () => {
    const { claims, ...person } = await signIn({
      userInfo: () =>
        JSON.parse(
          '{"sub":"person-1","__proto__":{"email":"x@y.z","email_verified":true},"email":"no address","name":7,' +
            '"given_name":"a\\u0000b","family_name":"\\ud800","picture":"javascript:alert(1)","groups":["a",7,"",null,{"b":1}],' +
            `"preferred_username":"${'x'.repeat(256)}","long":"${'y'.repeat(5000)}"}`,
        ),
    });
    assert.deepEqual(person, {
      issuer: liar.issuer,
      subject: 'person-1',
      email: null,
      emailVerified: false,
      username: null,
      name: null,
      givenName: null,
      familyName: null,
      picture: null,
      groups: ['a'],
      amr: [],
    });
    assert.deepEqual([claims.long, Object.keys(claims).includes('__proto__')], [undefined, false]);
    assert.equal(({} as Members).email, undefined);
  });

  test('nesting without end is no way to bring us down', async () => {
    const body = `{"sub":"person-1","deep":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    await refused({ answers: { userinfo: { status: 200, headers: { 'content-type': 'application/json' }, body } } });
  });
});
