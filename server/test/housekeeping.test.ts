import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachEngine, startServer, TestClock } from './harness.ts';

const dayMs = 86_400_000;

eachEngine('housekeeping', (engine) => {
  test('removes log events past retention and revocations past their expiry, and nothing else', async () => {
    const clock = new TestClock();
    const server = await startServer({ engine, clock, env: { SEKISHO_LOG_RETENTION_DAYS: '7' } });
    try {
      const { audience, clientId, clientSecret } = await server.machine({ api: { token_lifetime: 3600 } });
      const credentials = { client_id: clientId, client_secret: clientSecret };
      const revoked = (await server.token({ ...credentials, audience })).body.access_token as string;
      await server.request('POST', '/oauth/revoke', { form: { ...credentials, token: revoked } });
      const before = await server.stateHash();
      const events = await server.logEvents();

      await server.composed.housekeeping.run();
      assert.deepEqual(await server.logEvents(), events);
      assert.equal(await server.stateHash(), before, 'nothing is old yet');

      clock.advance(2 * 3600 * 1000);
      await server.composed.housekeeping.run();
      assert.deepEqual(await server.rows('revoked_tokens'), []);
      assert.deepEqual(await server.logEvents(), events);

      clock.advance(6 * dayMs);
      await server.token({ ...credentials, audience });
      clock.advance(dayMs);
      await server.composed.housekeeping.run();
      const kept = await server.logEvents();
      assert.deepEqual(
        kept.map(({ kind }) => kind),
        ['token.issued'],
      );
      assert.equal((await server.token({ ...credentials, audience })).status, 200);
    } finally {
      await server.close();
    }
  });
});
