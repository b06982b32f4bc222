import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { lazyValidator } from '../../src/http/edge/validate.ts';

const schema = Type.Object({
  name: Type.String(),
  free: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  open: Type.Optional(Type.Object({ x: Type.Optional(Type.Number()) }, { additionalProperties: true })),
  bare: Type.Optional(Type.Object({})),
  any: Type.Optional(Type.Unknown()),
  inner: Type.Optional(Type.Union([Type.Object({ a: Type.Optional(Type.Number()) }), Type.Null()])),
  list: Type.Optional(Type.Array(Type.Object({ b: Type.Number() }))),
  both: Type.Optional(
    Type.Intersect([
      Type.Object({ c: Type.Optional(Type.Number()) }),
      Type.Object({ d: Type.Optional(Type.Number()) }),
    ]),
  ),
});

const validated = (body: unknown) => lazyValidator(schema, 'body')(body);

test('fields that the schema does not name are left out of a body, at any depth', () => {
  const body = {
    name: 'n',
    id: 'mine',
    free: { kept: { as: 'it is' } },
    open: { x: 1, kept: 2 },
    bare: { kept: 1 },
    any: { kept: [1] },
    inner: { a: 1, isOwner: true },
    list: [{ b: 1, tenantId: 'other' }],
    both: { c: 1, d: 2, e: 3 },
  };
  const given = structuredClone(body);
  assert.deepEqual(validated(body), {
    value: {
      name: 'n',
      free: { kept: { as: 'it is' } },
      open: { x: 1, kept: 2 },
      bare: { kept: 1 },
      any: { kept: [1] },
      inner: { a: 1 },
      list: [{ b: 1 }],
      both: { c: 1, d: 2 },
    },
  });
  assert.deepEqual(body, given);
});

test('what is not of the schema is refused as before, and names that objects inherit are no fields', () => {
  assert.ok('error' in validated({ name: 1 }));
  const hostile = JSON.parse('{"name":"n","__proto__":{"isOwner":true},"constructor":1}') as unknown;
  const { value } = validated(hostile) as { value: object };
  assert.deepEqual(Object.keys(value), ['name']);
  assert.equal((value as { isOwner?: unknown }).isOwner, undefined);
});

test('a query keeps what its schema does not name: a dialect reads families of names', () => {
  const query = lazyValidator(
    Type.Object({ page: Type.Optional(Type.Integer()) }),
    'querystring',
  )({ page: '2', 'search.name': 'a' });
  assert.deepEqual({ ...(query as { value: object }).value }, { page: 2, 'search.name': 'a' });
});
