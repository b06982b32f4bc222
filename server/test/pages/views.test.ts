import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { darkStyles, formPostScript, styles } from '../../src/http/pages/assets.ts';
import { formActionOf } from '../../src/http/pages/headers.ts';
import { Html, html } from '../../src/http/pages/html.ts';
import { document } from '../../src/http/pages/layout.ts';
import { chooseLocale, type Locale, locales, messagesOf } from '../../src/http/pages/locale.ts';
import { withParameters } from '../../src/http/pages/respond.ts';
import { contrast, rgbOf, themeCss } from '../../src/http/pages/theme.ts';
import { everyView, hostile } from './every-view.ts';

const branding = { name: 'Acme', darkMode: true, signUp: true };

const pages = (name: string, looks: object = {}) =>
  locales.flatMap((locale) =>
    Object.entries(everyView(locale, name)).map(([title, view]) => ({
      title: `${title} (${locale})`,
      locale,
      view,
      text: document({ branding: { ...branding, ...looks }, locale }, view),
    })),
  );

describe('html`…`', () => {
  it('escapes text and attributes, and takes markup as it is', () => {
    const text = `<a href="x">&'`;
    assert.equal(html`<p title="${text}">${text}</p>`.toString(), `<p title="${esc(text)}">${esc(text)}</p>`);
    assert.equal(html`<ul>${['<', html`<li>${'&'}</li>`]}</ul>`.toString(), '<ul>&lt;<li>&amp;</li></ul>');
  });

  it('writes nothing for undefined and false, and numbers as they are', () => {
    assert.equal(html`[${undefined}${false}${0}]`.toString(), '[0]');
  });

  it('makes lone surrogates well-formed', () => assert.equal(html`${'a\ud800b'}`.toString(), 'a\ufffdb'));

  it('is the only way to markup', () => {
    // @ts-expect-error: only the module has the key.
    assert.throws(() => new Html(Symbol('html'), '<script>'), /html/);
  });
});

const esc = (text: string): string =>
  text
    .replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)
    .replaceAll('&#34;', '&quot;')
    .replaceAll('&#38;', '&amp;')
    .replaceAll('&#60;', '&lt;')
    .replaceAll('&#62;', '&gt;');

describe('every view', () => {
  it('shows stored names literally: no tag, attribute or script comes of them', () => {
    const looks = { name: hostile, logoUrl: `https://img.example/${hostile}`, supportUrl: `javascript:${hostile}` };
    const plainPages = new Map(
      pages('Plain', { name: 'Plain', logoUrl: 'https://img.example/x' }).map((one) => [one.title, one]),
    );
    for (const { title, text } of pages(hostile, looks)) {
      assert.doesNotMatch(text, /<img src=x|onerror=(?![^<>]*&gt;)|<\/script>(?!\n<\/head>)/, title);
      assert.ok(!text.includes('javascript:'), title);
      assert.ok(text.includes(esc(hostile)), `${title} does not show the name at all`);
      assert.ok(text.includes('{{7*7}}') && !text.includes('49}'), title);
      // The same tags, with the same attributes, as with a harmless name.
      assert.deepEqual(tagsOf(text), tagsOf((plainPages.get(title) as { text: string }).text), title);
    }
  });

  it('has a language, a title, one main landmark and one heading', () => {
    for (const { title, text, locale } of pages('Portal')) {
      assert.match(text, new RegExp(`^<!doctype html>\n<html lang="${locale}">`), title);
      assert.match(text, /<title>[^<]+ – Acme<\/title>/, title);
      assert.equal(text.match(/<main>/g)?.length, 1, title);
      assert.equal(text.match(/<h1>/g)?.length, 1, title);
    }
  });

  it('labels each input that is shown, and points to hints and problems that are there', () => {
    for (const { title, text } of pages('Portal')) {
      const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
      assert.equal(new Set(ids).size, ids.length, `${title}: an id twice`);
      for (const [, attributes = ''] of text.matchAll(/<input\b([^>]*)>/g)) {
        if (/type="(hidden|checkbox)"/.test(attributes)) continue;
        const id = /id="([^"]+)"/.exec(attributes)?.[1];
        assert.ok(text.includes(`<label for="${id}">`), `${title}: ${id} has no label`);
        assert.match(attributes, /autocomplete="/, `${title}: ${id}`);
        assert.equal(/maxlength/.test(attributes), id !== 'password', `${title}: nothing is cut off a password`);
        for (const described of /aria-describedby="([^"]+)"/.exec(attributes)?.[1]?.split(' ') ?? []) {
          assert.ok(ids.includes(described), `${title}: ${described} is not there`);
        }
      }
    }
  });

  it('says problems as alerts, and in the title', () => {
    for (const { title, view, text } of pages('Portal')) {
      assert.equal(/role="alert"/.test(text), view.failed === true, title);
      assert.equal(/<title>(Error|エラー): /.test(text), view.failed === true, title);
    }
  });

  it('has no script or style of its own, and asks nobody else for anything', () => {
    for (const { title, text } of pages('Portal')) {
      assert.doesNotMatch(
        text,
        /<style|style="|<script(?! src="\/pages\/form-post\.js\?v=[\w-]+" defer><\/script>)| on\w+="/,
        title,
      );
      for (const [, url = ''] of text.matchAll(/<(?:link|script|img|source)\b[^>]*(?:href|src|srcset)="([^"]*)"/g)) {
        assert.match(url, /^(\/pages\/|data:,$)/, title);
      }
    }
  });

  it('weighs at most 30 kB with its style and script', () => {
    const shared =
      styles.text.length + darkStyles.text.length + formPostScript.text.length + themeCss('2255aa', '88bbff').length;
    for (const { title, text } of pages('Portal')) {
      assert.ok(Buffer.byteLength(text) + shared <= 30_000, `${title}: ${Buffer.byteLength(text) + shared} bytes`);
    }
    assert.ok(gzipSync(styles.text).length < 3000);
  });
});

