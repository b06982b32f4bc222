import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { describeViolation, findImports, findViolations, readSources } from './floors.ts';

const root = join(import.meta.dirname, '../..');

/** The reason against one import by one file; undefined when it is allowed. */
function reasonAgainst(path: string, specifier: string): string | undefined {
  return findViolations([{ path, text: `import { x } from '${specifier}';\n` }])[0]?.reason;
}

describe('the floors', () => {
  it('hold in every source file: no import runs up', () => {
    const sources = readSources(root);
    assert.ok(sources.length > 0, 'no source files found');
    assert.deepEqual(findViolations(sources).map(describeViolation), []);
  });

  it('fail on an import that runs up, and name file, line and import', () => {
    const text = "// why\nimport { now } from '../kernel/clock.ts';\n\nimport type { App } from '../http/server.ts';\n";
    assert.deepEqual(findViolations([{ path: 'server/src/domain/made-up.ts', text }]).map(describeViolation), [
      "server/src/domain/made-up.ts:4 imports '../http/server.ts': " +
        'domain may not import http, only kernel, storage, upstream, contract',
    ]);
  });

  const allowed: [string, string][] = [
    ['kernel/errors.ts', './clock.ts'],
    ['storage/sqlite.ts', '../kernel/errors.ts'],
    ['storage/sqlite.ts', 'node:sqlite'],
    ['storage/postgres.ts', 'pg'],
    ['upstream/ldap/bind.ts', '../../kernel/errors.ts'],
    ['domain/clients/create.ts', '../../storage/schema.ts'],
    ['domain/clients/create.ts', '@sekisho/contract'],
    ['protocol/token/pipeline.ts', '../../domain/clients/find.ts'],
    ['http/oauth/routes.ts', '../../protocol/token/pipeline.ts'],
    ['http/oauth/routes.ts', '../edge/read.ts'],
    ['http/native/routes.ts', '../changes/changes.ts'],
    ['http/oauth/routes.ts', '../problem.ts'],
    ['http/oauth/routes.ts', './errors.ts'],
    ['http/edge/read.ts', '../problem.ts'],
    ['http/server.ts', './oauth/routes.ts'],
    ['config/settings.ts', '../kernel/errors.ts'],
    ['compose.ts', './config/settings.ts'],
    ['compose.ts', './http/server.ts'],
    ['main.ts', './compose.ts'],
    ['main.ts', '../package.json'],
  ];
  for (const [path, specifier] of allowed) {
    it(`let ${path} import ${specifier}`, () =>
      assert.equal(reasonAgainst(`server/src/${path}`, specifier), undefined));
  }

  const refused: [string, string][] = [
    ['kernel/errors.ts', '../storage/schema.ts'],
    ['kernel/errors.ts', '@sekisho/contract'],
    ['kernel/errors.ts', '../config/settings.ts'],
    ['storage/sqlite.ts', '../upstream/ldap/bind.ts'],
    ['storage/sqlite.ts', '../domain/clients/find.ts'],
    ['upstream/ldap/bind.ts', '../../storage/schema.ts'],
    ['upstream/ldap/bind.ts', '@sekisho/contract'],
    ['domain/clients/create.ts', '../../protocol/errors.ts'],
    ['domain/clients/create.ts', '../../config/settings.ts'],
    ['domain/clients/create.ts', '../../compose.ts'],
    ['domain/clients/create.ts', '@sekisho/bench'],
    ['protocol/token/pipeline.ts', '../../http/edge/read.ts'],
    ['http/oauth/routes.ts', '../native/mapping.ts'],
    ['http/oauth/routes.ts', '../server.ts'],
    ['http/edge/read.ts', '../oauth/routes.ts'],
    ['http/problem.ts', './oauth/routes.ts'],
    ['http/oauth/routes.ts', '../../compose.ts'],
    ['http/oauth/routes.ts', '../../config/settings.ts'],
    ['config/settings.ts', '../domain/clients/find.ts'],
    ['compose.ts', './main.ts'],
    ['helpers/text.ts', '../kernel/text.ts'],
    ['domain/clients/create.ts', '../../../test/harness.ts'],
    ['domain/clients/create.ts', '../../../../contract/src/index.ts'],
    ['domain/clients/create.ts', '@sekisho/server/src/http/server.ts'],
    ['domain/clients/create.ts', '#http/server.ts'],
    ['kernel/errors.ts', 'fastify'],
    ['storage/connect.ts', 'node:http'],
    ['domain/clients/create.ts', '@fastify/cors'],
    ['protocol/token/pipeline.ts', 'node:http'],
    ['domain/clients/create.ts', 'pg'],
    ['http/oauth/routes.ts', 'node:sqlite'],
    ['compose.ts', 'pg'],
  ];
  for (const [path, specifier] of refused) {
    it(`do not let ${path} import ${specifier}`, () =>
      assert.notEqual(reasonAgainst(`server/src/${path}`, specifier), undefined));
  }

  it('stand under the other workspaces too', () => {
    assert.equal(reasonAgainst('contract/src/index.ts', './paging.ts'), undefined);
    assert.equal(reasonAgainst('contract/src/index.ts', 'typebox'), undefined);
    assert.equal(reasonAgainst('console/src/app.tsx', '@sekisho/client'), undefined);
    for (const [path, specifier] of [
      ['contract/src/index.ts', '@sekisho/server'],
      ['contract/src/index.ts', '../../server/src/kernel/errors.ts'],
      ['contract/src/index.ts', 'pg'],
      ['client/src/index.ts', '@sekisho/server'],
      ['console/src/app.tsx', '../../server/src/kernel/errors.ts'],
    ] as const) {
      assert.notEqual(reasonAgainst(path, specifier), undefined, `${path} ${specifier}`);
    }
  });
});

