import assert from 'node:assert/strict';
import { type Run, type RunOptions, run } from './run.ts';

/** The promise is 3 s; a busy machine gets some more. */
const withinMs = 5000;

/** Asserts a refused start: code, one line with `setting` and `cure`, nothing else said, nothing listening. */
export async function assertRefused(options: RunOptions, setting: string, cure: RegExp): Promise<Run> {
  const started = await run(options);
  const { code, afterMs } = await started.ended;
  const said = started.stderr();
  assert.equal(code, 1, said);
  assert.ok(afterMs < withinMs, `took ${afterMs} ms`);
  assert.match(said, /^sekisho: [^\n]+\n$/, 'one line');
  assert.match(said, new RegExp(`^sekisho: ${setting}:? `));
  assert.match(said, cure);
  assert.doesNotMatch(said, /\bat .*:\d+|node:internal|Error:/, 'no stack trace');
  assert.equal(started.stdout(), '');
  return started;
}