/** Names and attribute names of all tags, in order. */
const tagsOf = (text: string): string[] =>
  [...text.matchAll(/<(\/?\w+)((?:\s+[\w-]+(?:="[^"]*")?)*)\s*>/g)].map(
    ([, name, attributes = '']) =>
      `${name} ${[...attributes.matchAll(/([\w-]+)(?:="[^"]*")?/g)].map(([, one]) => one)}`,
  );

describe('texts', () => {
  const said = (locale: Locale) =>
    Object.entries(messagesOf[locale]).map(
      ([key, message]) =>
        [key, typeof message === 'function' ? (message as (value: unknown) => string)('X') : message] as const,
    );

  it('are there in every language', () => {
    for (const locale of locales) {
      assert.deepEqual(Object.keys(messagesOf[locale]).sort(), Object.keys(messagesOf.en).sort());
      for (const [key, text] of said(locale)) assert.ok(text.trim() !== '', `${locale} ${key}`);
    }
  });

  it('are in that language, with the names put in', () => {
    const english = new Map(said('en'));
    for (const [key, text] of said('ja')) {
      assert.notEqual(text, english.get(key), key);
      assert.match(text, /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u, key);
      const put = typeof messagesOf.ja[key as keyof typeof messagesOf.ja] === 'function';
      assert.equal(text.includes('X'), put, key);
    }
  });
});

describe('the language of a page', () => {
  const cases: [string[], string | undefined, Locale][] = [
    [[], undefined, 'en'],
    [[], 'ja', 'ja'],
    [[], 'ja-JP,ja;q=0.9,en-US;q=0.8', 'ja'],
    [[], 'en;q=0.5, JA;q=0.9', 'ja'],
    [[], 'fr-CH, de;q=0.9, *;q=0.5', 'en'],
    [[], 'ja;q=0, en', 'en'],
    [[], 'ja;q=oops', 'en'],
    [[], 'jav', 'en'],
    [['fr', 'ja-JP'], 'en', 'ja'],
    [['en'], 'ja', 'en'],
    [['xx'], 'ja', 'ja'],
    [Array.from({ length: 100_000 }, (_, index) => `x${index}`), 'ja', 'ja'],
  ];
  for (const [wanted, accepted, locale] of cases) {
    it(`${wanted.slice(0, 3).join(' ') || 'nothing'} and ${accepted ?? 'no header'} give ${locale}`, () =>
      assert.equal(chooseLocale(wanted, accepted), locale));
  }
});

describe("a tenant's colour", () => {
  const properties = (css: string) =>
    Object.fromEntries([...css.matchAll(/--([\w-]+):#([0-9a-f]{6})/g)].map(([, k, v]) => [k, v]));

  it('gives readable text and a visible button, whichever it is', () => {
    for (const hex of [
      '000000',
      'ffffff',
      'ffd400',
      '777777',
      '00ff00',
      'ff0000',
      '0000ff',
      '24508f',
      '7f7f00',
      'fefefe',
    ]) {
      const [light = '', dark = ''] = themeCss(hex, hex).split('@media');
      for (const [css, card] of [
        [light, 'ffffff'],
        [dark, '1c2028'],
      ] as const) {
        const colors = properties(css) as Record<string, string>;
        assert.equal(colors.accent, hex);
        const ratio = (one: string, other: string) => contrast(rgbOf(colors[one] as string), rgbOf(other));
        assert.ok(ratio('on-accent', hex) >= 4.5, `${hex}: ${ratio('on-accent', hex)} on the button`);
        assert.ok(ratio('accent-text', card) >= 4.5, `${hex}: ${ratio('accent-text', card)} on ${card}`);
        assert.ok(ratio('accent-edge', card) >= 3, `${hex}: ${ratio('accent-edge', card)} beside ${card}`);
      }
    }
  });

  it('of the style sheets themselves is readable too', () => {
    for (const css of [styles.text, darkStyles.text]) {
      const c = Object.fromEntries(
        [...css.matchAll(/--([\w-]+): #([0-9a-f]{6})/g)].map(([, k, v]) => [k, v]),
      ) as Record<string, string>;
      const pairs = [
        'text card',
        'muted card',
        'muted page',
        'text soft',
        'muted soft',
        'danger card',
        'danger danger-soft',
        'accent-text card',
        'accent-text soft',
        'on-accent accent',
        'text page',
      ];
      for (const pair of pairs) {
        const [front = '', back = ''] = pair.split(' ');
        const ratio = contrast(rgbOf(c[front] as string), rgbOf(c[back] as string));
        assert.ok(ratio >= 4.5, `${pair}: ${ratio.toFixed(2)}`);
      }
      assert.ok(contrast(rgbOf(c.edge as string), rgbOf(c.card as string)) >= 3, 'the edge of a field');
    }
  });
});

describe('the way to a client', () => {
  it('lets a form lead to its scheme, and nothing into the policy', () => {
    const cases: [string, string | undefined][] = [
      ['https://app.example/callback?x=1', 'https:'],
      ['http://127.0.0.1:53127/', 'http: https:'],
      ['com.example.app:/callback', 'com.example.app:'],
      ['com.example.app://callback', 'com.example.app:'],
      ["https://a;script-src'none',b/", 'https:'],
      ['not a uri', undefined],
    ];
    for (const [uri, source] of cases) assert.equal(formActionOf(uri), source, uri);
    // With an upstream on the way.
    assert.equal(formActionOf('com.example.app:/cb', 'https://id.example'), 'com.example.app: https:');
    assert.equal(formActionOf('https://app.example/cb', 'https://id.example', 'http://localhost:1'), 'https: http:');
  });

  it('keeps the query of the redirect URI', () => {
    const parameters = { code: 'a b', iss: 'https://x/' };
    const added = 'code=a+b&iss=https%3A%2F%2Fx%2F';
    assert.equal(withParameters('https://app.example/cb', parameters), `https://app.example/cb?${added}`);
    assert.equal(withParameters('https://app.example/cb?a=1', parameters), `https://app.example/cb?a=1&${added}`);
    assert.equal(withParameters('https://app.example/cb?', parameters), `https://app.example/cb?${added}`);
    assert.equal(withParameters('app:/é', parameters), `app:/%C3%A9?${added}`);
  });
});

describe('the pages', () => {
  it('are not loaded by a start: their routes import nothing but types', () => {
    const text = readFileSync(join(import.meta.dirname, '../../src/http/pages/routes.ts'), 'utf8');
    const imports = text.match(/^import .*$/gm) ?? [];
    assert.ok(imports.length > 0);
    for (const line of imports) assert.match(line, /^import type /);
  });
});
