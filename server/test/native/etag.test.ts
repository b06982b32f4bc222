import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, newPostgresDatabase, startServer, type TestServer } from '../harness.ts';
import { nativeToken } from './delegated.ts';

eachEngine('ETag and If-Match', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine });
    token = await nativeToken(server);
    await call('POST', '', { id: 'one' });
  });
  after(() => server.close());

  const call = (method: string, path = '', json?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    server.request(method, `/api/tenants${path}`, { token, headers, ...(json === undefined ? {} : { json }) });
  const etagOf = async (): Promise<string> => (await call('GET', '/one')).headers.get('etag') as string;

  test('GET of one thing has a tag; with it in If-None-Match 304 without a body', async () => {
    const etag = await etagOf();
    assert.match(etag, /^"[\w-]{27}"$/);
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await call('GET', '/one', undefined, { 'if-none-match': known });
      assert.equal(answer.status, 304, known);
      assert.equal(answer.text, '');
      assert.equal(answer.headers.get('etag'), etag);
    }
    assert.equal((await call('GET', '/one', undefined, { 'if-none-match': '"x"' })).status, 200);
    assert.equal((await call('GET')).headers.get('etag'), null, 'a list has none');
  });

  test('PATCH answers with the tag of what GET answers after it', async () => {
    const before = await etagOf();
    const answer = await call('PATCH', '/one', { name: 'Renamed' });
    assert.equal(answer.headers.get('etag'), await etagOf());
    assert.notEqual(answer.headers.get('etag'), before);
  });

  test('a tag that is not the current one: 412 and nothing changes, also for DELETE', async () => {
    const old = await etagOf();
    await call('PATCH', '/one', { name: 'Meanwhile' });
    const state = await server.stateHash();
    const events = (await server.logEvents()).length;
    for (const tag of [old, '"x"', 'x', '', `W/${await etagOf()}`]) {
      for (const [method, json] of [['PATCH', { name: 'Lost' }], ['DELETE']] as const) {
        const answer = await call(method, '/one', json, { 'if-match': tag });
        assert.equal(answer.status, 412, `${method} ${tag}: ${answer.text}`);
        assert.equal(answer.body.code, 'etag.mismatch');
      }
    }
    assert.equal(await server.stateHash(), state);
    assert.equal((await server.logEvents()).length, events);
    for (const tag of [`"x", ${await etagOf()}`, '*']) {
      assert.equal((await call('PATCH', '/one', { name: `As ${tag.length}` }, { 'if-match': tag })).status, 200);
    }
  });

  test('every PATCH of a thing that can be read takes If-Match, and answers with the tag GET has', async () => {
    const routes = await server.composed.server.routes();
    const isReadable = (path: string) => routes.some((route) => route.method === 'GET' && route.path === path);
    const unconditional = routes.filter(
      ({ method, path, conditional }) =>
        method === 'PATCH' && /^\/api\/(?!v2\/)/.test(path) && isReadable(path) && !conditional,
    );
    assert.deepEqual(
      // A part of a thing is merged, not replaced: what another changed meanwhile stays.
      unconditional.map(({ path }) => path).filter((path) => !/\/(custom-data|profile)$/.test(path)),
      [],
    );
    for (const [path, json] of [
      ['/organizations', { name: 'Tagged' }],
      ['/organization-roles', { name: 'Tagged' }],
      ['/organization-scopes', { name: 'tagged' }],
      ['/roles', { name: 'Tagged', description: 'd' }],
      ['/resources', { name: 'Tagged', indicator: 'https://tagged.example' }],
    ] as const) {
      const at = async (method: string, to: string, body?: unknown, headers = {}): Promise<Answer> =>
        server.request(method, `/api${to}`, { token, headers, ...(body === undefined ? {} : { json: body }) });
      const { body: made } = await at('POST', path, json);
      const one = `${path}/${made.id}`;
      const etag = (await at('GET', one)).headers.get('etag') as string;
      const name = `${json.name}:2`;
      const changed = await at('PATCH', one, { name }, { 'if-match': etag });
      assert.equal(changed.status, 200, `${path}: ${changed.text}`);
      assert.equal(changed.headers.get('etag'), (await at('GET', one)).headers.get('etag'), path);
      assert.equal((await at('PATCH', one, { name: 'lost' }, { 'if-match': etag })).status, 412, path);
      assert.equal((await at('DELETE', one, undefined, { 'if-match': etag })).status, 412, path);
      assert.equal((await at('GET', one)).body.name, name);
      const last = changed.headers.get('etag') as string;
      assert.equal((await at('DELETE', one, undefined, { 'if-match': last })).status, 204, path);
    }
  });

  test('what is not there is 404 whatever the tag; a call that can not be conditional says so', async () => {
    assert.equal((await call('PATCH', '/nobody', { name: 'x' }, { 'if-match': '*' })).status, 404);
    const answer = await call('POST', '', { id: 'two' }, { 'if-match': '*' });
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.body.data, { part: 'headers', path: 'If-Match' });
    assert.equal((await call('GET', '/two')).status, 404);
  });

  test('of changes at once with one tag exactly one succeeds', async () => {
    const etag = await etagOf();
    const names = Array.from({ length: 8 }, (_, index) => `Racer ${index}`);
    const answers = await Promise.all(names.map((name) => call('PATCH', '/one', { name }, { 'if-match': etag })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...names.slice(1).map(() => 412)]);
    const winner = answers.find(({ status }) => status === 200);
    assert.equal((await call('GET', '/one')).body.name, winner?.body.name);
  });
});

test('two nodes over one PostgreSQL: of changes at once with one tag exactly one succeeds', async () => {
  const databaseUrl = await newPostgresDatabase();
  const nodes = [await startServer({ databaseUrl }), await startServer({ databaseUrl })] as const;
  try {
    const tokens = await Promise.all(nodes.map(nativeToken));
    const change = (node: number, name: string, etag: string) =>
      nodes[node]?.request('PATCH', '/api/tenants/default', {
        token: tokens[node] as string,
        json: { name },
        headers: { 'if-match': etag },
      });
    for (let round = 0; round < 5; round += 1) {
      const now = await nodes[0].request('GET', '/api/tenants/default', { token: tokens[0] as string });
      const etag = now.headers.get('etag') as string;
      const answers = await Promise.all([0, 1, 0, 1].map((node, index) => change(node, `${round} ${index}`, etag)));
      assert.deepEqual(answers.map((answer) => answer?.status).sort(), [200, 412, 412, 412]);
    }
  } finally {
    for (const node of nodes) await node.close();
  }
});
