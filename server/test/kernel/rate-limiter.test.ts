import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RateLimiter } from '../../src/kernel/rate-limiter.ts';

const windowMs = 60_000;
const start = windowMs * 1_000;

function at(now = start) {
  const clock = { now: () => clock.time, time: now };
  return clock;
}

test('exactly the limit is let through in a window, and peek counts nothing', () => {
  const clock = at();
  const limiter = new RateLimiter({ clock, limit: 3 });
  for (const remaining of [2, 1, 0]) {
    assert.equal(limiter.peek('k').allowed, true);
    assert.equal(limiter.peek('k').remaining, remaining + 1);
    const state = limiter.hit('k');
    assert.equal(state.allowed, true);
    assert.equal(state.remaining, remaining);
  }
  assert.deepEqual(limiter.peek('k'), { allowed: false, remaining: 0, resetAtMs: start + windowMs + windowMs / 3 });
  assert.deepEqual(limiter.hit('k'), limiter.peek('k'));
  assert.equal(limiter.peek('other').remaining, 3);
});

test('the window slides: hits of the one before fade in proportion', () => {
  const clock = at();
  const limiter = new RateLimiter({ clock, limit: 10 });
  for (let count = 0; count < 10; count += 1) limiter.hit('k');
  clock.time = start + windowMs;
  assert.equal(limiter.peek('k').remaining, 0);
  clock.time = start + windowMs * 1.5;
  assert.equal(limiter.peek('k').remaining, 5);
  clock.time = start + windowMs * 2;
  assert.equal(limiter.peek('k').remaining, 10);
  assert.equal(limiter.size, 0);
});

test('resetAtMs is the very millisecond from which one more hit is let through', () => {
  const steps = fc.array(fc.record({ wait: fc.nat(windowMs), hits: fc.nat(25) }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), steps, (limit, plan) => {
      const clock = at();
      const limiter = new RateLimiter({ clock, limit });
      for (const { wait, hits } of plan) {
        clock.time += wait;
        for (let count = 0; count < hits; count += 1) limiter.hit('k');
      }
      const { allowed, resetAtMs } = limiter.peek('k');
      assert.ok(resetAtMs > clock.time && resetAtMs <= clock.time + 2 * windowMs);
      if (allowed) return;
      clock.time = resetAtMs - 1;
      assert.equal(limiter.peek('k').allowed, false);
      clock.time = resetAtMs;
      assert.equal(limiter.peek('k').allowed, true);
    }),
    { numRuns: 300 },
  );
});

test('no window lets more than the limit through, however the hits fall, and hammering does not lengthen the wait', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.array(fc.nat(20_000), { maxLength: 80 }), (limit, waits) => {
      const clock = at();
      const limiter = new RateLimiter({ clock, limit });
      const allowed = new Map<number, number>();
      for (const wait of waits) {
        clock.time += wait;
        const before = limiter.peek('k');
        const after = limiter.hit('k');
        assert.equal(after.allowed, before.allowed);
        if (!after.allowed) assert.deepEqual(after, before);
        const window = Math.floor(clock.time / windowMs);
        if (after.allowed) allowed.set(window, (allowed.get(window) ?? 0) + 1);
        assert.ok((allowed.get(window) ?? 0) <= limit);
      }
    }),
  );
});

test('it never holds more than its capacity, over both windows', () => {
  const clock = at();
  const limiter = new RateLimiter({ clock, limit: 2, capacity: 100 });
  for (let count = 0; count < 5_000; count += 1) {
    clock.time += 50;
    limiter.hit(`k${count}`);
    assert.ok(limiter.size <= 100);
  }
  assert.ok(limiter.size >= 50);
});

test('a flood of other keys does not lift the limit of a key that has used it up', () => {
  const clock = at();
  const limiter = new RateLimiter({ clock, limit: 2, capacity: 100 });
  for (let count = 0; count < 10; count += 1) for (const _ of [1, 2]) limiter.hit(`held${count}`);
  for (let count = 0; count < 10_000; count += 1) limiter.hit(`flood${count}`);
  for (let count = 0; count < 10; count += 1) assert.equal(limiter.peek(`held${count}`).allowed, false);
  clock.time += windowMs;
  for (let count = 0; count < 10_000; count += 1) limiter.hit(`flood${count}`);
  for (let count = 0; count < 10; count += 1) assert.equal(limiter.peek(`held${count}`).allowed, false);
});

test('the oldest key with hits left goes first', () => {
  const limiter = new RateLimiter({ clock: at(), limit: 5, capacity: 6 });
  for (const key of ['a', 'b', 'c', 'a', 'd']) limiter.hit(key);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => limiter.peek(key).remaining),
    [5, 4, 4, 4],
  );
});

test('when every entry is at its limit a new key is let through uncounted', () => {
  const limiter = new RateLimiter({ clock: at(), limit: 1, capacity: 4 });
  for (const key of ['a', 'b', 'c', 'c']) assert.equal(limiter.hit(key).allowed, true);
  assert.equal(limiter.size, 2);
  assert.equal(limiter.peek('a').allowed, false);
});

test('a flood costs every hit the same short time', () => {
  const limiter = new RateLimiter({ clock: at(), limit: 5 });
  const before = process.cpuUsage();
  for (let count = 0; count < 300_000; count += 1) limiter.hit(`k${count}`);
  // A walk over the gaps of dropped entries would be work for minutes; a busy machine makes it no more.
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 10_000_000, `${user} and ${system} microseconds`);
});

test('a limit of 0 lets everything through and keeps nothing; a key may have its own limit', () => {
  const limiter = new RateLimiter({ clock: at(), limit: 0 });
  for (let count = 0; count < 100; count += 1) {
    assert.deepEqual(limiter.hit('k'), { allowed: true, remaining: Number.POSITIVE_INFINITY, resetAtMs: start });
  }
  assert.equal(limiter.size, 0);
  assert.equal(limiter.hit('own', 1).allowed, true);
  assert.equal(limiter.hit('own', 1).allowed, false);
});

test('long keys are told apart, also when they differ at the very end', () => {
  const limiter = new RateLimiter({ clock: at(), limit: 1 });
  assert.equal(limiter.hit(`${'x'.repeat(1_000)}1`).allowed, true);
  assert.equal(limiter.hit(`${'x'.repeat(1_000)}2`).allowed, true);
  assert.equal(limiter.hit(`${'x'.repeat(1_000)}1`).allowed, false);
});

test('a clock set back does not block a key for longer than two windows', () => {
  const clock = at();
  const limiter = new RateLimiter({ clock, limit: 1 });
  limiter.hit('k');
  clock.time -= 100 * windowMs;
  assert.equal(limiter.peek('k').allowed, false);
  clock.time += 2 * windowMs;
  assert.equal(limiter.peek('k').allowed, true);
});
