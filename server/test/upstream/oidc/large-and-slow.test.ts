/** Answers that are too large or too late, at every endpoint: refused in time, and not taken in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oauth2Upstream } from '../../../src/upstream/oauth2/upstream.ts';
import { oidcUpstream } from '../../../src/upstream/oidc/upstream.ts';
import { upstreamDeadlineMs } from '../../../src/upstream/redirect.ts';
import { type Endpoint, type Liar, type Lies, startLiar } from '../../labs/liar.ts';
import type { BadAnswer } from '../../labs/liar-answers.ts';
import { failure, finish, goAndReturn, test as testUpstream } from '../oauth2/support.ts';

const endpoints: readonly Endpoint[] = ['discovery', 'token', 'jwks', 'userinfo'];

/** What timers and a busy machine may add, in milliseconds. */
const slackMs = 2000;

const oidc = (liar: Liar) => ({
  upstream: oidcUpstream,
  configuration: liar.oidc,
  secrets: { clientSecret: liar.clientSecret },
});

/** How a sign-in ends whose provider turns bad while the person is there, and after how many milliseconds. */
async function outcomeOf(liar: Liar, lies: Lies): Promise<{ error: unknown; tookMs: number }> {
  liar.lies = {};
  const back = await goAndReturn(oidc(liar), { answers: {} });
  liar.lies = lies;
  const start = performance.now();
  const error = await finish(oidc(liar), back).then(
    () => assert.fail('signed in'),
    (thrown: unknown) => thrown,
  );
  return { error, tookMs: performance.now() - start };
}

const withAnswer = async (endpoint: Endpoint, answer: BadAnswer) => {
  await using liar = await startLiar();
  return await outcomeOf(liar, { answers: { [endpoint]: answer } });
};

test('50 MB, or no end: cut off at the limit, again and again, and nothing of it stays', async () => {
  await using liar = await startLiar();
  const round = async (answer: BadAnswer) => {
    for (const endpoint of endpoints) {
      liar.bytes = 0;
      const { error, tookMs } = await outcomeOf(liar, { answers: { [endpoint]: answer } });
      assert.ok(failure('answer_invalid')(error));
      assert.ok(tookMs < upstreamDeadlineMs, `${endpoint}: ${tookMs} ms`);
      // What is beyond the limit was on its way already, in the buffers of the two sockets.
      assert.ok(liar.bytes < 16 * 2 ** 20, `${endpoint} took ${liar.bytes} bytes`);
    }
  };
  await round('huge');
  const before = process.memoryUsage().rss;
  for (let count = 0; count < 5; count += 1) {
    await round('huge');
    await round('endless');
  }
  const grown = process.memoryUsage().rss - before;
  // 40 sign-ins; with answers kept in memory it would be 1 GB and more.
  assert.ok(grown < 100 * 2 ** 20, `grew by ${grown} bytes`);
});

test('silence, and bytes that come one by one: given up at the deadline', async () => {
  const outcomes = await Promise.all(
    endpoints.flatMap((endpoint) => (['silent', 'drips'] as const).map((answer) => withAnswer(endpoint, answer))),
  );
  for (const { error, tookMs } of outcomes) {
    assert.ok(failure('unavailable')(error));
    assert.ok(tookMs < upstreamDeadlineMs + slackMs, `${tookMs} ms`);
  }
});

test('the deadline is one for all requests of a step', async () => {
  await using liar = await startLiar();
  // Metadata, token, keys, user info: each alone would be in time.
  const { error, tookMs } = await outcomeOf(liar, { delayMs: 0.4 * upstreamDeadlineMs });
  assert.ok(failure('unavailable')(error));
  assert.ok(tookMs < upstreamDeadlineMs + slackMs, `${tookMs} ms`);
});

test('the other steps and OAuth 2 have the same limits', async () => {
  await using liar = await startLiar({ answers: { discovery: 'huge' } });
  await assert.rejects(goAndReturn(oidc(liar), { answers: {} }), failure('answer_invalid'));
  await assert.rejects(testUpstream(oidc(liar)), failure('answer_invalid'));
  const oauth2 = {
    upstream: oauth2Upstream,
    configuration: liar.oauth2,
    secrets: { clientSecret: liar.clientSecret },
  };
  for (const endpoint of ['token', 'userinfo'] as const) {
    liar.lies = {};
    const back = await goAndReturn(oauth2, { answers: {} });
    liar.lies = { answers: { [endpoint]: 'endless' } };
    await assert.rejects(finish(oauth2, back), failure('answer_invalid'));
  }
});
