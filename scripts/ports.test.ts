import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { freePort } from './ports.ts';

/** A process that asks for so many ports, tells them, and stays until its input ends. */
function asker(ports: number): ChildProcess {
  const script = `
    import { freePort } from ${JSON.stringify(import.meta.resolve('./ports.ts'))};
    process.stdin.resume();
    const ports = await Promise.all(Array.from({ length: ${ports} }, freePort));
    console.log(JSON.stringify(ports));`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function told(child: ChildProcess): Promise<number[]> {
  for await (const line of createInterface(child.stdout!)) return JSON.parse(line);
  throw new Error('it told nothing');
}

test('no two processes are given the same port, nor one process the same port twice in a row of its block', async () => {
  const children = [1, 2, 3, 4].map(() => asker(99));
  const ends = children.map((child) => once(child, 'exit'));
  const ports = (await Promise.all(children.map(told))).flat();
  ports.push(await freePort());
  for (const child of children) child.stdin?.end();
  assert.deepEqual(
    (await Promise.all(ends)).map(([code]) => code),
    [0, 0, 0, 0],
    'what they hold keeps none of them alive',
  );
  assert.equal(new Set(ports).size, 4 * 99 + 1);
  assert.ok(ports.every((port) => port > 15_000 && port < 32_000));
});

test('a port that is taken is passed over', async () => {
  const first = await freePort();
  const server = createServer().listen(first + 1, '127.0.0.1');
  await once(server, 'listening');
  assert.equal(await freePort(), first + 2);
  server.close();
});
