/** The rounds of `npm run bench -- --only kill`, three for each engine. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { killRounds } from '../../../bench/src/kill.ts';
import { dropDatabase } from '../../../scripts/postgres.ts';
import { engines, newPostgresDatabase } from '../harness.ts';

const rounds = 3;
const databases: string[] = [];
after(() => Promise.all(databases.map(dropDatabase)));

for (const engine of engines) {
  test(`SIGKILL under load loses no acknowledged change, token or revocation [${engine}]`, async (t) => {
    const postgresUrl = engine === 'postgres' ? await newPostgresDatabase() : undefined;
    if (postgresUrl !== undefined) databases.push(postgresUrl);
    const passed = await killRounds({ engine, rounds, ...(postgresUrl === undefined ? {} : { postgresUrl }) });

    assert.equal(passed.length, rounds);
    for (const { round, killedAfterMs, restartMs, tokens, revocations, changes } of passed) {
      t.diagnostic(
        `round ${round}: killed after ${killedAfterMs} ms, ready again in ${restartMs.toFixed(0)} ms; ` +
          `${tokens} tokens, ${revocations} revocations, ${changes} changes were there`,
      );
    }
    // A load that did nothing would prove nothing.
    const sum = (pick: (round: (typeof passed)[number]) => number) => passed.map(pick).reduce((a, b) => a + b, 0);
    assert.ok(sum((round) => round.tokens) > 0);
    assert.ok(sum((round) => round.revocations) > 0);
    assert.ok(sum((round) => round.changes) > 0);
  });
}
