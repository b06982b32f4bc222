/** The guides are followed by hand; this keeps what can be checked without hands from going stale. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AuthPolicyConfiguration, LdapAttributes, LdapSearch, UserInfoFields } from '@sekisho/contract';
import { settings } from '../src/config/settings.ts';
import { refusalReasons } from '../src/protocol/refusal.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'docs', 'guides');
const pages = readdirSync(folder);
const english = pages.filter((page) => !page.endsWith('.ja.md'));
const read = (page: string): string => readFileSync(join(folder, page), 'utf8');
const inJapanese = (page: string): string => page.replace(/\.md$/, '.ja.md');

const blocksOf = (text: string): string[] => [...text.matchAll(/^```[\s\S]*?^```$/gm)].map(([block]) => block);
const withoutComments = (block: string): string => block.replace(/\s+#\s.*$/gm, '');

describe('the guides', () => {
  test('are there in English and Japanese, with the same commands and examples', () => {
    assert.deepEqual(english.map(inJapanese), pages.filter((page) => page.endsWith('.ja.md')).toSorted());
    for (const page of english) {
      const [one, other] = [page, inJapanese(page)].map((name) => blocksOf(read(name)).map(withoutComments));
      assert.deepEqual(other, one, page);
      assert.notEqual(one?.length, 0, page);
    }
  });

  test('have the same sections in both languages', () => {
    const levels = (page: string) => headingsOf(read(page)).map((heading) => /^#+/.exec(heading)?.[0]);
    for (const page of english) assert.deepEqual(levels(inJapanese(page)), levels(page), page);
  });

  for (const page of pages) {
    test(`docs/guides/${page} links to what is there`, () => {
      for (const [file, anchor] of linksOf(read(page))) {
        const path = file === '' ? join(folder, page) : join(folder, file);
        assert.ok(existsSync(path), `${file} is not there`);
        if (anchor === undefined) continue;
        const anchors = headingsOf(readFileSync(path, 'utf8')).map(anchorOf);
        assert.ok(anchors.includes(decodeURIComponent(anchor)), `${file} has no section #${anchor}`);
      }
    });
  }

  test('name settings that there are', () => {
    const known = new Set<string>(Object.values(settings).map(({ name }) => name));
    for (const page of pages) {
      for (const [name] of read(page).matchAll(/SEKISHO_[A-Z_]+/g)) assert.ok(known.has(name), `${page}: ${name}`);
    }
  });

  test('name fields of configurations that there are', () => {
    const found = english.flatMap((page) =>
      configurationsIn(read(page)).map((configuration) => ({ page, configuration })),
    );
    assert.ok(found.length > 15, `${found.length}`);
    for (const { page, configuration } of found) {
      assertKnown(configuration, AuthPolicyConfiguration, page);
      assertKnown(configuration.search, LdapSearch, page);
      assertKnown(configuration.attributes, LdapAttributes, page);
      assertKnown(configuration.fields, UserInfoFields, page);
    }
  });

  for (const page of ['auth-policies.md', 'auth-policies.ja.md']) {
    test(`docs/guides/${page} has a cure for every reason why a sign-in fails`, () => {
      const cells = [...read(page).matchAll(/^\| (`.*?`) \|/gm)].map(([, cell]) => cell as string);
      const reasons = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, reason]) => reason as string));
      const ofSignIns = signInFailures();
      assert.deepEqual(
        ofSignIns.filter((reason) => !reasons.includes(reason)),
        [],
      );
      const known = new Set([...ofSignIns, ...Object.keys(refusalReasons)]);
      assert.deepEqual(
        reasons.filter((reason) => !known.has(reason)),
        [],
      );
    });
  }

  test('are reached from both READMEs', () => {
    assert.match(readFileSync(join(root, 'README.md'), 'utf8'), /\(docs\/guides\/README\.md\)/);
    assert.match(readFileSync(join(root, 'README.ja.md'), 'utf8'), /\(docs\/guides\/README\.ja\.md\)/);
  });
});

const headingsOf = (text: string): string[] => text.replace(/^```[\s\S]*?^```$/gm, '').match(/^#+ .*$/gm) ?? [];

/** As GitHub makes them. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

/** Relative ones: file and section. */
function linksOf(text: string): (readonly [file: string, anchor: string | undefined])[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
  return targets
    .filter((target) => !/^https?:/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#');
      return [file, anchor] as const;
    });
}

type Example = Readonly<Record<string, unknown>>;

/** Every `"configuration": {…}`, in JSON or in a command, where the shell puts something in between quotes. */
function configurationsIn(text: string): Example[] {
  const filledIn = text.replace(/'"?\$(?:\w+|\([^)]*\))"?'/g, 'x');
  return [...filledIn.matchAll(/"configuration":\s*(?=\{)/g)].map(({ 0: { length }, index }) =>
    JSON.parse(objectAt(filledIn, index + length)),
  );
}

function objectAt(text: string, start: number): string {
  let depth = 0;
  for (let end = start; end < text.length; end += 1) {
    if (text[end] === '{') depth += 1;
    if (text[end] === '}') depth -= 1;
    if (depth === 0) return text.slice(start, end + 1);
  }
  throw new Error('an object without an end');
}

function assertKnown(example: unknown, { properties }: { properties: object }, page: string): void {
  for (const name of Object.keys(example ?? {})) assert.ok(Object.hasOwn(properties, name), `${page}: ${name}`);
}

/** The types say them, and are gone when this runs. */
function signInFailures(): string[] {
  const source = (...path: string[]) => readFileSync(join(import.meta.dirname, '..', 'src', ...path), 'utf8');
  const literals = (text: string, type: string) => {
    const [declaration = ''] = new RegExp(`export type ${type} =[^;]*;`).exec(text) ?? [];
    return [...declaration.matchAll(/'(\w+)'/g)].map(([, name]) => name as string);
  };
  const own = literals(source('protocol', 'sign-in', 'attempts.ts'), 'SignInFailure');
  const upstream = literals(source('upstream', 'identity.ts'), 'UpstreamFailure');
  assert.ok(own.length > 5 && upstream.length > 5);
  return [...own, ...upstream.map((failure) => `upstream_${failure}`)];
}
