/** A count or search that takes too long ends at its deadline, and stalls nobody meanwhile. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { timed } from './support.ts';

const deadlineMs = 5000;
/** Room for a busy machine; what has no deadline never ends here. */
const lateMs = deadlineMs + 4000;

eachEngine('a slow count', (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-reports-'));
  let server: TestServer;
  let machine: Awaited<ReturnType<TestServer['machine']>>;
  before(async () => {
    // In memory there is one connection for all: only a file has reports apart.
    const where = engine === 'sqlite' ? { databaseUrl: `sqlite:${join(folder, 'test.sqlite')}` } : { engine };
    server = await startServer(where);
    machine = await server.machine();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Never ends by itself. */
  const slow = () =>
    sql`with recursive n(i) as (select 1 union all select (i + 1) % 1000000 from n) select count(*) from n`.execute(
      server.composed.services.db.reports,
    );
  const askToken = () =>
    server.token({ client_id: machine.clientId, client_secret: machine.clientSecret, audience: machine.audience });

  test('ends at its deadline; tokens go on meanwhile, lists after it', async (t) => {
    const startedAt = performance.now();
    let isOver = false;
    const counted = assert.rejects(slow(), { code: 'storage.deadline' }).then(() => {
      isOver = true;
      return performance.now() - startedAt;
    });
    const token = await server.managementToken();
    // Late enough that its own deadline leaves time for what ended with the count to start again.
    const list = sleep(4000).then(() => timed(server.request('GET', '/api/v2/clients', { token })));

    const took: number[] = [];
    while (!isOver) {
      const { answer, tookMs } = await timed(askToken());
      assert.equal(answer.status, 200);
      took.push(tookMs);
      await sleep(5);
    }
    const countedMs = await counted;
    const slowest = Math.max(...took);
    t.diagnostic(`ended after ${countedMs.toFixed(0)} ms; ${took.length} tokens, the slowest ${slowest.toFixed(0)} ms`);
    assert.ok(countedMs >= deadlineMs - 100 && countedMs < lateMs, `${countedMs} ms`);
    assert.ok(took.length > 50);
    // One that waited for the count would take most of these five seconds.
    assert.ok(slowest < 2500, `${slowest} ms`);

    const { answer, tookMs } = await list;
    t.diagnostic(`a list asked for meanwhile: ${tookMs.toFixed(0)} ms`);
    assert.equal(answer.status, 200, answer.text);
    assert.ok(Array.isArray(await server.manage('GET', '/clients')));
  });

  test('does not keep the server from ending', async (t) => {
    const counted = slow().then(
      () => 'counted',
      () => 'ended',
    );
    await sleep(300);
    const { tookMs } = await timed(server.close().then(() => undefined as never));
    t.diagnostic(`closed after ${tookMs.toFixed(0)} ms`);
    assert.ok(tookMs < lateMs, `${tookMs} ms`);
    assert.equal(await counted, 'ended');
  });
});
