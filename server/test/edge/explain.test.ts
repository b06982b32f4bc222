import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import Type, { type TSchema } from 'typebox';
import { Check } from 'typebox/schema';
import type { Problem } from '../../src/http/edge/schema-problem.ts';
import { lazyValidator } from '../../src/http/edge/validate.ts';

function problems(schema: TSchema, value: unknown): readonly Problem[] {
  const answer = lazyValidator(schema, 'body')(value);
  assert.ok('error' in answer);
  return answer.error.problems;
}

const client = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 5 }),
    kind: Type.Optional(Type.Union([Type.Literal('web'), Type.Literal('machine')])),
    note: Type.Optional(Type.Union([Type.String({ maxLength: 3 }), Type.Null()])),
    mode: Type.Optional(Type.Union([Type.Literal('a'), Type.Null()])),
    lifetime: Type.Optional(Type.Integer({ minimum: 1, exclusiveMaximum: 100 })),
    uris: Type.Optional(Type.Array(Type.String({ format: 'uri' }), { minItems: 1, maxItems: 2, uniqueItems: true })),
    metadata: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z]+$' }), Type.String(), { additionalProperties: false }),
    ),
    fixed: Type.Optional(Type.Literal(1)),
    id: Type.Optional(Type.String({ pattern: '^x' })),
  },
  { additionalProperties: false },
);

test('each kind of problem is told with its place and what the schema asks for', () => {
  const cases: [unknown, Problem][] = [
    [{}, { path: '', kind: 'required', name: 'name', expected: 'string', actual: 'undefined' }],
    [
      { name: 'n', extra: 1 },
      { path: '', kind: 'unknown', name: 'extra' },
    ],
    [{ name: 4 }, { path: 'name', kind: 'type', expected: 'string', actual: 'number' }],
    [null, { path: '', kind: 'type', expected: 'object', actual: 'null' }],
    [[], { path: '', kind: 'type', expected: 'object', actual: 'array' }],
    [{ name: '' }, { path: 'name', kind: 'minLength', limit: 1, actual: 'string' }],
    [{ name: 'abcdef' }, { path: 'name', kind: 'maxLength', limit: 5, actual: 'string' }],
    [
      { name: 'n', kind: 'x' },
      { path: 'kind', kind: 'enum', expected: 'string', actual: 'string', allowed: ['web', 'machine'] },
    ],
    [
      { name: 'n', note: 'long' },
      { path: 'note', kind: 'maxLength', limit: 3, actual: 'string' },
    ],
    [
      { name: 'n', note: 1 },
      { path: 'note', kind: 'type', expected: 'string | null', actual: 'number' },
    ],
    [
      { name: 'n', mode: 1 },
      { path: 'mode', kind: 'enum', expected: 'string | null', actual: 'number', allowed: ['a', null] },
    ],
    [
      { name: 'n', lifetime: 0 },
      { path: 'lifetime', kind: 'minimum', limit: 1, expected: '>= 1', actual: 'number' },
    ],
    [
      { name: 'n', lifetime: 100 },
      { path: 'lifetime', kind: 'maximum', limit: 100, expected: '< 100', actual: 'number' },
    ],
    [
      { name: 'n', lifetime: 1.5 },
      { path: 'lifetime', kind: 'type', expected: 'integer', actual: 'number' },
    ],
    [
      { name: 'n', uris: [] },
      { path: 'uris', kind: 'minItems', limit: 1, actual: 'array' },
    ],
    [
      { name: 'n', uris: ['a:b', 'a:c', 'a:d'] },
      { path: 'uris', kind: 'maxItems', limit: 2, actual: 'array' },
    ],
    [
      { name: 'n', uris: ['a:b', 'a:b'] },
      { path: 'uris', kind: 'uniqueItems', actual: 'array' },
    ],
    [
      { name: 'n', uris: ['a:b', '?'] },
      { path: 'uris.1', kind: 'format', expected: 'uri', actual: 'string' },
    ],
    [
      { name: 'n', metadata: { tier: 2 } },
      { path: 'metadata.tier', kind: 'type', expected: 'string', actual: 'number' },
    ],
    [
      { name: 'n', metadata: { '1': '' } },
      { path: 'metadata', kind: 'unknown', name: '1' },
    ],
    [
      { name: 'n', fixed: 2 },
      { path: 'fixed', kind: 'const', expected: 'number', actual: 'number', allowed: [1] },
    ],
    [
      { name: 'n', id: 'y' },
      { path: 'id', kind: 'pattern', expected: '^x', actual: 'string' },
    ],
  ];
  for (const [value, problem] of cases) assert.deepEqual(problems(client, value), [problem], JSON.stringify(value));
});