describe('the scanner', () => {
  const reads = (text: string) => findImports(text).map(({ line, specifier }) => `${line} ${specifier}`);

  it('reads every form of an import', () => {
    assert.deepEqual(reads("import a from 'a';"), ['1 a']);
    assert.deepEqual(reads("import a, { type B, c as d } from 'a';"), ['1 a']);
    assert.deepEqual(reads('import * as a from \'a\';\nimport type { B } from "b";\n'), ['1 a', '2 b']);
    assert.deepEqual(reads("import {\n  a, // don't\n  b, /* nor `this` */\n} from 'a';"), ['1 a']);
    assert.deepEqual(reads("import 'a';import'b'"), ['1 a', '1 b']);
    assert.deepEqual(reads("import data from './a.json' with { type: 'json' };"), ['1 ./a.json']);
    assert.deepEqual(reads("export * from 'a';\nexport * as b from 'b';\nexport { c } from 'c';"), [
      '1 a',
      '2 b',
      '3 c',
    ]);
    assert.deepEqual(reads("export type { A } from 'a';\nexport type * from 'b';"), ['1 a', '2 b']);
    assert.deepEqual(reads("const a = await import('a');\ntype B = import('b').B;"), ['1 a', '2 b']);
    assert.deepEqual(reads('const a = await import(\n  /* why */ `a`,\n);'), ['1 a']);
    assert.deepEqual(reads("require('a'); process.getBuiltinModule('b');"), ['1 a', '1 b']);
  });

  it('reports a computed import', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source file.
    for (const text of ['import(name)', "import('a' + name)", 'import(`./${name}.ts`)']) {
      assert.deepEqual(reads(text), ['1 undefined'], text);
      assert.equal(findViolations([{ path: 'server/src/domain/a.ts', text }]).length, 1);
    }
  });

  it('passes over what only looks like an import', () => {
    for (const text of [
      "// import a from 'a';",
      "/*\nimport a from 'a';\n*/",
      '`\nimport a from "a";\n`',
      '"import(\'a\')"',
      "const from = 'a';\nexport { from };\nconst b = 'b';",
      "export const a = 1;\nconst rows = select.from('a');",
      "keys.import('a'); importKey('b'); import.meta.url;",
    ]) {
      assert.deepEqual(reads(text), [], text);
    }
  });

  it('is not led astray by quotes and slashes in regular expressions', () => {
    assert.deepEqual(reads("const quote = /['\"`]/;\nimport a from 'a';"), ['2 a']);
    assert.deepEqual(reads("s.replace(/[/*]/g, '');\nimport a from 'a'; /* */"), ['2 a']);
    assert.deepEqual(reads("const half = a / 2; // it's\nimport b from 'b'; const c = b / 2;"), ['2 b']);
  });
});
