import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, type Postgres, startPostgres } from '../../../scripts/postgres.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type ServerProcess, startProcess } from '../process.ts';
import { exchange } from './raw.ts';

/** Sooner than the end that comes in any case, 10 s after the signal; with as much room as that leaves a busy machine. */
const soonMs = 8000;
/** For what only has to come at all. */
const patienceMs = 40_000;

eachEngine('/healthz and /readyz', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine });
  });
  after(() => server.close());

  test('tell that the process lives and can work', async () => {
    const health = await server.request('GET', '/healthz');
    assert.deepEqual([health.status, health.body], [200, { status: 'ok' }]);
    const ready = await server.request('GET', '/readyz');
    assert.deepEqual([ready.status, ready.body], [200, { status: 'ready' }]);
    assert.equal(ready.headers.get('cache-control'), 'no-store');
  });

  test('answer on any host, and with none', async () => {
    for (const path of ['/healthz', '/readyz']) {
      for (const request of [
        `GET ${path} HTTP/1.1\r\nHost: 10.1.2.3\r\n`,
        `GET ${path}?probe=1 HTTP/1.1\r\nHost: evil.example:99\r\n`,
        `GET ${path} HTTP/1.0\r\n`,
        `HEAD ${path} HTTP/1.1\r\nHost: x\r\n`,
      ]) {
        const { status } = await exchange(server.port, `${request}Connection: close\r\n\r\n`);
        assert.equal(status, 200, request);
      }
    }
  });
});

describe('a database that goes away [postgres]', () => {
  let postgres: Postgres;
  let server: TestServer;
  before(async () => {
    postgres = await startPostgres();
    server = await startServer({ databaseUrl: await createDatabase(postgres.url) });
  });
  after(async () => {
    await server.close();
    await postgres.stop();
  });

  const statuses = async () => {
    const ready = await server.request('GET', '/readyz');
    const token = await server.token({ client_id: 'x', client_secret: 'y', audience: 'z' });
    const api = await server.request('GET', '/api/tenants', { token: 'x.y.z' });
    const auth0 = await server.request('GET', '/api/v2/clients', { token: 'x.y.z' });
    const keys = await server.request('GET', '/.well-known/jwks.json');
    return [ready, token, api, auth0, keys];
  };

  test('gives 503 with Retry-After and no details, the process lives, and it recovers by itself', async () => {
    await server.managementToken();
    await postgres.pause();
    for (let round = 0; round < 3; round += 1) {
      for (const answer of await statuses()) {
        if (answer.status === 401) continue; // refused before the database was needed
        assert.equal(answer.status, 503, answer.text);
        assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
        assert.doesNotMatch(answer.text, /ECONN|127\.0\.0\.1|postgres|select |at .*\.ts|sekisho_test|terminat/i);
      }
    }
    const ready = await server.request('GET', '/readyz');
    assert.deepEqual(ready.body, { status: 'not ready', missing: ['database'] });
    assert.equal((await server.request('GET', '/healthz')).status, 200);

    await postgres.resume();
    assert.equal((await server.request('GET', '/readyz')).status, 200);
    await server.managementToken();
  });
});

describe('a signal', () => {
  let server: ServerProcess;
  before(async () => {
    server = await startProcess({ env: { SEKISHO_DATABASE_URL: 'sqlite::memory:' } });
  });
  after(() => server.stop());

  const restart = async () => {
    await server.stop();
    server = await startProcess({ env: { SEKISHO_DATABASE_URL: 'sqlite::memory:' } });
  };

  /** A token request that the server has begun with, as its `100 Continue` says, and whose body is half sent. */
  async function halfSent(): Promise<{ socket: Socket; finish(): Promise<string> }> {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: server.clientId ?? '',
      client_secret: server.clientSecret ?? '',
      audience: String(server.report.nativeApi),
    }).toString();
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    let received = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
    });
    socket.write(
      `POST /oauth/token HTTP/1.1\r\nHost: localhost:${server.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n${body.slice(0, 20)}`,
    );
    const begun = 'HTTP/1.1 100 Continue\r\n\r\n';
    while (!received.startsWith(begun)) await once(socket, 'data');
    received = received.slice(begun.length);
    return {
      socket,
      async finish() {
        socket.write(body.slice(20));
        await once(socket, 'close');
        return received;
      },
    };
  }

  const refusesConnections = async () => {
    const until = performance.now() + patienceMs;
    while (performance.now() < until) {
      const refused = await new Promise<boolean>((resolve) => {
        const socket = connect(server.port, '127.0.0.1');
        socket.once('connect', () => {
          socket.destroy();
          resolve(false);
        });
        socket.once('error', () => resolve(true));
      });
      if (refused) return true;
      await sleep(20);
    }
    return false;
  };

  for (const signals of [['SIGTERM'], ['SIGINT'], ['SIGTERM', 'SIGTERM'], ['SIGTERM', 'SIGINT']] as const) {
    test(`${signals.join(' and ')}: a request under way is answered, no new one is taken, exit code 0`, async () => {
      await restart();
      const { finish } = await halfSent();
      for (const signal of signals) {
        server.child.kill(signal);
        await sleep(50);
      }
      assert.equal(await refusesConnections(), true);
      assert.equal(server.child.exitCode, null, 'it waits for the request');
      const answer = await finish();
      assert.match(answer, /^HTTP\/1\.1 200 /);
      assert.match(answer, /"access_token":/);
      const answeredAt = performance.now();
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      assert.ok(performance.now() - answeredAt < soonMs, 'it ends soon after the last answer');
      assert.equal(server.stderr(), '');
    });
  }

  test('SIGTERM at the very moment it says that it is ready ends it in order', async () => {
    for (let round = 0; round < 5; round += 1) {
      await restart();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    }
  });

  test('idle connections do not hold the process up', async () => {
    await restart();
    const keptAlive = await Promise.all(Array.from({ length: 5 }, () => fetch(`${server.origin}/healthz`)));
    assert.ok(keptAlive.every(({ status }) => status === 200));
    const silent = connect(server.port, '127.0.0.1');
    await once(silent, 'connect');
    const from = performance.now();
    server.child.kill('SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(performance.now() - from < soonMs, `took ${performance.now() - from} ms`);
    silent.destroy();
  });

  test('a client that never ends its request does not hold the process up for ever', async () => {
    await restart();
    const { socket } = await halfSent();
    socket.on('error', () => {});
    const from = performance.now();
    server.child.kill('SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(performance.now() - from < patienceMs, `took ${performance.now() - from} ms`);
    socket.destroy();
  });

  test('what was acknowledged before the signal is there after a restart', async () => {
    const first = await startProcess();
    const ask = async (server: ServerProcess) => {
      const response = await fetch(`${server.origin}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: first.clientId ?? '',
          client_secret: first.clientSecret ?? '',
          audience: String(server.report.nativeApi),
        }),
      });
      return response.status;
    };
    assert.equal(await ask(first), 200);
    first.child.kill('SIGTERM');
    await first.exited;
    const second = await startProcess({ folder: first.folder });
    assert.equal(await ask(second), 200);
    await second.stop();
    await first.stop();
  });
});
