import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RouteEntry } from '../../src/http/route-list.ts';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { nativeToken } from './delegated.ts';

eachEngine('dry_run', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    token = await nativeToken(server);
    await call('POST', '/tenants', { id: 'there' });
  });
  after(() => server.close());

  const call = (method: string, path: string, json?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    server.request(method, `/api${path}`, { token, headers, ...(json === undefined ? {} : { json }) });
  const everything = async (): Promise<unknown> => [await server.stateHash(), await server.logEvents()];

  test('answers what would have been, secrets as null, and writes nothing', async () => {
    const before = await everything();
    const created = await call('POST', '/tenants?dry_run=true', { id: 'maybe', name: 'Maybe' });
    assert.equal(created.status, 201, created.text);
    assert.equal(created.headers.get('dry-run'), 'true');
    assert.deepEqual([created.body.id, created.body.name], ['maybe', 'Maybe']);
    assert.equal(created.body.managementClient.clientSecret, null);
    const changed = await call('PATCH', '/tenants/there?dry_run=true', { name: 'Changed' });
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.body.name, 'Changed');
    const deleted = await call('DELETE', '/tenants/there?dry_run=true');
    assert.equal(deleted.status, 204, deleted.text);
    assert.equal(deleted.headers.get('dry-run'), 'true');
    assert.deepEqual(await everything(), before);
    assert.equal((await call('GET', '/tenants/maybe')).status, 404);
    assert.equal((await call('GET', '/tenants/there')).body.name, 'there');
  });

  test('refuses as the change itself would', async () => {
    const { token: reader } = await callerWith(server, ['read:organizations'], server.nativeAudience);
    const forbidden = await server.request('POST', '/api/tenants?dry_run=true', { token: reader, json: { id: 'x' } });
    assert.equal(forbidden.status, 403);
    const before = await everything();
    assert.equal((await call('POST', '/tenants?dry_run=true', { id: 'there' })).status, 409);
    assert.equal((await call('POST', '/tenants?dry_run=true', { id: 7 })).status, 400);
    assert.equal((await call('DELETE', '/tenants/default?dry_run=true')).body.code, 'tenant.default_protected');
    assert.equal((await call('PATCH', '/tenants/nobody?dry_run=true', {})).status, 404);
    const stale = await call('PATCH', '/tenants/there?dry_run=true', { name: 'x' }, { 'if-match': '"x"' });
    assert.equal(stale.status, 412);
    assert.deepEqual(await everything(), before);
  });

  test('keeps no idempotency key, and says nothing wrong of one', async () => {
    const headers = { 'idempotency-key': 'later' };
    assert.equal((await call('POST', '/tenants?dry_run=true', { id: 'later' }, headers)).status, 201);
    assert.deepEqual(await server.rows('idempotency_keys'), []);
    const made = await call('POST', '/tenants', { id: 'later' }, headers);
    assert.equal(made.status, 201, made.text);
    assert.equal(made.headers.get('idempotency-replayed'), null);
  });

  test('anything but true and false is refused: a misspelling must not change anything', async () => {
    const before = await everything();
    for (const query of ['dry_run=', 'dry_run=yes', 'dry_run=1', 'dry_run=TRUE', 'dry_run=true&dry_run=true']) {
      const answer = await call('PATCH', `/tenants/there?${query}`, { name: 'x' });
      assert.equal(answer.status, 400, `${query}: ${answer.text}`);
      assert.equal(answer.body.data.path, 'dry_run');
    }
    assert.deepEqual(await everything(), before);
    assert.equal((await call('PATCH', '/tenants/there?dry_run=false', { name: 'Real' })).body.name, 'Real');
  });

  test('every change of the native API can be tried; none hangs, fails or writes', { timeout: 60_000 }, async () => {
    const changes = (await server.composed.server.routes()).filter(
      ({ method, path }) => isNative(path) && ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method),
    );
    const before = await server.stateHash();
    for (const route of changes) {
      const path = `${route.path.replace('/api', '').replace(/:\w+/g, 'nothing')}?dry_run=true`;
      const answer = await call(route.method, path, leastBody(route));
      assert.ok(answer.status < 500, `${route.method} ${path}: ${answer.status} ${answer.text}`);
      if (answer.status < 300) assert.equal(answer.headers.get('dry-run'), 'true', `${path} was not tried but done`);
    }
    assert.equal(await server.stateHash(), before);
  });
});

const isNative = (path: string): boolean =>
  path.startsWith('/api/') && !/^\/api\/(v2|accounts|applications\/:\w+\/users)(\/|$)/.test(path);

/** A body that the schema takes, mostly. */
function leastBody({ method, schema }: RouteEntry): unknown {
  if (method === 'DELETE') return undefined;
  type Node = { type?: string; properties?: Record<string, Node>; required?: string[]; minItems?: number };
  const { required = [], properties = {} } = (schema?.body ?? {}) as Node;
  const sample = ({ type }: Node = {}): unknown =>
    type === 'array' ? ['nothing'] : type === 'string' ? 'nothing' : {};
  return Object.fromEntries(required.map((name) => [name, sample(properties[name])]));
}
