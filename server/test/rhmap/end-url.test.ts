/** The address a sign-in ends at, read as the five SDKs read it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type End, endUrl } from '../../src/http/rhmap/end-url.ts';
import { allCodes } from '../../src/http/rhmap/words.ts';

/** fh-js-sdk: one "?" in all, nothing decoded but `authResponse`, and that twice. */
function byJavaScript(url: string): Record<string, unknown> {
  const [, query = '', ...more] = url.split('?');
  assert.deepEqual(more, [], 'more than one "?"');
  const map = Object.fromEntries(query.split('&').map((pair) => pair.split('=')));
  const { authResponse } = map;
  const read = authResponse && { authResponse: JSON.parse(decodeURIComponent(decodeURIComponent(authResponse))) };
  return { ...map, ...read };
}

/** Android: the fragment is cut, "+" is a space, everything is decoded once. */
function byAndroid(url: string): Record<string, unknown> {
  const plain = url.split('#')[0] as string;
  assert.ok(plain.includes('status=complete'));
  const map = Object.fromEntries(
    (plain.split('?')[1] ?? '')
      .split('&')
      .map((pair) => pair.split('=').map((part) => decodeURIComponent(part.replaceAll('+', ' ')))),
  );
  return map.authResponse === undefined ? map : { ...map, authResponse: JSON.parse(map.authResponse) };
}

/** .NET: the first name keeps its "?". iOS reads the same way. */
function byDotNet(url: string): Record<string, unknown> {
  const query = url.slice(url.indexOf('?'));
  const map = Object.fromEntries(query.split('&').map((pair) => pair.split('=').map(decodeURIComponent)));
  return map.authResponse === undefined ? map : { ...map, authResponse: JSON.parse(map.authResponse) };
}

const authResponse = {
  name: '100% 花子 & "Ken" = a+b ?#%41 \\u0025',
  email: 'a+b%c@example.com',
  picture: 'https://x.example/p.png?a=1&b=%20#x',
};
const ends: Record<string, End> = {
  success: { sessionToken: 'tok_en-0123456789', authResponse },
  failure: { message: 'user_not_found' },
};

describe('RHMAP: the end of a redirect', () => {
  for (const base of [
    'https://app.example/done',
    'https://app.example/done?',
    'https://app.example/done?a=1',
    'https://app.example/done?_fhAuthCallback=done',
    'com.example.app:/done',
  ]) {
    for (const [name, end] of Object.entries(ends)) {
      test(`${name} at ${base}`, () => {
        const url = endUrl(base, end);
        assert.ok(url.startsWith(base), url);
        assert.equal(url.split('?').length, 2, url);
        assert.ok(!url.includes('#'), url);
        assert.match(url, /^[\x21-\x7e]+$/);
        assert.match(url, /&status=complete$/);
        assert.doesNotMatch(url, /[?](result|fh_auth_session|authResponse|message|status)=/);
        for (const read of [byJavaScript, byAndroid, byDotNet]) {
          // A browser may add to the last value.
          for (const seen of [url, ...(read === byAndroid ? [`${url}#_=_`] : [])]) {
            const map = read(seen);
            assert.equal(map.status, 'complete');
            if ('message' in end) {
              assert.deepEqual([map.result, map.message], ['failure', 'user_not_found']);
            } else {
              assert.deepEqual(
                [map.result, map.fh_auth_session, map.authResponse],
                ['success', end.sessionToken, authResponse],
                read.name,
              );
            }
          }
        }
      });
    }
  }
});

test('RHMAP: every code is a bare token, and in the documentation', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/rhmap.md'), 'utf8');
  for (const code of allCodes) {
    assert.match(code, /^[A-Za-z_]+$/);
    assert.ok(page.includes(`\`${code}\``), code);
  }
});
