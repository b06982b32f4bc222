import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type Answer, admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { assertRefusal } from './refusals.ts';

const tooMany = { status: 429, error: 'too_many_requests', description: 'Global limit has been reached' };

eachEngine('limits of the protocol endpoints', (engine) => {
  let server: TestServer;
  // It moves only when it is told to: no window turns while requests are counted, however slow the machine is.
  const clock = {
    time: Date.now(),
    now: () => clock.time,
    advance(milliseconds: number) {
      clock.time += milliseconds;
    },
  };
  let address = 0;
  before(async () => {
    server = await startServer({
      engine,
      clock,
      env: { SEKISHO_TRUSTED_PROXIES: '127.0.0.1,::1', SEKISHO_RATE_LIMIT_REQUESTS_PER_CLIENT: '40' },
    });
  });
  after(() => server.close());
  beforeEach(() => {
    // Two windows on, at the start of one: no test sees the failures of another.
    clock.advance(180_000 - (clock.now() % 60_000));
    address += 1;
  });

  type Machine = Awaited<ReturnType<TestServer['machine']>>;
  const from = (ip: string) => ({ 'x-forwarded-for': ip });
  const here = () => `192.0.2.${address}`;
  const elsewhere = () => `198.51.100.${address}`;
  const ask = (machine: Machine, client_secret = machine.clientSecret, ip = here()) =>
    server.token({ client_id: machine.clientId, client_secret, audience: machine.audience }, from(ip));
  const statuses = async (count: number, send: (index: number) => Promise<Answer>) => {
    const seen: number[] = [];
    for (let index = 0; index < count; index += 1) seen.push((await send(index)).status);
    return seen;
  };
  const refusals = (count: number) => Array.from({ length: count }, () => 401);
  /** A machine, and then time enough that the requests which made it do not count towards the first client's limit. */
  const machineOf = async () => {
    const machine = await server.machine();
    clock.advance(120_000);
    return machine;
  };

  test('after twenty failures of a client at an address it gets 429, with the right secret too', async () => {
    const machine = await machineOf();
    assert.deepEqual(await statuses(20, () => ask(machine, 'wrong')), refusals(20));
    const before = { state: await server.stateHash(), events: (await server.logEvents()).length };
    for (const secret of ['wrong', machine.clientSecret]) {
      const answer = await ask(machine, secret);
      assertRefusal(answer, tooMany);
      const wait = Number(answer.headers.get('retry-after'));
      // Of twenty in a window, the first fades a twentieth into the next but one.
      assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 63, String(wait));
      assert.equal(answer.headers.get('x-ratelimit-limit'), '20');
      assert.equal(answer.headers.get('x-ratelimit-remaining'), '0');
      const reset = Number(answer.headers.get('x-ratelimit-reset'));
      assert.ok(Math.abs(reset - clock.now() / 1000 - wait) <= 2, String(reset));
    }
    assert.equal(await server.stateHash(), before.state);
    assert.equal((await server.logEvents()).length, before.events, 'no row for each');
  });

  test('the same client from another address, and another client from this one, are not touched', async () => {
    const machine = await machineOf();
    const other = await machineOf();
    await statuses(21, () => ask(machine, 'wrong'));
    assert.equal((await ask(machine)).status, 429);
    assert.equal((await ask(machine, machine.clientSecret, elsewhere())).status, 200);
    assert.equal((await ask(other)).status, 200);
  });

  test('introspection and revocation are under the same limit', async () => {
    const machine = await machineOf();
    const form = { client_id: machine.clientId, client_secret: 'wrong', token: 'x' };
    const send = (index: number) =>
      server.request('POST', index % 2 === 0 ? '/oauth/introspect' : '/oauth/revoke', { form, headers: from(here()) });
    assert.deepEqual(await statuses(20, send), refusals(20));
    assert.equal((await send(0)).status, 429);
    assert.equal((await ask(machine)).status, 429);
  });

  test('a client that does not exist is limited like one that does', async () => {
    const machine = await machineOf();
    const nobody = { ...machine, clientId: 'n'.repeat(32) };
    const open = await server.manage('POST', '/clients', {
      name: 'Open',
      app_type: 'spa',
      token_endpoint_auth_method: 'none',
    });
    clock.advance(120_000);
    for (const client of [nobody, { ...machine, clientId: open.client_id }]) {
      const seen = await statuses(21, () => ask(client, 'wrong'));
      assert.deepEqual(seen, [...refusals(20), 429]);
    }
  });

  test('successes and refusals for other reasons are no failures', async () => {
    const machine = await machineOf();
    const parameters = { client_id: machine.clientId, client_secret: machine.clientSecret, audience: machine.audience };
    const seen = await statuses(30, () => server.token({ ...parameters, scope: 'never:granted' }, from(here())));
    assert.ok(seen.every((status) => status === 403));
    assert.equal((await ask(machine)).status, 200);
  });

  test('when the time in Retry-After is over, the right secret works again', async () => {
    const machine = await machineOf();
    await statuses(21, () => ask(machine, 'wrong'));
    const wait = Number((await ask(machine)).headers.get('retry-after'));
    clock.advance(wait * 1000);
    assert.equal((await ask(machine)).status, 200);
    clock.advance(120_000);
    assert.deepEqual(await statuses(20, () => ask(machine, 'wrong')), refusals(20));
  });

  test('who goes on trying does not lengthen the wait', async () => {
    const machine = await machineOf();
    await statuses(20, () => ask(machine, 'wrong'));
    const wait = Number((await ask(machine)).headers.get('retry-after'));
    await statuses(50, () => ask(machine, 'wrong'));
    assert.ok(Number((await ask(machine)).headers.get('retry-after')) <= wait);
  });

  test('two hundred failures of an address, over any clients, stop the address', async () => {
    const machine = await machineOf();
    const guess = (index: number) =>
      server.token({ client_id: `guess-${index}`, client_secret: 'x', audience: machine.audience }, from(here()));
    assert.deepEqual(await statuses(200, guess), refusals(200));
    const stopped = await ask(machine);
    assertRefusal(stopped, tooMany);
    assert.equal(stopped.headers.get('x-ratelimit-limit'), '200');
    assert.equal((await ask(machine, machine.clientSecret, elsewhere())).status, 200);
  });

  test('an address that is claimed to the left of the proxy’s own entry counts for nothing', async () => {
    const machine = await machineOf();
    const send = (index: number) =>
      server.token(
        { client_id: machine.clientId, client_secret: 'wrong', audience: machine.audience },
        from(`203.0.113.${index}, ${here()}`),
      );
    assert.deepEqual(await statuses(21, send), [...refusals(20), 429]);
  });

  test('what is refused beyond a limit becomes one counted row a client and address', async () => {
    const machine = await machineOf();
    await server.composed.services.limits.flush();
    const before = (await server.logEvents()).length;
    await statuses(27, () => ask(machine, 'wrong'));
    assert.equal((await server.logEvents()).length, before + 20);
    await server.composed.services.limits.flush();
    const [row, ...more] = (await server.logEvents()).slice(before + 20);
    assert.deepEqual(more, []);
    const { kind, reason, client_id, ip, occurrences } = row;
    assert.deepEqual(
      { kind, reason, client_id, ip, occurrences },
      { kind: 'rate.limited', reason: 'rate_limited', client_id: machine.clientId, ip: here(), occurrences: 7 },
    );
  });

  test('a client’s own requests are limited when that is set, each client for itself', async () => {
    const machine = await machineOf();
    const other = await machineOf();
    assert.ok((await statuses(40, () => ask(machine))).every((status) => status === 200));
    const answer = await ask(machine);
    assertRefusal(answer, tooMany);
    assert.equal(answer.headers.get('x-ratelimit-limit'), '40');
    assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    assert.equal((await ask(machine, machine.clientSecret, elsewhere())).status, 429, 'it is the client’s limit');
    assert.equal((await ask(other)).status, 200);
    clock.advance(120_000);
    assert.equal((await ask(machine)).status, 200);
  });

  test('nobody else can use up a client’s requests', async () => {
    const machine = await machineOf();
    await statuses(60, (index) => ask(machine, 'wrong', `198.51.100.${100 + (index % 10)}`));
    assert.equal((await ask(machine)).status, 200);
  });

  test('management requests count for their client, and say so in their headers', async () => {
    const { body } = await server.token({
      client_id: admin.clientId,
      client_secret: admin.clientSecret,
      audience: server.managementAudience,
    });
    const list = () => server.request('GET', '/api/v2/clients?per_page=1', { token: body.access_token });
    const first = await list();
    assert.equal(first.headers.get('x-ratelimit-limit'), '40');
    assert.equal(first.headers.get('x-ratelimit-remaining'), '38');
    assert.ok((await statuses(38, list)).every((status) => status === 200));
    const answer = await list();
    assert.equal(answer.status, 429);
    assert.deepEqual(answer.body, {
      statusCode: 429,
      error: 'Too Many Requests',
      message: 'Global limit has been reached',
      errorCode: 'too_many_requests',
    });
    assert.equal(answer.headers.get('x-ratelimit-remaining'), '0');
    assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    clock.advance(120_000);
    assert.equal((await list()).status, 200);
  });
});
