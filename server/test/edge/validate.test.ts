import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import Type, { type TSchema } from 'typebox';
import { type Problem, type RequestPart, SchemaProblem } from '../../src/http/edge/schema-problem.ts';
import { lazyValidator } from '../../src/http/edge/validate.ts';

function problems(schema: TSchema, value: unknown, part: RequestPart = 'body'): readonly Problem[] {
  const answer = lazyValidator(schema, part)(value);
  assert.ok('error' in answer);
  assert.equal(answer.error.part, part);
  return answer.error.problems;
}

function accepted(schema: TSchema, value: unknown, part: RequestPart = 'body'): unknown {
  const answer = lazyValidator(schema, part)(value);
  assert.ok('value' in answer);
  return answer.value;
}

const client = Type.Object({ name: Type.String() });

const query = Type.Object(
  {
    page: Type.Optional(Type.Integer({ minimum: 0 })),
    ratio: Type.Optional(Type.Number()),
    all: Type.Optional(Type.Boolean()),
    text: Type.Optional(Type.String()),
    loose: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
    since: Type.Optional(Type.Union([Type.Integer(), Type.Literal('start')])),
    ids: Type.Optional(Type.Array(Type.Integer())),
    size: Type.Optional(Type.Integer({ default: 50 })),
  },
  { additionalProperties: false },
);

test('a schema is compiled at the first request, not before', () => {
  let reads = 0;
  const get = (target: TSchema, key: PropertyKey): unknown => {
    if (key === 'type') reads += 1;
    return Reflect.get(target, key);
  };
  const counted = new Proxy(Type.Object({}), { get });
  const check = lazyValidator(counted, 'body');
  assert.equal(reads, 0);
  check({});
  const compiled = reads;
  assert.ok(compiled > 0);
  check({});
  assert.equal(reads, compiled);
});

test('a query is coerced where the schema asks for it, and nothing else is changed', () => {
  const given = { page: '10', ratio: '-3', all: 'true', text: '5', loose: '5', since: 'start', ids: '7' };
  const value = { page: 10, ratio: -3, all: true, text: '5', loose: '5', since: 'start', ids: [7] };
  const before = structuredClone(given);
  for (const part of ['querystring', 'params'] as const)
    assert.deepEqual({ ...(accepted(query, given, part) as object) }, value);
  assert.deepEqual(given, before);
  assert.deepEqual(
    { ...(accepted(query, { since: '12', ids: ['1', '2'], all: 'false' }, 'querystring') as object) },
    { since: 12, ids: [1, 2], all: false },
  );
  assert.deepEqual(accepted(query, {}), {});
});

test('a query with anything but a clean integer or boolean is refused', () => {
  for (const text of ['', ' 1', '01', '+1', '1.0', '1e3', '0x1', '-0', '١', '9999999999999999', 'null', '1\n']) {
    const expected = [{ path: 'page', kind: 'type', expected: 'integer', actual: 'string' }];
    assert.deepEqual(problems(query, { page: text }, 'querystring'), expected, text);
  }
  for (const text of ['1', 'TRUE', '']) assert.equal(problems(query, { all: text }, 'querystring')[0]?.kind, 'type');
  assert.equal(problems(query, { page: ['1', '2'] }, 'querystring')[0]?.actual, 'array');
});

test('bodies and headers are never coerced', () => {
  for (const part of ['body', 'headers'] as const) assert.equal(problems(query, { page: '1' }, part)[0]?.kind, 'type');
});

test('the error handler of Fastify gets the SchemaProblem itself', async () => {
  const server = fastify();
  server.setValidatorCompiler<TSchema>(({ schema, httpPart }) => lazyValidator(schema, httpPart as RequestPart));
  server.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof SchemaProblem)) return reply.code(500).send({ name: (error as Error).name });
    return reply.code(400).send({ part: error.part, problems: error.problems });
  });
  const schema = { body: client, querystring: query };
  server.post('/', { schema }, (request) => ({ query: request.query, body: request.body }));
  const send = async (url: string, payload?: object) =>
    (await server.inject({ method: 'POST', url, ...(payload && { payload }) })).json();
  assert.deepEqual(await send('/?page=2', { name: 'n' }), { query: { page: 2 }, body: { name: 'n' } });
  const required = { path: '', kind: 'required', name: 'name', expected: 'string', actual: 'undefined' };
  assert.deepEqual(await send('/', {}), { part: 'body', problems: [required] });
  const page = { path: 'page', kind: 'minimum', limit: 0, expected: '>= 0', actual: 'number' };
  assert.deepEqual(await send('/?page=-1', { name: 'n' }), { part: 'querystring', problems: [page] });
  assert.deepEqual((await send('/')).problems, [{ path: '', kind: 'type', expected: 'object', actual: 'null' }]);
  await server.close();
});
