/** The page of an RHMAP app in Chromium: `fh-js-sdk` sends it to a provider and back, under a real browser's rules. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { noBrowser, openBrowser, type RealBrowser } from '../browser.ts';
import { eachEngine } from '../harness.ts';
import { labAccounts } from '../labs/oidc-provider.ts';
import { makeUser, type TestUser } from '../sign-in/support.ts';
import { startProvider } from './rhmap-redirects.ts';
import { type RhmapLab, startRhmapLab, until } from './rhmap-support.ts';

eachEngine('fh-js-sdk in Chromium', (engine) => {
  describe('a page of an origin of its own', { skip: noBrowser }, () => {
    let lab: RhmapLab;
    let provider: Awaited<ReturnType<typeof startProvider>>;
    let user: TestUser;
    before(async () => {
      lab = await startRhmapLab(engine);
      provider = await startProvider(lab);
      await lab.makePolicy('elsewhere', 'OPENID', { configurations: provider.configurations });
      await lab.makePolicy('staff', 'FEEDHENRY');
      user = await makeUser(lab.server);
    });
    after(async () => {
      await provider?.close();
      await lab?.close();
    });

    async function inBrowser(work: (browser: RealBrowser) => Promise<void>): Promise<void> {
      const browser = await openBrowser();
      try {
        await work(browser);
        const known = [lab.site.origin, lab.server.origin, provider.issuer, 'null'];
        assert.deepEqual(
          [...browser.origins].filter((origin) => !known.includes(origin)),
          [],
        );
        assert.deepEqual(browser.complaints, []);
      } finally {
        await browser.close();
      }
    }

    /** What the page shows, once it shows something. */
    async function shown(page: Page, id: string) {
      await page.locator(`#${id}:not(:empty)`).waitFor({ state: 'attached' });
      return JSON.parse((await page.locator(`#${id}`).textContent()) ?? '');
    }

    async function verified(page: Page) {
      // Before that the SDK does not know whom to ask.
      await page.locator('html[data-ready]').waitFor({ state: 'attached' });
      await page.locator('#verified').evaluate((element) => element.replaceChildren());
      await page.getByRole('button', { name: 'Verify' }).click();
      return shown(page, 'verified');
    }

    async function signIn(page: Page, answer: string): Promise<void> {
      await page.goto(lab.site.page);
      await page.locator('#policy').fill('elsewhere');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL(`${provider.issuer}/**`);
      await page.getByLabel('Name').fill('erin');
      await page.getByRole('button', { name: answer }).click();
      await page.waitForURL(`${lab.site.page}?**`);
    }

    test('goes to the provider, comes back signed in, stays so, and signs out', () =>
      inBrowser(async ({ page }) => {
        await signIn(page, 'Sign in');
        const { error, result } = await shown(page, 'ended');
        assert.equal(error, null);
        assert.equal(result.authResponse.name, labAccounts.erin?.name);
        assert.equal(result.authResponse.email, labAccounts.erin?.email);
        assert.deepEqual(await verified(page), { error: null, isValid: true });
        // Opened anew it knows its person from what the SDK stored.
        await page.goto(lab.site.page);
        assert.deepEqual(await verified(page), { error: null, isValid: true });
        assert.equal((await lab.server.rows('sessions')).length, 1);
        await page.locator('#verified').evaluate((element) => element.replaceChildren());
        await page.getByRole('button', { name: 'Sign out' }).click();
        assert.deepEqual(await shown(page, 'verified'), { cleared: true });
        await until(async () => (await lab.server.rows('sessions')).length === 0);
        assert.deepEqual(await verified(page), { error: 'no_session' });
      }));

    test('comes back with a code when the person says no', () =>
      inBrowser(async ({ page }) => {
        await signIn(page, 'Deny');
        assert.deepEqual(await shown(page, 'ended'), { error: { message: 'provider_refused' } });
        assert.deepEqual(await verified(page), { error: 'no_session' });
        assert.deepEqual(await lab.server.rows('sessions'), []);
      }));

    test('asks across origins with a name and a password, without a cookie and never by JSONP', () =>
      inBrowser(async ({ page, context }) => {
        await page.goto(lab.site.page);
        const { length } = lab.requests;
        const params = { userId: user.email, password: user.password };
        const came = await page.evaluate(
          (options) =>
            new Promise((resolve) => {
              const { $fh } = globalThis as unknown as { $fh: { auth(...args: unknown[]): void } };
              $fh.auth(options, resolve, (code: unknown, error: unknown) => resolve({ code, error }));
            }),
          { policyId: 'staff', clientToken: lab.clientId, params },
        );
        assert.equal((came as { userId: string }).userId, user.email);
        assert.deepEqual(await verified(page), { error: null, isValid: true });
        const asked = lab.requests.slice(length).filter(({ url }) => url.endsWith('/auth'));
        assert.deepEqual(
          asked.map(({ method }) => method),
          ['OPTIONS', 'POST'],
        );
        assert.ok(!lab.requests.some(({ method, url }) => method === 'GET' && url.includes('jsonp')));
        assert.deepEqual(await context.cookies(lab.server.origin), []);
      }));
  });
});
