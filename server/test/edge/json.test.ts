import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../src/http/edge/json.ts';
import { DomainError } from '../../src/kernel/errors.ts';

const parse = (text: string) => parseJson(Buffer.from(text));

const refusal = (message: RegExp, path?: string) => (error: unknown) => {
  assert.ok(error instanceof DomainError);
  assert.equal(error.code, 'input.malformed');
  assert.match(error.message, message);
  assert.equal(error.path, path);
  return true;
};

const escaped = (name: string) =>
  `"${[...name].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;

test('a document reads as JSON.parse reads it, with and without white space and escapes', () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom('', ' ', '\t', '\r\n'), (text, space) => {
      fc.pre(!text.includes('\\u0000') && !text.includes('"__proto__"'));
      const value: unknown = JSON.parse(text);
      for (const written of [text, JSON.stringify(value, null, space), `${space}${text}${space}`]) {
        assert.deepEqual(parse(written), value);
      }
    }),
  );
});

test('the same document with one name repeated is refused, plain and escaped, at any place', () => {
  const name = fc.string({ minLength: 1 }).filter((key) => key !== '__proto__');
  const object = fc.dictionary(name, fc.jsonValue(), { minKeys: 1 });
  fc.assert(
    fc.property(object, fc.nat(), fc.boolean(), fc.nat(5), (members, pick, byEscapes, depth) => {
      fc.pre(!JSON.stringify(members).includes('"__proto__"'));
      const keys = Object.keys(members);
      const again = keys[pick % keys.length]!;
      const repeated = `${JSON.stringify(members).slice(0, -1)},${byEscapes ? escaped(again) : JSON.stringify(again)}:1}`;
      const text = `${'{"o":[0,'.repeat(depth)}${repeated}${']}'.repeat(depth)}`;
      assert.doesNotThrow(() => JSON.parse(text));
      const path = [...Array(depth).fill('o.1'), again].join('.');
      assert.throws(() => parse(text), refusal(/is repeated\.$/, path));
    }),
  );
});

test('the same name in sibling and nested objects is no repetition', () => {
  const text = '[{"a":{"a":1},"b":{"a":1}},{"a":[{"a":1},{"a":2}]},{"a":"a"}]';
  assert.deepEqual(parse(text), JSON.parse(text));
});

test('what is not RFC 8259 is refused, and nothing of it is quoted', () => {
  const texts = ['', ' ', '{', '[1,]', '{"a":1,}', '{a:1}', "{'a':1}", '// c\n1', '[1 2]', '01', '+1', 'NaN', '"\n"'];
  for (const text of [...texts, '"\\x"', '"\\u12"', '"a', ']', '{"a":"\0"}', '1}', '"\\', 'nul', '{"a" "a"}', '-']) {
    assert.throws(() => parse(text), refusal(/^The body is not valid JSON\.$/), text);
  }
  const quoted = (error: unknown) => error instanceof DomainError && error.cause === undefined;
  assert.throws(() => parse('{"client_secret": hunter2}'), quoted);
});

test('any bytes are read or refused as malformed, never anything else', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array)),
    fc
      .array(fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'u', '0', '-', 'e', ' '))
      .map((units) => Buffer.from(units.join(''))),
  );
  const attempt = (read: () => unknown) => {
    try {
      return { value: read() };
    } catch (error) {
      return { error };
    }
  };
  fc.assert(
    fc.property(bytes, (body) => {
      const { value, error } = attempt(() => parseJson(body));
      assert.ok(error === undefined || (error instanceof DomainError && error.code === 'input.malformed'));
      if (error === undefined) assert.deepEqual(value, JSON.parse(body.toString()));
    }),
    { numRuns: 2_000 },
  );
});

test('a byte order mark and bytes that are not UTF-8 are refused', () => {
  assert.throws(() => parseJson(Buffer.from([0xef, 0xbb, 0xbf, 0x31])), refusal(/byte order mark/));
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80]]) {
    assert.throws(() => parseJson(Buffer.from([0x22, ...bytes, 0x22])), refusal(/not valid UTF-8/));
  }
  assert.throws(() => parseJson(Buffer.from('"x"', 'utf16le')), DomainError);
});

test('names that could reach a prototype are refused, escaped too, and harmless ones are not', () => {
  assert.throws(() => parse('{"a":[{"__proto__":1}]}'), refusal(/not allowed/, 'a.0.__proto__'));
  assert.throws(() => parse('{"\\u005f_proto__":null}'), refusal(/not allowed/, '__proto__'));
  assert.throws(() => parse('{"constructor":{"prototype":{}}}'), refusal(/not allowed/, 'constructor.prototype'));
  for (const text of ['{"constructor":"x","prototype":1}', '{"constructor":[{"prototype":1}]}', '["__proto__"]']) {
    assert.deepEqual(parse(text), JSON.parse(text));
  }
});

test('NUL and lone surrogates are refused by path, in names and values', () => {
  assert.throws(() => parse('{"a":{"b":["","x\\u0000"]}}'), refusal(/NUL/, 'a.b.1'));
  assert.throws(() => parse('{"a\\u0000":1}'), refusal(/NUL/, 'a'));
  assert.throws(() => parse('{"a":"\\ud800"}'), refusal(/surrogate/, 'a'));
  assert.throws(() => parse('{"\\uDC00a":1}'), refusal(/surrogate/, '\ufffda'));
  assert.throws(() => parse('"\\u0000"'), refusal(/^The body holds a NUL/));
  assert.equal(parse('"\\ud83d\\ude00\\\\u0000"'), '😀\\u0000');
});

test('a number that overflows is refused by path; the largest double is not', () => {
  assert.throws(() => parse('{"a":[1,-1e309]}'), refusal(/too large/, 'a.1'));
  assert.throws(() => parse('9'.repeat(400)), refusal(/too large/));
  for (const none of ['--boundary-3e\r\n', '[1e5-2]', '-'.repeat(400)]) {
    assert.throws(() => parse(none), refusal(/not valid JSON/));
  }
  assert.deepEqual(parse('[1.7976931348623157e308,1e-400,-0.5E+1]'), [Number.MAX_VALUE, 0, -5]);
});

test('32 levels are read and 33 are not', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  assert.doesNotThrow(() => parse(nested(32)));
  assert.throws(() => parse(nested(33)), refusal(/deeper than 32/, Array(32).fill('0').join('.')));
  assert.doesNotThrow(() => parse(`[${nested(31)},${nested(31)}]`));
});

test('a hostile megabyte is refused or read in linear time', () => {
  const size = 1 << 20;
  const many = Array.from({ length: 80_000 }, (_, index) => `"k${index}":1`).join(',');
  const bodies = [
    '['.repeat(size),
    '{"a":'.repeat(size / 5),
    `"${'\\\\'.repeat(size / 2)}"`,
    `"${'\\'.repeat(size)}`,
    `{${many}}`,
  ];
  for (const text of bodies) {
    const start = process.cpuUsage();
    assert.doesNotThrow(() => {
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
      }
    });
    // Far above what it takes (under 100 ms), far below what anything quadratic would; other programs do not count.
    const { user, system } = process.cpuUsage(start);
    assert.ok(user + system < 1_000_000, `${user + system} µs`);
  }
});
