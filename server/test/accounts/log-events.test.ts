/** Each operation of the accounts API leaves its log event in its own transaction: who, what, when, which request. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { type Call, caller, got } from './support.ts';

eachEngine('log events of the accounts API', (engine) => {
  let server: TestServer;
  let call: Call;
  before(async () => {
    server = await startServer({ engine });
    call = caller(server);
  });
  after(() => server.close());

  /** The operations in order, each with the event it leaves. */
  async function everyOperation(): Promise<[method: string, path: string, kind: string, target: string][]> {
    const done: [string, string, string, string][] = [];
    const run = async (kind: string, status: number, method: string, path: string, json?: unknown, id?: string) => {
      const body = await got(call(method, path, json), status);
      done.push([method, `/api${path.split('?')[0]}`, kind, id ?? body.id]);
      return (id ?? body.id) as string;
    };
    const user_id = await run('user.created', 201, 'POST', '/applications/admin/users', { status: 'active' });
    const other = await run('user.created', 201, 'POST', '/applications/admin/users', {});
    const root = await run('organization.created', 201, 'POST', '/accounts', { name: 'Root' });
    const child = await run('organization.created', 201, 'POST', `/accounts/${root}/accounts`, { name: 'Child' });
    const members = `/accounts/${child}/members`;
    await run('organization_member.added', 201, 'POST', members, { user_id: other, role: 'owner' });
    const member = await run('organization_member.added', 201, 'POST', members, { user_id, role: 'member' });
    await run('organization_member.updated', 200, 'PATCH', `${members}/${member}`, { role: 'viewer' });
    await run('organization.updated', 200, 'PATCH', `/accounts/${child}`, { status: 'suspended' });
    await run('organization.moved', 200, 'POST', `/accounts/${child}/move`, { parent_id: null });
    await run('organization_member.removed', 204, 'DELETE', `${members}/${member}`, undefined, member);
    await run('organization.deleted', 204, 'DELETE', `/accounts/${child}?cascade=true`, undefined, child);
    return done;
  }

  test('who, what, when, which request', async () => {
    const before = (await server.logEvents()).length;
    const started = Date.now();
    const done = await everyOperation();
    const events = (await server.logEvents()).slice(before).filter(({ kind }) => !/^(token|role)\./.test(kind));
    assert.deepEqual(
      events.map(({ kind, details }) => {
        const { target, request } = JSON.parse(details);
        return [...request.split(' '), kind, target];
      }),
      done,
    );
    for (const event of events) {
      assert.equal(event.client_id, admin.clientId);
      assert.ok(event.token_id !== null && event.ip !== null && event.user_agent !== null);
      assert.ok(event.at >= started && event.at <= Date.now());
    }
    assert.equal(events.find(({ kind }) => kind === 'organization_member.added').user_id, done[1]?.[3]);
  });

  test('a change whose event can not be written is not made', async () => {
    const root = (await got(call('POST', '/accounts', { name: 'Kept' }), 201)).id;
    const child = (await got(call('POST', `/accounts/${root}/accounts`, { name: 'Child' }), 201)).id;
    const user_id = (await got(call('POST', '/applications/admin/users', {}), 201)).id;
    const other = (await got(call('POST', '/applications/admin/users', {}), 201)).id;
    const member = (await got(call('POST', `/accounts/${root}/members`, { user_id, role: 'member' }), 201)).id;
    const before = await server.stateHash();
    await breakLog();
    try {
      for (const [method, path, json] of [
        ['POST', '/accounts', { name: 'x' }],
        ['POST', `/accounts/${root}/accounts`, { name: 'x' }],
        ['PATCH', `/accounts/${root}`, { name: 'x' }],
        ['POST', `/accounts/${child}/move`, { parent_id: null }],
        ['DELETE', `/accounts/${child}`, undefined],
        ['POST', `/accounts/${root}/members`, { user_id: other, role: 'member' }],
        ['PATCH', `/accounts/${root}/members/${member}`, { role: 'viewer' }],
        ['DELETE', `/accounts/${root}/members/${member}`, undefined],
        ['POST', '/applications/admin/users', {}],
      ] as const) {
        const answer = await call(method, path, json);
        assert.ok(answer.status >= 500, `${method} ${path}: ${answer.status} ${answer.text}`);
        assert.equal(await server.stateHash(), before, `${method} ${path}`);
      }
    } finally {
      await mendLog();
    }
    await got(call('DELETE', `/accounts/${child}`), 204);
  });

  const db = () => server.composed.services.db;
  const breakLog = () => db().transact((trx) => sql`alter table log_events rename to log_events_gone`.execute(trx));
  const mendLog = () => db().transact((trx) => sql`alter table log_events_gone rename to log_events`.execute(trx));
});
