import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startServer, type TestServer } from '../harness.ts';

const [old, fresh] = ['a1'.repeat(32), 'b2'.repeat(32)];

test('the master key is rotated by a ring: the first encrypts, all decrypt, and the first one made stays needed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-ring-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const databaseUrl = `sqlite:${join(folder, 'ring.sqlite')}`;
  const start = (keys: string[]) => startServer({ databaseUrl, env: { SEKISHO_MASTER_KEY: keys.join(',') } });
  const keyIds = async (server: TestServer): Promise<number> =>
    new Set((await server.rows('signing_keys')).map((row) => row.private_key.split('.')[1])).size;

  const first = await start([old]);
  const { audience, clientId, clientSecret } = await first.machine();
  await first.close();

  const second = await start([fresh, old]);
  const issued = await second.token({ client_id: clientId, client_secret: clientSecret, audience });
  assert.equal(issued.status, 200, 'the old key still opens the signing keys');
  assert.equal(await keyIds(second), 1, 'nothing is encrypted again by itself');
  await second.manage('POST', '/keys/signing/rotate');
  assert.equal(await keyIds(second), 2, 'a new signing key is encrypted under the new one');
  await second.close();

  await assert.rejects(start([fresh]), /SEKISHO_MASTER_KEY is not the key this database was made with/);
  await assert.rejects(
    start([old]).then(async (server) => {
      try {
        // The next signing key is under the new key, and comes to sign at the next rotation.
        await server.manage('POST', '/keys/signing/rotate');
        const answer = await server.token({ client_id: clientId, client_secret: clientSecret, audience });
        assert.equal(answer.status, 200);
      } finally {
        await server.close();
      }
    }),
    'a process without the new key can not sign with what it encrypted',
  );
});
