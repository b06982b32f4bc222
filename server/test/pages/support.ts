/** What the tests of pages share: an interaction begun, and what every answer of a page has. */
import assert from 'node:assert/strict';
import type { TestServer } from '../harness.ts';
import { authorizeUrl, Browser, pkce, type TestClient } from '../sign-in/support.ts';

/** Opens an authorization request in a browser, up to its first page. */
export async function begin(
  server: TestServer,
  client: TestClient,
  more: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Browser> {
  const browser = new Browser(server);
  await reopen(browser, client, more, headers);
  return browser;
}

/** Opens a further authorization request in the same browser. */
export async function reopen(
  browser: Browser,
  client: TestClient,
  more: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<void> {
  const code = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
  await browser.open(authorizeUrl('oidc', client, { ...code, ...more }), headers);
}

/** The interaction that the open page belongs to. */
export const interactionOf = (browser: Browser): string =>
  /\/interaction\/([\w-]+)/.exec(`${browser.page.url} ${browser.page.text}`)?.[1] ?? '';

/** What browsers are told with every page, whatever it says. */
export function assertPageHeaders(headers: Headers, where: string): void {
  const policy = headers.get('content-security-policy') ?? '';
  for (const directive of ["default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) {
    assert.ok(policy.split('; ').includes(directive), `${where}: ${directive} is not in ${policy}`);
  }
  assert.match(policy, /form-action 'self'/, where);
  assert.doesNotMatch(policy, /unsafe|\*|script-src (?!'self'(;|$))/, where);
  assert.equal(headers.get('x-frame-options'), 'DENY', where);
  assert.equal(headers.get('referrer-policy'), 'same-origin', where);
  assert.equal(headers.get('cache-control'), 'no-store', where);
  assert.equal(headers.get('x-content-type-options'), 'nosniff', where);
  assert.match(headers.get('permissions-policy') ?? '', /camera=\(\)/, where);
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8', where);
}

/** Text as a page writes it. */
export const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
