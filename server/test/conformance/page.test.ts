/** `docs/conformance.md`, the table of modules and the tests say the same. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pageOf, plans } from './plans.ts';

const here = new URL('.', import.meta.url);

test('the page is written from the table', () => {
  assert.equal(readFileSync(new URL('../../../docs/conformance.md', here), 'utf8'), pageOf(plans));
});

test('every module that applies has a test of its name, and no other has one', () => {
  const files = readdirSync(here).filter((name) => name.endsWith('.test.ts') && name !== 'page.test.ts');
  const source = files.map((name) => readFileSync(new URL(name, here), 'utf8')).join('\n');
  const tested = new Set([...source.matchAll(/\bmodule\(\s*'([^']+)'/g)].map(([, name]) => name));
  const expected = new Set<string>();
  for (const { prefix = '', modules } of plans) {
    for (const [name, { doesNotApply }] of Object.entries(modules)) {
      if (doesNotApply === undefined) expected.add(`${prefix}${name}`);
    }
  }
  assert.deepEqual([...tested].sort(), [...expected].sort());
});
