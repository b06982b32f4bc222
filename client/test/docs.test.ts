/** The snippets of the guide and the README compile as they stand, each as a program of its own; those with tests run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const client = join(import.meta.dirname, '..');
const pages = ['../docs/client.md', 'README.md'].map((page) => join(client, page));
const snippets = pages.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, text]) => text as string),
);

describe('the snippets of the guide', () => {
  let folder: string;
  before(() => {
    // Inside the workspace, so that the packages are found.
    folder = mkdtempSync(join(client, 'dist-docs-'));
    snippets.forEach((text, number) => {
      writeFileSync(join(folder, `snippet-${number}.ts`), `${text}\nexport {};\n`);
    });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('compile', () => {
    assert.ok(snippets.length >= 10);
    const extended = { extends: '../../tsconfig.json', compilerOptions: { noUnusedLocals: false }, include: ['*.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(extended));
    const tsc = join(client, '../node_modules/typescript/bin/tsc');
    try {
      execFileSync(process.execPath, [tsc, '--noEmit', '-p', folder], { encoding: 'utf8' });
    } catch (error) {
      assert.fail((error as { stdout: string }).stdout);
    }
  });

  test('run, where they are tests', () => {
    const tests = snippets.flatMap((text, number) => (text.includes("'node:test'") ? [`snippet-${number}.ts`] : []));
    assert.ok(tests.length > 0);
    const args = ['--conditions=sekisho-source', '--test', '--test-reporter=tap', ...tests];
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'NODE_TEST_CONTEXT'));
    const output = execFileSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
    assert.match(output, /# pass 1\n# fail 0/);
  });
});
