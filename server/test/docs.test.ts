import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { configurationPage, errorsPage, pages } from '../../scripts/docs.ts';
import { settings } from '../src/config/settings.ts';
import { logKinds } from '../src/domain/logs/kinds.ts';
import { errorCatalogue } from '../src/kernel/errors.ts';
import { refusalReasons } from '../src/protocol/refusal.ts';

describe('the generated pages', () => {
  for (const { path, text } of pages) {
    test(`docs/${basename(path)} is what the code says (npm run docs makes it so)`, () => {
      assert.equal(readFileSync(path, 'utf8'), text());
    });
  }

  test('the configuration page lists every setting once', () => {
    const page = configurationPage();
    for (const { name } of Object.values(settings)) assert.equal(page.split(`| \`${name}\` |`).length, 2, name);
  });

  test('the errors page lists every code, every reason and every kind of log event once', () => {
    const page = errorsPage();
    const names = [errorCatalogue, refusalReasons, logKinds].flatMap((table) => Object.keys(table));
    // A code and a kind of log event may have the same name.
    const expected = Map.groupBy(names, (name) => name);
    // At the beginning of a row: some reasons are also the word that a caller is told.
    for (const [name, same] of expected) assert.equal(page.split(`\n| \`${name}\` |`).length - 1, same.length, name);
  });

  test('no row says nothing', () => {
    for (const { text } of pages) assert.doesNotMatch(text(), /\| +\||undefined/);
  });
});
