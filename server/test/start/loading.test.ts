/** What a restarted server loads before it issues tokens: most of a start is loading code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eachEngine, newPostgresDatabase } from '../harness.ts';
import { type ServerProcess, startProcess } from '../process.ts';
import { temporaryFolder } from './run.ts';

const recorder = import.meta.resolve('./record-loads.js');
const ofPackages = /\/node_modules\/(kysely|typebox|@fastify\/type-provider-typebox|oauth4webapi|@peculiar)\//;
/** Of Node: what strips types (the compile cache has them stripped), and the client behind `fetch`. */
const ofNode = / (amaro|undici)/;
const management = '/server/src/http/management.ts';

eachEngine('the first token after a restart', (engine) => {
  test('comes before anything is loaded that only management, or no server at all, needs', async () => {
    const folder = temporaryFolder();
    const env: Record<string, string> =
      engine === 'sqlite'
        ? {}
        : { SEKISHO_DATABASE_URL: await newPostgresDatabase(), SEKISHO_MASTER_KEY: 'c3'.repeat(32) };
    const file = join(folder.path, 'loaded');
    const loaded = () => readFileSync(file, 'utf8').trim().split('\n');
    try {
      const first = await startProcess({ folder: folder.path, env });
      await first.stop();
      // The first start has no compile cache for what it reads before it knows of a folder; the second fills it.
      const second = await startProcess({ folder: folder.path, env });
      await tokenOf(second, first);
      await second.stop();
      const recording = { NODE_OPTIONS: `--import ${recorder}`, RECORD_LOADS_TO: file };
      const third = await startProcess({ folder: folder.path, env: { ...env, ...recording } });
      try {
        const token = await tokenOf(third, first);
        const all = loaded();
        // A second after the start the management APIs come by themselves; on a slow machine that is before the token.
        const end = all.findIndex((line) => line.includes(management));
        const before = end === -1 ? all : all.slice(0, end);
        assert.ok(before.some((line) => line.includes('/server/src/http/server.ts')));
        assert.deepEqual(
          before.filter((line) => ofPackages.test(line) || ofNode.test(line)),
          [],
        );

        const headers = { authorization: `Bearer ${token}` };
        const answer = await fetch(`${third.origin}/api/applications`, { headers });
        assert.equal(answer.status, 200, await answer.text());
        assert.ok(loaded().some((line) => ofPackages.test(line)));
      } finally {
        await third.stop();
      }
    } finally {
      folder.remove();
    }
  });
});

async function tokenOf({ origin }: ServerProcess, { clientId, clientSecret }: ServerProcess): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId ?? '',
    client_secret: clientSecret ?? '',
    audience: `${origin}/api`,
  });
  const answer = await fetch(`${origin}/oauth/token`, { method: 'POST', body });
  const { access_token } = (await answer.json()) as { access_token: string };
  assert.equal(answer.status, 200);
  return access_token;
}