test('several problems are told at once, at most 20, with names safe to repeat', () => {
  const value = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`\n${'x'.repeat(100)}${index}`, 1]));
  const found = problems(client, value);
  assert.equal(found.length, 20);
  assert.equal(found[0]?.kind, 'required');
  assert.equal(found[1]?.name, 'x'.repeat(64));
});

test('a union of objects is explained by the branch whose fixed value matches', () => {
  const a = Type.Object({ type: Type.Literal('a'), size: Type.Integer() });
  const b = Type.Object({ type: Type.Literal('b'), name: Type.String() });
  const holder = Type.Object({ hook: Type.Union([a, b, Type.Null()]) });
  const size: Problem = { path: 'hook.size', kind: 'type', expected: 'integer', actual: 'string' };
  assert.deepEqual(problems(holder, { hook: { type: 'a', size: 'x' } }), [size]);
  const type: Problem = { path: 'hook.type', kind: 'enum', expected: 'string', actual: 'string', allowed: ['a', 'b'] };
  assert.deepEqual(problems(holder, { hook: { type: 'c' } }), [type]);
  const missing: Problem = { path: 'hook', kind: 'required', name: 'type', expected: 'string', actual: 'undefined' };
  assert.deepEqual(problems(holder, { hook: { size: 1, name: 'x' } }), [missing]);
  const other: Problem = { path: 'hook', kind: 'type', expected: 'object | null', actual: 'number' };
  assert.deepEqual(problems(holder, { hook: 1 }), [other]);
});

test('branches that can not be told apart are a problem of the union, parts of an intersection each their own', () => {
  const union = Type.Union([Type.String({ pattern: '^a' }), Type.String({ maxLength: 2 }), Type.Integer()]);
  const expected = 'string | integer';
  assert.deepEqual(problems(union, 'bcd'), [{ path: '', kind: 'union', expected, actual: 'string' }]);
  const both = Type.Intersect([Type.Object({ a: Type.Integer() }), Type.Object({ b: Type.Integer() })]);
  assert.deepEqual(
    problems(both, { a: 'x' }).map(({ kind }) => kind),
    ['type', 'required'],
  );
});

test('what can not be explained is one problem of the whole', () => {
  const tree = Type.Cyclic({ Node: Type.Object({ next: Type.Optional(Type.Ref('Node')) }) }, 'Node');
  assert.equal(Check(tree, { next: { next: {} } }), true);
  assert.deepEqual(problems(tree, { next: 1 }), [{ path: '', kind: 'other' }]);
  assert.deepEqual(problems({ type: 'object', properties: { a: false } }, { a: 1 }), [{ path: '', kind: 'other' }]);
});

test('any refused value has 1 to 20 problems and none of them holds a value of the request', () => {
  const secret = 'hunter2-';
  const leaf = fc.oneof(
    fc.string().map((text) => secret + text),
    fc.integer(),
    fc.constantFrom(null, true, 'web', ''),
  );
  const { any } = fc.letrec((tie) => ({
    any: fc.oneof({ withCrossShrink: true }, leaf, fc.array(tie('any'), { maxLength: 4 }), tie('object')),
    object: fc.dictionary(fc.constantFrom('name', 'kind', 'note', 'uris', 'metadata', 'fixed', 'q'), tie('any')),
  }));
  fc.assert(
    fc.property(any, (value) => {
      const answer = lazyValidator(client, 'body')(value);
      assert.equal('value' in answer, Check(client, value));
      if ('value' in answer) return;
      assert.ok(answer.error.problems.length >= 1 && answer.error.problems.length <= 20);
      assert.ok(!JSON.stringify([answer.error.problems, answer.error.message]).includes(secret));
    }),
    { numRuns: 500 },
  );
});

test('the explanation of a large body stays short', () => {
  const rows = Type.Array(
    Type.Object({ n: Type.Integer({ minimum: 0 }), s: Type.String({ minLength: 1, pattern: '^a' }) }),
  );
  const value = [...Array.from({ length: 100_000 }, () => ({ n: 1, s: 'a' })), 0];
  const begin = process.cpuUsage();
  assert.deepEqual(problems(rows, value), [{ path: '', kind: 'other' }]);
  // What other programs take of the machine meanwhile does not count.
  const { user, system } = process.cpuUsage(begin);
  assert.ok(user + system < 1_000_000, `${user + system} µs`);
});
