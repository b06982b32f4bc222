import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emailIdentity, foldCase, usernameIdentity } from '../../src/domain/users/identity.ts';
import { assertPassword, hashPassword, passwordMatches } from '../../src/domain/users/passwords.ts';
import { systemRandom } from '../../src/kernel/random.ts';

test('a folded text folds to itself, and so do its other cases and compositions', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const folded = foldCase(text);
      assert.equal(foldCase(folded), folded);
      for (const other of [text.toUpperCase(), text.toLowerCase(), text.normalize('NFD'), text.normalize('NFKC')]) {
        assert.equal(foldCase(other), folded, `${JSON.stringify(text)} and ${JSON.stringify(other)}`);
      }
    }),
    { numRuns: 2000 },
  );
});

test('what is accepted as an identity is accepted again in the form it is shown in, as the same one', () => {
  const again = (read: typeof emailIdentity, text: string) => {
    let once: ReturnType<typeof emailIdentity>;
    try {
      once = read(text);
    } catch {
      return;
    }
    assert.deepEqual(read(once.shown), once);
    assert.equal(read(text.toUpperCase()).key, once.key);
  };
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      again(usernameIdentity, text);
      again(emailIdentity, `${text}@example.com`);
    }),
    { numRuns: 1000 },
  );
});

test('a password matches its own hash only, to its last character and however its letters are composed', async () => {
  const long = 'x'.repeat(100);
  const hash = await hashPassword(systemRandom, `${long}é`);
  assert.ok(await passwordMatches(`${long}e\u0301`, hash));
  assert.equal(await passwordMatches(`${long}e`, hash), false);
  assert.equal(await passwordMatches(long, hash), false);
  assert.equal(await passwordMatches('x', 'not a hash'), false);
  assert.notEqual(await hashPassword(systemRandom, `${long}é`), hash);
  assert.throws(() => assertPassword('seven77'), { code: 'input.invalid', path: 'password' });
});

test('the host of an e-mail address is a host and nothing else', () => {
  for (const host of [
    'a.example/x',
    'a.example?x',
    'a.example#b.example',
    'a%2eexample',
    'a.example\\x',
    'a.example:1',
  ]) {
    assert.throws(() => emailIdentity(`jane@${host}`), { code: 'input.invalid', path: 'email' }, host);
  }
  assert.equal(emailIdentity('jane@Bücher.example').key, 'jane@xn--bcher-kva.example');
});
