/** `fh-js-sdk` 3.1, unmodified, as in an app of Cordova: it opens a browser of its own, and watches where that goes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine } from '../harness.ts';
import { as, whoDenies } from '../labs/oidc-driver.ts';
import { labAccounts } from '../labs/oidc-provider.ts';
import { openRhmapPage } from './rhmap-page.ts';
import { follow, startProvider } from './rhmap-redirects.ts';
import { type RhmapLab, startRhmapLab, until } from './rhmap-support.ts';

eachEngine('fh-js-sdk in Cordova', (engine) => {
  let lab: RhmapLab;
  let provider: Awaited<ReturnType<typeof startProvider>>;
  before(async () => {
    lab = await startRhmapLab(engine);
    provider = await startProvider(lab);
    await lab.makePolicy('everybody', 'OPENID', { configurations: provider.configurations });
  });
  after(async () => {
    await provider?.close();
    await lab?.close();
  });

  /** A page in an app's web view, with the plugin that opens another one. */
  async function openInCordova() {
    const opened: { url: string; isOpen: boolean; goTo(url: string): void }[] = [];
    const cordova = await openRhmapPage(lab.site.page, (window) => {
      window.cordova = {};
      window.open = (url: string) => {
        const listeners: ((event: { url: string }) => void)[] = [];
        const browser = {
          url,
          isOpen: true,
          goTo: (to: string) => listeners.map((listener) => listener({ url: to })),
        };
        opened.push(browser);
        return {
          addEventListener: (name: string, listener: (event: { url: string }) => void) => {
            assert.equal(name, 'loadstart');
            listeners.push(listener);
          },
          close: () => {
            browser.isOpen = false;
          },
        };
      };
    });
    cordova.window.document.dispatchEvent(new cordova.window.Event('deviceready'));
    return { cordova, opened };
  }

  for (const [name, person, expected] of [
    ['signs in', as('erin'), 'You are signed in'],
    ['is refused', whoDenies, 'You are not signed in'],
  ] as const) {
    test(`without an address of its own the browser ends at ours: ${name}`, async () => {
      const { cordova, opened } = await openInCordova();
      const outcome = cordova.auth({ policyId: 'everybody', clientToken: lab.clientId });
      await until(() => opened.length > 0);
      const [inApp] = opened;
      assert.ok(inApp !== undefined);
      const end = await follow(lab, inApp.url, person);
      assert.equal(end.status, 200);
      assert.match(end.text, new RegExp(expected));
      for (const url of [inApp.url, `${provider.issuer}/auth`]) inApp.goTo(url);
      assert.equal(inApp.isOpen, true, 'it goes on watching');
      inApp.goTo(end.url);
      assert.equal(inApp.isOpen, false);
      const came = await outcome;
      if (person === whoDenies) {
        assert.deepEqual(came, { failure: ['auth_failed', { message: 'provider_refused' }] });
      } else {
        assert.ok('success' in came, JSON.stringify(came));
        assert.equal(came.success.authResponse.name, labAccounts.erin?.name);
        assert.deepEqual(await cordova.verify(), [null, true]);
      }
      cordova.close();
    });
  }
});
