/** The one way out: which addresses it goes to, and how little it believes of what comes back. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { guardedFetch, OutgoingError } from '../../src/upstream/guarded-fetch.ts';
import { isAllowedAddress } from '../../src/upstream/targets.ts';
import { startServer } from '../harness.ts';

const open = { privateTargets: true };
const closed = { privateTargets: false };

const addresses = {
  public: ['1.1.1.1', '8.8.8.8', '172.32.0.1', '192.169.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'],
  private: [
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '::1',
    'fc00::1',
    'fdff::1',
  ],
  never: [
    '0.0.0.0',
    '169.254.169.254',
    '192.0.0.192',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.250',
    '255.255.255.255',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '64:ff9b::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '::127.0.0.1',
    'localhost',
    '127.1',
    '',
  ],
};

test('public addresses, private ones by the setting, others never', () => {
  for (const address of addresses.public) assert.equal(isAllowedAddress(address, closed), true, address);
  for (const address of addresses.private) {
    assert.equal(isAllowedAddress(address, closed), false, address);
    assert.equal(isAllowedAddress(address, open), true, address);
  }
  for (const address of addresses.never) {
    assert.equal(isAllowedAddress(address, closed), false, address);
    assert.equal(isAllowedAddress(address, open), false, address);
  }
});

const get = (url: string, settings = open, more: { deadlineMs?: number; maximumBytes?: number } = {}) =>
  guardedFetch(settings, { method: 'GET', url, deadlineMs: 20_000, maximumBytes: 1000, ...more });

const refusal = (reason: OutgoingError['reason']) => (error: unknown) =>
  error instanceof OutgoingError && error.reason === reason;

/** A server on loopback while the work runs; counts connections. */
async function withServer(
  answer: RequestListener,
  work: (port: number, connections: () => number) => Promise<void>,
): Promise<void> {
  let connections = 0;
  const server = createServer(answer).on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work((server.address() as AddressInfo).port, () => connections);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('no way of writing loopback gets through without the setting', async () => {
  await withServer(
    (_request, response) => response.end(),
    async (port, connections) => {
      for (const url of [
        `http://127.0.0.1:${port}/`,
        `https://127.0.0.1:${port}/`,
        `https://127.1:${port}/`,
        `https://0x7f000001:${port}/`,
        `https://2130706433:${port}/`,
        `https://017700000001:${port}/`,
        `https://localhost:${port}/`,
        `https://LOCALHOST:${port}/`,
        `https://[::1]:${port}/`,
        `https://[::ffff:127.0.0.1]:${port}/`,
        `https://0.0.0.0:${port}/`,
        `https://user@127.0.0.1:${port}/`,
      ]) {
        await assert.rejects(get(url, closed), refusal('refused'), url);
      }
      assert.equal(connections(), 0);
    },
  );
});

test('no other scheme, and http on loopback only', async () => {
  for (const url of [
    'file:///etc/passwd',
    'ftp://1.1.1.1/',
    'http://1.1.1.1/',
    'data:,x',
    'gopher://1.1.1.1',
    'x',
    '',
  ]) {
    for (const settings of [open, closed]) await assert.rejects(get(url, settings), refusal('refused'), url);
  }
});

test('an answer: status, headers, body; a redirect is an answer', async () => {
  await withServer(
    (request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.writeHead(200, { 'x-url': request.url }).end('hello');
    },
    async (port, connections) => {
      const answer = await get(`http://127.0.0.1:${port}/a?b`);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['x-url'], '/a?b');
      assert.equal(answer.body.toString(), 'hello');
      assert.equal((await get(`http://127.0.0.1:${port}/moved`)).status, 302);
      assert.equal(connections(), 2);
    },
  );
});

test('bounded in size and in time, from the first byte to the last', async () => {
  await withServer(
    (request, response) => {
      if (request.url === '/large') response.end('x'.repeat(1001));
      if (request.url === '/fits') response.end('x'.repeat(1000));
      if (request.url === '/drips') {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'), 50);
        response.on('close', () => clearInterval(timer));
      }
    },
    async (port) => {
      const at = (path: string) => `http://127.0.0.1:${port}${path}`;
      assert.equal((await get(at('/fits'))).body.length, 1000);
      await assert.rejects(get(at('/large')), refusal('too_large'));
      await assert.rejects(get(at('/silent'), open, { deadlineMs: 300 }), refusal('late'));
      await assert.rejects(get(at('/drips'), open, { deadlineMs: 300 }), refusal('late'));
    },
  );
});

test('nobody there, no such name: unreachable', async () => {
  let port = 0;
  await withServer(
    () => {},
    async (one) => {
      port = one;
    },
  );
  await assert.rejects(get(`http://127.0.0.1:${port}/`), refusal('unreachable'));
  await assert.rejects(get('https://nobody.invalid/'), refusal('unreachable'));
});

test('a certificate that nobody we trust vouches for is none', async () => {
  const server = await startServer({ env: { SEKISHO_HTTPS: 'local' } });
  try {
    await assert.rejects(get(`https://127.0.0.1:${server.port}/healthz`), refusal('unreachable'));
    await assert.rejects(get(`https://localhost:${server.port}/healthz`), refusal('unreachable'));
  } finally {
    await server.close();
  }
});
