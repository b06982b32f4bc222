import assert from 'node:assert/strict';
import { type Run, type RunOptions, run } from './run.ts';

/** The promise is 3 s; a busy machine gets some more. */
const withinMs = 5000;
/** A start that is refused takes no longer than so many starts that do nothing but say no. */
const withinStarts = 20;

/** Asserts a refused start: code, one line with `setting` and `cure`, nothing else said, nothing listening. */
export async function assertRefused(options: RunOptions, setting: string, cure: RegExp): Promise<Run> {
  const started = await runSoon(options);
  const { code } = await started.ended;
  const said = started.stderr();
  assert.equal(code, 1, said);
  assert.match(said, /^sekisho: [^\n]+\n$/, 'one line');
  assert.match(said, new RegExp(`^sekisho: ${setting}:? `));
  assert.match(said, cure);
  assert.doesNotMatch(said, /\bat .*:\d+|node:internal|Error:/, 'no stack trace');
  assert.equal(started.stdout(), '');
  return started;
}

/**
 * A machine that stands still, or has too much to do, is not the start's fault: then it may try again, and is measured
 * by what another process takes just now.
 */
async function runSoon(options: RunOptions): Promise<Run> {
  const took: string[] = [];
  for (let tries = 1; tries <= 3; tries += 1) {
    const started = await run(options);
    const { afterMs } = await started.ended;
    if (afterMs < withinMs) return started;
    const { afterMs: nothingMs } = await (await run({ args: ['--nothing'] })).ended;
    if (afterMs < withinStarts * nothingMs) return started;
    took.push(`${afterMs.toFixed(0)} ms while --nothing took ${nothingMs.toFixed(0)} ms`);
  }
  return assert.fail(took.join(', '));
}
