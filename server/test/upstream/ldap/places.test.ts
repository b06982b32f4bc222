import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UpstreamError } from '../../../src/upstream/identity.ts';
import { inPlaceOf } from '../../../src/upstream/ldap/places.ts';

const inTime = () => AbortSignal.timeout(10_000);
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Works that run until they are let go, and how many of them did at once. */
function works() {
  const running = new Set<() => void>();
  let most = 0;
  const work = () =>
    new Promise<void>((resolve) => {
      running.add(resolve);
      most = Math.max(most, running.size);
    });
  return {
    work,
    running: () => running.size,
    most: () => most,
    /** Ends one. */
    end() {
      const [resolve] = running;
      if (resolve !== undefined) running.delete(resolve);
      resolve?.();
    },
  };
}

const unavailable = (error: unknown) => error instanceof UpstreamError && error.failure === 'unavailable';

describe('places at directories', () => {
  it('gives 16 of one directory at a time, and the others in turn', async () => {
    const { work, running, most, end } = works();
    const all = Array.from({ length: 100 }, () => inPlaceOf('one', inTime(), work));
    await nextTurn();
    assert.equal(running(), 16);
    for (let ended = 0; ended < 100; ended += 1) {
      end();
      // Somebody new must not slip in before who was called.
      if (ended === 50) all.push(inPlaceOf('one', inTime(), work));
      await nextTurn();
    }
    end();
    await Promise.all(all);
    assert.equal(most(), 16);
  });

  it('gives 64 of all', async () => {
    const { work, running, most, end } = works();
    const all = Array.from({ length: 120 }, (_, index) => inPlaceOf(`directory ${index % 6}`, inTime(), work));
    await nextTurn();
    assert.equal(running(), 64);
    while (running() > 0) {
      end();
      await nextTurn();
    }
    await Promise.all(all);
    assert.equal(most(), 64);
  });

  it('lets nobody wait longer than its deadline, nor too many wait', async () => {
    const { work, running, end } = works();
    const held = Array.from({ length: 16 }, () => inPlaceOf('hung', inTime(), work));
    const late = Array.from({ length: 256 }, () => inPlaceOf('hung', AbortSignal.timeout(50), work));
    await assert.rejects(inPlaceOf('hung', inTime(), work), unavailable);
    for (const outcome of await Promise.allSettled(late)) {
      assert.equal(outcome.status, 'rejected');
      assert.ok(unavailable((outcome as PromiseRejectedResult).reason));
    }
    // Another directory is not kept waiting, and the places come free again.
    const other = inPlaceOf('works', inTime(), async () => 'served');
    assert.equal(await other, 'served');
    while (running() > 0) {
      end();
      await nextTurn();
    }
    await Promise.all(held);
    assert.equal(await inPlaceOf('hung', inTime(), async () => 'served'), 'served');
  });

  it('gives a place back when the work fails', async () => {
    const fails = () => Promise.reject(new Error('no'));
    const all = Array.from({ length: 40 }, () => inPlaceOf('failing', inTime(), fails));
    for (const outcome of await Promise.allSettled(all)) assert.equal(outcome.status, 'rejected');
    assert.equal(await inPlaceOf('failing', inTime(), async () => 'served'), 'served');
  });
});
