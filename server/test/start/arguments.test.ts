import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const main = join(import.meta.dirname, '../../start.js');
const run = (...options: string[]) =>
  spawnSync(process.execPath, [main, ...options], { encoding: 'utf8', env: { PATH: process.env.PATH } });

test('--help says what there is and starts nothing', () => {
  const { status, stdout, stderr } = run('--help');
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^Usage: npm start[\s\S]*--json[\s\S]*docs\/configuration\.md/);
});

test('an unknown option is named, in one line, and nothing starts', () => {
  const { status, stdout, stderr } = run('--jsn');
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^sekisho: --jsn is not an option: there are --json and --help[^\n]*\n$/);
});
