import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseForm, parseQuery } from '../../src/http/edge/form.ts';
import { DomainError } from '../../src/kernel/errors.ts';

const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''));
const pairs = fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name, maxLength: 100 });

const refusal = (message: RegExp, path?: string) => (error: unknown) => {
  assert.ok(error instanceof DomainError);
  assert.equal(error.code, 'input.malformed');
  assert.match(error.message, message);
  assert.equal(error.path, path);
  return true;
};

test('a form written by URLSearchParams reads back as it was, from bytes and from a string', () => {
  fc.assert(
    fc.property(pairs, (entries) => {
      const written = new URLSearchParams(entries).toString();
      assert.deepEqual([...parseForm(written)], entries);
      assert.deepEqual([...parseForm(Buffer.from(written))], entries);
    }),
  );
});

test('whatever is accepted reads as URLSearchParams reads it', () => {
  const pieces = fc.constantFrom('a', 'b', 'é', '=', '&', '+', '%', '%41', '%C3%A9', '%e2%82%ac', '%2B', '%26', '%3d');
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const written = parts.join('');
      let read: Map<string, string>;
      try {
        read = parseForm(Buffer.from(written));
      } catch (error) {
        assert.ok(error instanceof DomainError);
        return;
      }
      accepted += 1;
      assert.deepEqual([...read], [...new URLSearchParams(written)]);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(accepted > 200);
});

test('any bytes are read or refused as malformed, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        parseForm(Buffer.from(bytes));
      } catch (error) {
        assert.ok(error instanceof DomainError && error.code === 'input.malformed');
      }
    }),
    { numRuns: 1_000 },
  );
});

test('a repeated name is refused by its name, however it is written', () => {
  assert.throws(() => parseForm('x=1&y=2&x=3'), refusal(/^The parameter "x" is repeated\.$/, 'x'));
  assert.throws(() => parseForm('scope=a&sc%6fpe=b'), refusal(/repeated/, 'scope'));
  assert.throws(() => parseForm('a&a='), refusal(/repeated/, 'a'));
});

test('a name in an error is cut at 64 characters and stripped of controls', () => {
  const name = `a%0d%0a%1b%e2%80%ae${'%F0%9F%98%80'.repeat(250)}`;
  assert.throws(() => parseForm(`${name}=1&${name}=2`), refusal(/repeated/, `a${'😀'.repeat(63)}`));
});

test('what is not UTF-8 is refused, raw and percent-encoded', () => {
  for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
    assert.throws(() => parseForm(Buffer.concat([Buffer.from('a='), Buffer.from(bytes)])), refusal(/not valid UTF-8/));
    const encoded = bytes.map((byte) => `%${byte.toString(16)}`).join('');
    assert.throws(() => parseForm(`a=${encoded}`), refusal(/percent-encoded UTF-8/, 'a'));
    assert.throws(() => parseForm(`${encoded}=a`), refusal(/percent-encoded UTF-8/));
  }
});

test('broken percent-encoding is refused', () => {
  for (const value of ['%', '%4', '%zz', '%u0041', '100%']) {
    assert.throws(() => parseForm(`a=${value}`), refusal(/percent-encoded/, 'a'));
  }
});

test('a NUL is refused by the name of its parameter', () => {
  for (const body of ['a=x%00', 'a=\0']) assert.throws(() => parseForm(body), refusal(/NUL/, 'a'));
  assert.throws(() => parseForm('a%00b=1'), refusal(/NUL/, 'ab'));
  assert.equal(parseForm('a=%2500').get('a'), '%00');
});

test('250 parameters are read and 251 are not', () => {
  const body = (count: number) => Array.from({ length: count }, (_, index) => `p${index}=1`).join('&');
  assert.equal(parseForm(body(250)).size, 250);
  assert.throws(() => parseForm(body(251)), refusal(/more than 250/));
  assert.throws(() => parseQuery('a&'.repeat(251)), refusal(/more than 250/));
});

test('a string stands for part of a URL: a character outside ASCII is refused', () => {
  assert.throws(() => parseForm('a=é'), refusal(/percent-encoded/));
  assert.equal(parseForm(Buffer.from('a=é')).get('a'), 'é');
});

test('a query keeps repeated names as arrays, in order, and any name is only a name', () => {
  const query = parseQuery('a=1&b=x+y&a=2&__proto__=p&a=3&constructor=c&c');
  assert.equal(Object.getPrototypeOf(query), null);
  assert.deepEqual(Object.entries(query), [
    ['a', ['1', '2', '3']],
    ['b', 'x y'],
    ['__proto__', 'p'],
    ['constructor', 'c'],
    ['c', ''],
  ]);
  assert.deepEqual(Object.keys(parseQuery('')), []);
});
