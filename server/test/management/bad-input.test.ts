import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { surfaceOf } from '../../../scripts/scopes.ts';
import { hasType, type SchemaNode, types } from '../../src/http/edge/schema-node.ts';
import { exampleOf, type Json } from '../../src/http/native/openapi/schemas.ts';
import type { RouteEntry } from '../../src/http/route-list.ts';
import { type Engine, eachEngine, startServer, type TestServer } from '../harness.ts';
import { forAll, type RawAnswer, rawBytes, rawRequest, withoutLimits } from './support.ts';

const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'pem', type: 'spki' });

/** What each engine answered to what, to compare the two at the end. */
const answers: Record<Engine, Map<string, string>> = { sqlite: new Map(), postgres: new Map() };

const json = { 'content-type': 'application/json' };
const named = ({ method, path }: RouteEntry): string => `${method} ${path}`;
/** The accounts API: its errors are OAuth's, with the field beside. */
const isAccounts = (path: string): boolean => /^\/api\/(accounts(\/|$)|applications\/[^/]+\/users)/.test(path);
const bodyOf = (route: RouteEntry): SchemaNode | undefined => route.schema?.body as SchemaNode | undefined;

/** Bodies that are wrong at any route, as bytes. */
const brokenBodies: Record<string, string | Uint8Array> = {
  'an array': '[]',
  'an array of an object': '[{"name":"x"}]',
  'a string': '"text"',
  'a number': '7',
  'a boolean': 'true',
  'not JSON': '{name: "x"}',
  'a cut object': '{"name":"x"',
  'a trailing comma': '{"name":"x",}',
  'a comment': '{"name":"x"/* y */}',
  'two documents': '{"name":"x"}{"name":"y"}',
  'a repeated name': '{"name":"x","name":"y"}',
  'a name repeated with an escape': '{"name":"x","n\\u0061me":"y"}',
  'a repeated name inside': '{"client_metadata":{"a":"1","a":"2"}}',
  __proto__: '{"__proto__":{"name":"x"}}',
  'an escaped __proto__': '{"\\u005f_proto__":{"name":"x"}}',
  '__proto__ inside': '{"client_metadata":{"__proto__":"x"}}',
  'constructor.prototype': '{"constructor":{"prototype":{"name":"x"}}}',
  'a NUL in a value': '{"name":"a\\u0000b"}',
  'a raw NUL in a value': '{"name":"a\u0000b"}',
  'a NUL in a name': '{"na\\u0000me":"x"}',
  'a lone surrogate': '{"name":"\\ud800"}',
  'a lone surrogate, the other half': '{"name":"a\\udc00b"}',
  'a byte order mark': '\ufeff{"name":"x"}',
  'invalid UTF-8': Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
  'an overlong form': Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
  'a surrogate in UTF-8': Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
  'UTF-16': Buffer.from('{"name":"x"}', 'utf16le'),
  'depth 100': `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`,
  'depth 100 000': `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  'a number without end': '{"token_lifetime":1e400}',
};

eachEngine('bad input at the management APIs', (engine) => {
  let server: TestServer;
  let routes: RouteEntry[];
  let tokens: Record<string, string>;
  let ids: Record<string, string>;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    routes = (await server.composed.server.routes()).filter(({ path }) => surfaceOf(path) !== undefined);
    tokens = { '/api/v2': await server.managementToken(), '/api': await server.managementToken(server.nativeAudience) };
    const { apiId, clientId, grantId, audience } = await server.machine();
    const key = { credential_type: 'public_key', pem };
    const credential = await server.manage('POST', `/clients/${clientId}/credentials`, key);
    await server.request('POST', '/api/tenants', { token: tokens['/api'] as string, json: { id: 'input' } });
    ids = {
      '/api/v2/clients': clientId,
      '/api/v2/client-grants': grantId,
      '/api/v2/resource-servers': apiId,
      '/api/tenants': 'input',
      credential: credential.id,
      audience,
    };
  });
  after(() => server.close());

  const tokenOf = (path: string): string => tokens[surfaceOf(path)?.path ?? ''] as string;
  const isAuth0 = (path: string): boolean => surfaceOf(path)?.path === '/api/v2';

  /** The route's path with ids of things that are there, where this file makes such things. */
  const pathOf = ({ path }: RouteEntry): string =>
    path
      .replace(/^(.*?)\/:id/, (_all, prefix: string) => `${prefix}/${ids[prefix] ?? 'nothing'}`)
      .replace(':credential', ids.credential as string)
      .replace(/:[a-z]+/g, 'nothing');

  /** The least a route takes, so that only what is tried is wrong. */
  const leastBody = (route: RouteEntry): Record<string, unknown> => {
    const known: Record<string, Record<string, unknown>> = {
      'POST /api/v2/clients/:id/credentials': { credential_type: 'public_key', pem },
      'POST /api/v2/client-grants': { client_id: ids['/api/v2/clients'], audience: ids.audience },
      'POST /api/v2/resource-servers': { identifier: 'https://never-made.example' },
      'POST /api/tenants': { id: 'never-made' },
    };
    const schema = bodyOf(route) ?? {};
    const example = (isAuth0(route.path) ? {} : exampleOf(schema as Json)) as Record<string, unknown>;
    const required = schema.required ?? [];
    return known[named(route)] ?? Object.fromEntries(required.map((name) => [name, example[name] ?? 'x']));
  };

  /** A body that the schema does not take; none where it takes every object. */
  const misfitOf = (route: RouteEntry): string | undefined => {
    const fields = Object.entries(bodyOf(route)?.properties ?? {}).filter(([, schema]) => types(schema).length > 0);
    const values = fields.map(([field, schema]) => [field, [7, 'x', []].find((sample) => !hasType(schema, sample))]);
    const wrong = Object.fromEntries(values.filter(([, value]) => value !== undefined));
    if (Object.keys(wrong).length === 0 && !isAuth0(route.path)) return undefined;
    return JSON.stringify({ unknown_field: 1, ...wrong });
  };

  const send = (route: RouteEntry, body: string | Uint8Array, headers: Record<string, string> = json) =>
    rawRequest(server, route.method, pathOf(route), { token: tokenOf(route.path), headers, body });

  /** A refusal of ours: 4xx, in the dialect's own shape, the same on both engines. */
  function assertRefusal(path: string, what: string, answer: RawAnswer, statuses: readonly number[]): void {
    assert.ok(statuses.includes(answer.status), `${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
    if (isAuth0(path)) {
      assert.match(String(answer.headers['content-type']), /^application\/json/, what);
      assert.equal(answer.body.statusCode, answer.status, `${what}: ${answer.text}`);
      assert.equal(typeof answer.body.error, 'string', what);
      assert.equal(typeof answer.body.message, 'string', what);
    } else if (isAccounts(path)) {
      assert.match(String(answer.headers['content-type']), /^application\/json/, what);
      assert.equal(typeof answer.body.error, 'string', `${what}: ${answer.text}`);
      assert.equal(typeof answer.body.error_description, 'string', what);
    } else {
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, what);
      assert.equal(answer.body.status, answer.status, `${what}: ${answer.text}`);
      assert.equal(answer.body.detail, answer.body.message, what);
    }
    assert.ok(answer.text.length < 10_000, `${what}: an answer is short`);
    answers[engine].set(what, `${answer.status} ${answer.text.replaceAll(String(server.port), 'PORT')}`);
  }

  /** Where an answer names the field at fault. */
  const placeIn = (path: string, { body }: RawAnswer): string =>
    isAuth0(path) ? body.message : String(isAccounts(path) ? body.field : body.data.path);

  const writes = () => routes.filter((route) => bodyOf(route) !== undefined);

  /** A legitimate request of the same kind still works. */
  async function assertAlive(): Promise<void> {
    const client = await server.manage('POST', '/clients', { name: 'After it all' });
    await server.manage('DELETE', `/clients/${client.client_id}`);
  }

  test('a body that is no well-formed JSON object is refused by every route that takes one', async () => {
    const before = await server.stateHash();
    await forAll(writes(), async (route) => {
      for (const [what, body] of Object.entries(brokenBodies)) {
        assertRefusal(route.path, `${named(route)}: ${what}`, await send(route, body), [400]);
      }
      if (!hasType(bodyOf(route) as SchemaNode, null)) {
        assertRefusal(route.path, `${named(route)}: null`, await send(route, 'null'), [400]);
      }
    });
    assert.equal(await server.stateHash(), before);
    await assertAlive();
  });

  test('an unknown field is refused by name on /api/v2', async () => {
    const before = await server.stateHash();
    for (const route of writes().filter(({ path }) => isAuth0(path))) {
      for (const field of [
        'unknown',
        'constructor',
        'toString',
        'hasOwnProperty',
        'client_id ',
        'tenant_id',
        'ｎame',
      ]) {
        const answer = await send(route, JSON.stringify({ ...leastBody(route), [field]: 'x' }));
        assertRefusal(route.path, `${named(route)}: unknown ${field}`, answer, [400]);
        assert.equal(answer.body.errorCode, 'invalid_body', answer.text);
        assert.ok(answer.body.message.includes(`Additional properties not allowed: ${field}`), answer.text);
      }
    }
    assert.equal(await server.stateHash(), before);
  });

  test('a field of the wrong type is refused by name, for every field of every route', async () => {
    const samples: unknown[] = ['text', 12.5, true, null, [], [[]], {}];
    const before = await server.stateHash();
    let tried = 0;
    await forAll(writes(), async (route) => {
      for (const [field, schema] of Object.entries(bodyOf(route)?.properties ?? {})) {
        if (types(schema).length === 0) continue;
        for (const value of samples.filter((sample) => !hasType(schema, sample))) {
          const what = `${named(route)}: ${field} = ${JSON.stringify(value)}`;
          const answer = await send(route, JSON.stringify({ ...leastBody(route), [field]: value }));
          assertRefusal(route.path, what, answer, [400]);
          const place = placeIn(route.path, answer);
          assert.ok(place.includes(field), `${what}: names the field: ${answer.text}`);
          tried += 1;
        }
      }
    });
    assert.ok(tried > 200);
    assert.equal(await server.stateHash(), before);
  });

  test('text of almost a megabyte is refused by name, for every text field of every route', async () => {
    const long = 'x'.repeat(900_000);
    const before = await server.stateHash();
    for (const route of writes()) {
      for (const [field, schema] of Object.entries(bodyOf(route)?.properties ?? {})) {
        if (!types(schema).includes('string')) continue;
        const what = `${named(route)}: 900 000 characters of ${field}`;
        const answer = await send(route, JSON.stringify({ ...leastBody(route), [field]: long }));
        assertRefusal(route.path, what, answer, [400]);
        const place = placeIn(route.path, answer);
        assert.ok(place.includes(field), `${what}: ${answer.text}`);
      }
    }
    assert.equal(await server.stateHash(), before);
    await assertAlive();
  });

  test('a body of more than a megabyte: 413', async () => {
    const before = await server.stateHash();
    for (const route of writes()) {
      const answer = await send(route, JSON.stringify({ ...leastBody(route), name: 'x'.repeat(1_100_000) }));
      assertRefusal(route.path, `${named(route)}: 1.1 MB`, answer, [413]);
    }
    assert.equal(await server.stateHash(), before);
    await assertAlive();
  });

  test('no spelling of the content type gets a wrong body past the schema', async () => {
    const spellings = [
      'application/json\t;x',
      'application/json ;',
      'application/json;',
      'application/json ; charset=utf-8',
      'APPLICATION/JSON',
      'Application/Json; Charset=UTF-8',
      'application/json;charset=utf-7',
      'application/json;charset=utf-16',
      'application/json, text/plain',
      'application/json\t',
      'application/problem+json',
      'application/x-json',
      'application/jsonx',
      'text/json',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      'application/octet-stream',
      'x',
      '/',
      '*/*',
    ];
    const before = await server.stateHash();
    await forAll(writes(), async (route) => {
      const misfit = misfitOf(route);
      for (const type of spellings) {
        const headers = { 'content-type': type };
        if (misfit !== undefined) {
          const wrong = await send(route, misfit, headers);
          assertRefusal(route.path, `${named(route)}: ${JSON.stringify(type)}`, wrong, [400, 415]);
        }
        const broken = await send(route, '{"name":"a\\u0000b","name":"c"}', headers);
        assertRefusal(route.path, `${named(route)}: ${JSON.stringify(type)}, repeated`, broken, [400, 415]);
      }
      for (const type of ['text/plain', 'text/json', 'application/octet-stream', 'application/x-www-form-urlencoded']) {
        const valid = await send(route, JSON.stringify(leastBody(route)), { 'content-type': type });
        assertRefusal(route.path, `${named(route)}: a valid body as ${type}`, valid, [415]);
      }
    });
    assert.equal(await server.stateHash(), before);
    await assertAlive();
  });

  test('lists of more than they may hold, and items that are none', async () => {
    const scopes = (count: number) => Array.from({ length: count }, (_, index) => ({ value: `read:${index}` }));
    const values = (count: number) => scopes(count).map(({ value }) => value);
    const api = `/api/v2/resource-servers/${ids['/api/v2/resource-servers']}`;
    const grant = `/api/v2/client-grants/${ids['/api/v2/client-grants']}`;
    const client = `/api/v2/clients/${ids['/api/v2/clients']}`;
    const cases: [string, unknown, RegExp][] = [
      [api, { scopes: scopes(1001) }, /scopes/],
      [api, { scopes: scopes(20_000) }, /scopes/],
      [api, { scopes: [{ value: 'a' }, { value: 'a' }] }, /scopes\.1/],
      [api, { scopes: [{ value: 'a b' }] }, /scopes\.0/],
      [api, { scopes: [{ value: '' }] }, /scopes\.0/],
      [api, { scopes: [{ value: 'a"b' }] }, /scopes\.0/],
      [api, { scopes: [{ value: 'é' }] }, /scopes\.0/],
      [api, { scopes: [{ value: 'x'.repeat(281) }] }, /scopes\.0/],
      [api, { scopes: [{ description: 'no value' }] }, /scopes\.0|value/],
      [api, { scopes: ['read:a'] }, /scopes\.0/],
      [api, { scopes: [{ value: 'a', extra: 1 }] }, /extra/],
      [grant, { scope: values(1001) }, /scope/],
      [grant, { scope: values(50_000) }, /scope/],
      [grant, { scope: ['not:there'] }, /scope\.0/],
      [grant, { scope: ['__proto__'] }, /scope\.0/],
      [grant, { scope: ['constructor'] }, /scope\.0/],
      [grant, { scope: [7] }, /scope\.0/],
      [grant, { scope: [''] }, /scope\.0/],
      [client, { callbacks: Array.from({ length: 101 }, () => 'https://a.example') }, /callbacks/],
      [client, { grant_types: Array.from({ length: 51 }, (_, index) => `g${index}`) }, /grant_types/],
      [client, { client_metadata: Object.fromEntries(values(11).map((name) => [name, 'x'])) }, /client_metadata/],
      [client, { client_metadata: { a: 'x'.repeat(256) } }, /client_metadata/],
      [client, { client_metadata: { a: 1 } }, /client_metadata/],
    ];
    const before = await server.stateHash();
    for (const [path, body, message] of cases) {
      const answer = await rawRequest(server, 'PATCH', path, {
        token: tokenOf(path),
        headers: json,
        body: JSON.stringify(body),
      });
      const what = `${JSON.stringify(body).slice(0, 80)} (${JSON.stringify(body).length})`;
      assertRefusal(path, what, answer, [400]);
      assert.match(answer.body.message, message, answer.text);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('ids that are no ids: 404 (a DELETE of /api/v2: 204), and names of builtins are names like others', async () => {
    const odd = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'null',
      'undefined',
      'NaN',
      '%27%20OR%201%3D1--',
      '%F0%9F%98%80',
      '%E2%80%AE',
      'x'.repeat(1900),
      '%252e%252e',
      '*',
      '%25',
    ];
    const before = await server.stateHash();
    for (const route of routes.filter(({ path, method }) => path.endsWith('/:id') && method !== 'HEAD')) {
      // Whose ids this file does not know may read them otherwise.
      if (ids[route.path.replace(/\/:id$/, '')] === undefined) continue;
      for (const id of odd) {
        const path = route.path.replace(':id', id);
        const body = route.method === 'PATCH' ? { headers: json, body: '{}' } : {};
        const answer = await rawRequest(server, route.method, path, { token: tokenOf(path), ...body });
        if (route.method === 'DELETE' && isAuth0(path)) assert.equal(answer.status, 204, `${path}: ${answer.text}`);
        else assertRefusal(path, `${route.method} ${path}`, answer, [404]);
      }
      for (const id of ['a%00b', '%00', '%ED%A0%80', '%FF', '%C0%AF', '%', '%zz', 'x'.repeat(5000)]) {
        const path = route.path.replace(':id', id);
        const body = route.method === 'PATCH' ? { headers: json, body: '{}' } : {};
        const answer = await rawRequest(server, route.method, path, { token: tokenOf(path), ...body });
        const isMissing = answer.status === 204 && route.method === 'DELETE' && isAuth0(path);
        assert.ok(
          isMissing || (answer.status >= 400 && answer.status < 500),
          `${path.slice(0, 80)}: ${answer.status} ${answer.text}`,
        );
        assert.ok(!answer.text.includes('FST_ERR'), answer.text);
        answers[engine].set(`${route.method} ${path}`, `${answer.status} ${answer.text}`);
      }
    }
    assert.equal(await server.stateHash(), before);
    await assertAlive();
  });

  test('a key and a client that do not belong together miss', async () => {
    const other = await server.manage('POST', '/clients', { name: 'Other' });
    const before = await server.stateHash();
    const path = `/api/v2/clients/${other.client_id}/credentials/${ids.credential}`;
    const token = tokenOf(path);
    assertRefusal(path, 'GET a credential of another', await rawRequest(server, 'GET', path, { token }), [404]);
    const patch = await rawRequest(server, 'PATCH', path, { token, headers: json, body: '{"expires_at":null}' });
    assertRefusal(path, 'PATCH a credential of another', patch, [404]);
    assert.equal((await rawRequest(server, 'DELETE', path, { token })).status, 204);
    assert.equal(await server.stateHash(), before);
  });

  test('a query that can not be read or asks for too much is refused by name, on every list', async () => {
    const queries: Record<string, readonly string[]> = {
      per_page: ['0', '-1', '1000000000', '101', 'NaN', 'Infinity', '1e2', '0x10', '1.5', '', '%20', 'true', '00'],
      page: ['-1', '1000000000000', '1e12', 'NaN', '9999999999999999999', '', 'a'],
      take: ['0', '-1', '101', 'NaN', ''],
      include_totals: ['yes', '1', '', 'TRUE'],
    };
    const before = await server.stateHash();
    const lists = routes.filter(({ method, path }) => method === 'GET' && isAuth0(path));
    for (const route of lists) {
      const known = (route.schema?.querystring as SchemaNode | undefined)?.properties ?? {};
      for (const [name, values] of Object.entries(queries)) {
        if (!(name in known)) continue;
        for (const value of values) {
          const answer = await rawRequest(server, 'GET', `${pathOf(route)}?${name}=${value}`, {
            token: tokenOf(route.path),
          });
          assertRefusal(route.path, `${named(route)}?${name}=${value}`, answer, [400]);
          assert.ok(answer.body.message.includes(name), answer.text);
        }
        const twice = await rawRequest(server, 'GET', `${pathOf(route)}?${name}=1&${name}=2`, {
          token: tokenOf(route.path),
        });
        assertRefusal(route.path, `${named(route)}?${name} twice`, twice, [400]);
      }
      if (Object.keys(known).length === 0) continue;
      const broken = [
        'unknown=1',
        '__proto__=1',
        'constructor=1',
        'secret_hash=x',
        'sort=secret_hash',
        'q=%00',
        'q=%ff',
        'q=%',
        'q=%ED%A0%80',
        'q=a%00b',
        Array.from({ length: 101 }, (_, index) => `a${index}=1`).join('&'),
      ];
      for (const query of broken) {
        if ((query.split('=')[0] as string) in known && !query.includes('%')) continue;
        const answer = await rawRequest(server, 'GET', `${pathOf(route)}?${query}`, { token: tokenOf(route.path) });
        assertRefusal(route.path, `${named(route)}?${query.slice(0, 40)}`, answer, [400]);
      }
    }
    assert.equal(await server.stateHash(), before);
    await assertAlive();
  });

  test('a forged or edited cursor is refused on every list that has them', async () => {
    await server.manage('POST', '/clients', { name: 'One more' });
    const { next } = await server.manage('GET', '/clients?take=1');
    const [payload, tag] = next.split('.');
    const position = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const moved = Buffer.from(JSON.stringify([position[0] - 1, position[1]])).toString('base64url');
    const injected = Buffer.from(`[0,"' or 1=1--"]`).toString('base64url');
    const forged = [
      'x',
      '.',
      '..',
      'a.b',
      payload,
      `${payload}.`,
      `.${tag}`,
      `${moved}.${tag}`,
      `${injected}.${tag}`,
      `${next}A`,
      `${next}.A`,
      `%20${next}`,
      `${next}%3D`,
      next.toLowerCase(),
      'null',
      '[]',
      '%00',
      'x'.repeat(900),
      'x'.repeat(5000),
      '%F0%9F%98%80',
    ];
    const lists = routes.filter(({ method, schema }) => {
      const query = schema?.querystring as SchemaNode | undefined;
      return method === 'GET' && query?.properties?.from !== undefined && query.properties.take !== undefined;
    });
    assert.ok(lists.length >= 2);
    for (const route of lists.filter(({ path }) => ['/api/v2/clients', '/api/v2/client-grants'].includes(path))) {
      for (const from of forged) {
        const answer = await rawRequest(server, 'GET', `${pathOf(route)}?from=${from}`, { token: tokenOf(route.path) });
        assertRefusal(route.path, `${named(route)}?from=${forged.indexOf(from)}`, answer, [400]);
        assert.match(answer.body.message, /from/, answer.text);
      }
    }
    const elsewhere = await rawRequest(server, 'GET', `/api/v2/client-grants?from=${next}`, {
      token: tokenOf('/api/v2/x'),
    });
    assertRefusal('/api/v2/client-grants', 'a cursor of another list', elsewhere, [400]);
    assert.equal(
      (await rawRequest(server, 'GET', `/api/v2/clients?from=${next}`, { token: tokenOf('/api/v2/x') })).status,
      200,
    );
  });

  test('tricks with the path open nothing: router and authorizer see the same one', async () => {
    const tricks = [
      '//api/v2/clients',
      '/api//v2/clients',
      '/api/v2//clients',
      '/./api/v2/clients',
      '/api/v2/./clients',
      '/api/v2/x/../clients',
      '/api/v2/..;/v2/clients',
      '/api/v2/%2e%2e/v2/clients',
      '/api/v2/%2e/clients',
      '/oauth/../api/v2/clients',
      '/api/v2/clients%00',
      '/api/v2/clients%00.json',
      '/api/v2/clients;a=b',
      '/api/v2;a=b/clients',
      '/API/V2/CLIENTS',
      '/api/v2/Clients',
      '/Api/v2/clients',
      '/api/v2/clients/',
      '/api/v2/clients//',
      '/api/v2/clients.',
      '/api/v2/clients.json',
      '/api/v2%2fclients',
      '/api%2fv2/clients',
      '/%61pi/v2/clients',
      '/api/v2/%63lients',
      '/api/v2/%2563lients',
      '/api/v2/clients%20',
      '/api/v2/clients%09',
      '/api/v2/clients%2f',
      '/api/v2/clients%3f',
      '/api/v2/clients%23',
      '/api/v2\\clients',
      '/api/v2/clients%5c',
      '/api/v2/clients#x',
      '/api/v2/clients?',
      '/api/v2/clients??',
      '/api/%76%32/clients',
      '/healthz/../api/v2/clients',
      '/.well-known/../api/v2/clients',
      '/api/tenants/',
      '/api/Tenants',
      '/api//tenants',
      '/api/v2/../tenants',
      '/api/./tenants',
      '/api/tenants;x',
      '/api/%74enants',
      '*',
    ];
    const before = await server.stateHash();
    for (const path of tricks) {
      for (const [method, options] of [
        ['GET', {}],
        ['POST', { headers: json, body: '{"name":"Smuggled","id":"smuggled"}' }],
        ['DELETE', {}],
      ] as const) {
        for (const token of [undefined, 'nonsense']) {
          const answer = await rawRequest(server, method, path, {
            ...options,
            ...(token === undefined ? {} : { token }),
          });
          const isRefused = answer.status >= 400 && answer.status < 500;
          assert.ok(isRefused, `${method} ${path}: ${answer.status} ${answer.text}`);
          assert.ok(!answer.text.includes('"client_id"'), `${method} ${path}`);
        }
      }
      // With every scope a path opens what it is for, or nothing.
      const answer = await rawRequest(server, 'GET', path, { token: tokens['/api/v2'] as string });
      assert.ok([200, 400, 401, 403, 404, 405, 421].includes(answer.status), `${path}: ${answer.status}`);
      if (answer.status === 200)
        assert.ok(
          [
            '/api/v2/%63lients',
            '/api/%76%32/clients',
            '/api/v2/clients?',
            '/api/v2/clients??',
            '/api/v2/clients#x',
          ].includes(path),
          path,
        );
    }
    assert.equal(await server.stateHash(), before);
    await assertAlive();
  });

  test('what is no HTTP is refused, and the process goes on', async () => {
    const host = `Host: localhost:${server.port}\r\n`;
    const messages = [
      `GET /api/v2/clients\u0000 HTTP/1.1\r\n${host}\r\n`,
      `GET /api/v2/clients HTTP/9.9\r\n${host}\r\n`,
      `GET /api/v2/clients HTTP/1.1\r\n${host}${host}Connection: close\r\n\r\n`,
      'GET /api/v2/clients HTTP/1.1\r\nConnection: close\r\n\r\n',
      `GET /api/v2/clients HTTP/1.1\r\n${host}X: ${'x'.repeat(70_000)}\r\n\r\n`,
      `POST /api/v2/clients HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST /api/v2/clients HTTP/1.1\r\n${host}Content-Length: -1\r\nConnection: close\r\n\r\n`,
      `GET /api/v2/cl\u00e9 HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
      `GET http://evil.example/api/v2/clients HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
      'nonsense\r\n\r\n',
    ];
    for (const message of messages) {
      const { status, text } = await rawBytes(server, message);
      assert.ok(
        status === 0 || (status >= 400 && status < 500),
        `${JSON.stringify(message.slice(0, 60))}: ${status} ${text.slice(0, 200)}`,
      );
    }
    await assertAlive();
  });

  test('names in any script, with emoji, right-to-left and invisible characters come back exactly', async () => {
    const names = [
      '関所',
      '😀👩‍👩‍👧‍👦',
      '\u202eevil',
      'zero\u200bwidth',
      'שלום',
      'e\u0301 is not \u00e9',
      'ﬁ',
      'İ',
      '𝒳',
      '\ufffd',
      '\u{10ffff}',
      ' spaces ',
      '"><img src=x onerror=alert(1)>'.replace(/[<>]/g, ''),
      "'; drop table clients; --",
      '{{7*7}}',
      '\u007f',
      'line\nbreak',
      '__proto__',
      'constructor',
      'toString',
      'null',
      '%00',
      '\\u0000',
      '/../',
      '?#',
    ];
    for (const name of names) {
      const made = await server.manage('POST', '/clients', {
        name,
        description: name,
        client_metadata: { [name === '__proto__' ? 'x' : name]: name },
      });
      assert.equal(made.name, name);
      const read = await server.manage('GET', `/clients/${made.client_id}`);
      assert.deepEqual([read.name, read.description, Object.values(read.client_metadata)], [name, name, [name]]);
      const renamed = await server.manage('PATCH', `/clients/${made.client_id}`, { name: `${name}2` });
      assert.equal(renamed.name, `${name}2`);
      await server.manage('DELETE', `/clients/${made.client_id}`);
      const identifier = `https://names.example/${name.trim()}`;
      const api = await server.manage('POST', '/resource-servers', { identifier, name });
      assert.deepEqual([api.identifier, api.name], [identifier, name]);
      const found = await server.manage('GET', `/resource-servers/${encodeURIComponent(identifier)}`);
      assert.equal(found.id, api.id);
      await server.manage('DELETE', `/resource-servers/${encodeURIComponent(identifier)}`);
      const gone = await server.request('GET', `/api/v2/resource-servers/${api.id}`, { token: tokenOf('/api/v2/x') });
      assert.equal(gone.status, 404);
    }
  });

  test('scopes and identifiers named like builtins are nothing special', async () => {
    const builtins = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
    for (const identifier of builtins) {
      const missing = await server.request('GET', `/api/v2/resource-servers/${identifier}`, {
        token: tokenOf('/api/v2/x'),
      });
      assert.equal(missing.status, 404);
    }
    for (const identifier of builtins) {
      const { audience, clientId, clientSecret } = await server.machine({
        identifier,
        scopes: builtins,
        granted: ['toString'],
      });
      const issued = await server.token({ client_id: clientId, client_secret: clientSecret, audience });
      assert.equal(issued.body.scope, 'toString');
      const surplus = await server.token({
        client_id: clientId,
        client_secret: clientSecret,
        audience,
        scope: 'constructor',
      });
      assert.equal(surplus.status, 403, surplus.text);
    }
    for (const clientId of builtins) {
      const answer = await server.token({
        client_id: clientId,
        client_secret: 'x'.repeat(40),
        audience: server.managementAudience,
      });
      assert.equal(answer.status, 401, answer.text);
    }
  });

  test('both engines gave the same answers', () => {
    if (engine === 'sqlite') return;
    assert.ok(answers.sqlite.size > 1000);
    for (const [what, answer] of answers.sqlite) assert.equal(answers.postgres.get(what), answer, what);
  });
});
