/**
 * Pages in a real browser: the machine's Chromium without a window, driven by playwright-core. Tests that need it are
 * skipped where there is none (`describe(name, { skip: noBrowser }, …)`); `npm test` installs it where it may.
 */
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { chromiumMissing, findChromium } from '../../scripts/chromium.ts';

const executablePath = findChromium();

/** Why there is no browser here; false where there is one. */
export const noBrowser: string | false = executablePath === undefined ? chromiumMissing : false;

/** It asks for nothing by itself: no updates, no lists, no host of its maker. */
const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long a step may take on a busy machine, in milliseconds. */
const patienceMs = 60_000;

export interface RealBrowser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Origins of everything that was asked for. */
  readonly origins: ReadonlySet<string>;
  /** What the browser complained about: scripts that failed, and what a policy of ours kept away. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** A browser that knows nobody, with one empty page; English unless the options name another locale. */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<RealBrowser> {
  const isRoot = process.getuid?.() === 0;
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    // Chromium's own sandbox does not work for root.
    chromiumSandbox: !isRoot,
    args: flags,
    timeout: patienceMs,
  });
  const context = await browser.newContext({ locale: 'en', ...options });
  context.setDefaultTimeout(patienceMs);
  const origins = new Set<string>();
  const complaints: string[] = [];
  context.on('request', (request) => origins.add(new URL(request.url()).origin));
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  return { context, page: await context.newPage(), origins, complaints, close: () => browser.close() };
}

/** Fills in the sign-in page that is open, and sends it. */
export async function signInOn(page: Page, user: { email: string; password: string }): Promise<void> {
  await page.locator('input[name=identifier]').fill(user.email);
  await page.locator('input[name=password]').fill(user.password);
  await page.locator('form[action*="/sign-in"] button[type=submit]').click();
}
