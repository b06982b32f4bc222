/** `fh-js-sdk` 3.1, unmodified: people sign in at an OpenID Connect provider and come back to the app. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eachEngine } from '../harness.ts';
import { type OidcLab, startOidcLab } from '../labs/oidc.ts';
import { as, type PersonAtProvider, signInAtProvider, whoDenies } from '../labs/oidc-driver.ts';
import { labAccounts } from '../labs/oidc-provider.ts';
import { Browser, makeUser, native, type Page } from '../sign-in/support.ts';
import { openRhmapPage, type RhmapPage } from './rhmap-page.ts';
import { type RhmapLab, startRhmapLab, until } from './rhmap-support.ts';

const callbackPath = '/box/srv/1.1/arm/authCallback';

eachEngine('fh-js-sdk with a provider elsewhere', (engine) => {
  let lab: RhmapLab;
  let provider: OidcLab;
  let page: RhmapPage;
  let guid: string;
  before(async () => {
    lab = await startRhmapLab(engine);
    provider = await startOidcLab([`${lab.server.origin}${callbackPath}`]);
    const { issuer, clientId, clientSecret } = provider;
    const configurations = { issuer, clientId, clientSecret, scope: 'openid profile email' };
    await lab.makePolicy('everybody', 'OPENID', { configurations });
    await lab.makePolicy('known', 'OPENID', { configurations, checkUserExists: 'true' });
    guid = await lab.makePolicy('approved', 'OPENID', { configurations, checkUserApproved: 'true' });
    page = await openRhmapPage(lab.site.page);
  });
  after(async () => {
    page?.close();
    await provider?.close();
    await lab?.close();
  });

  const options = (policyId: string, more: Record<string, unknown> = {}) => ({
    policyId,
    clientToken: lab.clientId,
    endRedirectUrl: lab.site.page,
    authCallback: 'onSignedIn',
    ...more,
  });

  /** Where the SDK sends the page to. */
  async function sentTo(policyId: string, at = page): Promise<string> {
    const outcome = await at.auth(options(policyId));
    assert.ok('sentTo' in outcome, JSON.stringify(outcome));
    assert.equal(new URL(outcome.sentTo).origin, lab.server.origin);
    return outcome.sentTo;
  }

  /** Follows it to the provider, and back to us. Returns where the browser was sent, or stayed. */
  async function follow(url: string, person: PersonAtProvider, browser = new Browser(lab.server)): Promise<Page> {
    const { location = '' } = await browser.open(url);
    assert.ok(location.startsWith(provider.issuer), location);
    const back = await signInAtProvider(location, `${lab.server.origin}${callbackPath}`, person);
    return browser.open(back.url.href);
  }

  /** All of it: what `onSignedIn` of the page is called with that the browser ends at, and that page. */
  async function signIn(policyId: string, person: PersonAtProvider) {
    const { location = '' } = await follow(await sentTo(policyId), person);
    assert.ok(location.startsWith(lab.site.page), location);
    const landed = await openRhmapPage(location);
    return { landed, location, ended: await landed.ended() };
  }

  test('comes back to the page that asked, with a session and all that the provider says of the person', async () => {
    const { landed, location, ended } = await signIn('everybody', as('erin'));
    const { email, name, given_name, family_name } = labAccounts.erin ?? {};
    assert.equal(ended?.error, null);
    assert.deepEqual(ended.result.authResponse, {
      ...{ id: 'erin', email, verified_email: true },
      ...{ name, given_name, family_name },
    });
    assert.equal(location.split('?').length, 2, 'the SDK takes a URL with two of them for none');
    assert.ok(location.endsWith('&status=complete'));

    assert.deepEqual(await landed.hasSession(), [null, true]);
    assert.deepEqual(await landed.verify(), [null, true]);
    const [session] = (await lab.server.rows('sessions')).filter(({ client_id }) => client_id === lab.clientId);
    const user = (await lab.server.rows('users')).find(({ id }) => id === session.user_id);
    assert.deepEqual([user.email, user.name], [email, name], 'the user is made');
    assert.deepEqual(await landed.clearSession(), []);
    assert.deepEqual(await landed.verify(), ['no_session']);
    landed.close();
  });

  test('a provider that vouches for no address', async () => {
    const { landed, ended } = await signIn('everybody', as('carol'));
    assert.deepEqual(ended?.result.authResponse, { id: 'carol', name: '山田 花子' });
    assert.deepEqual(await landed.verify(), [null, true]);
    landed.close();
  });

  test('an address with a query of its own keeps it', async () => {
    const own = `${lab.site.page}?tab=orders`;
    const oidcClientMetadata = { redirectUris: [lab.site.page, own], postLogoutRedirectUris: [] };
    await native(lab.server, 'PATCH', `/applications/${lab.clientId}`, { oidcClientMetadata });
    const outcome = await page.auth(options('everybody', { endRedirectUrl: own }));
    assert.ok('sentTo' in outcome, JSON.stringify(outcome));
    const { location = '' } = await follow(outcome.sentTo, as('erin'));
    assert.ok(location.startsWith(`${own}&_fhAuthCallback=onSignedIn&`), location);
    const landed = await openRhmapPage(location);
    assert.equal((await landed.ended())?.result.authResponse.name, labAccounts.erin?.name);
    assert.deepEqual(await landed.verify(), [null, true]);
    landed.close();
  });

  describe('ends with a code', () => {
    const refused = async (policyId: string, person: PersonAtProvider) => {
      const before = (await lab.server.rows('sessions')).length;
      const { landed, location, ended } = await signIn(policyId, person);
      assert.deepEqual(await landed.hasSession(), [null, false]);
      assert.equal((await lab.server.rows('sessions')).length, before);
      assert.ok(!location.includes('fh_auth_session'), location);
      landed.close();
      return ended?.error;
    };

    test('for who says no at the provider', async () => {
      assert.deepEqual(await refused('everybody', whoDenies), { message: 'provider_refused' });
    });

    test('for who is no user here', async () => {
      assert.deepEqual(await refused('known', as('alice')), { message: 'user_not_found' });
      await makeUser(lab.server, { primaryEmail: 'alice@example.com' });
      const { landed, ended } = await signIn('known', as('alice'));
      assert.equal(ended?.result.authResponse.id, 'alice');
      landed.close();
    });

    test('for who is a user here by an address that nobody vouches for', async () => {
      await makeUser(lab.server, { primaryEmail: 'bob@example.com' });
      assert.deepEqual(await refused('known', as('bob')), { message: 'user_not_found' });
    });

    test('for who is not approved', async () => {
      assert.deepEqual(await refused('approved', as('alice')), { message: 'user_not_approved' });
      await lab.manage('addusers', { guid, users: ['alice@example.com'] });
      const { landed, ended } = await signIn('approved', as('alice'));
      assert.equal(ended?.error, null);
      landed.close();
    });

    test('for who is blocked', async () => {
      const { id } = (await lab.server.rows('users')).find(({ email }) => email === 'alice@example.com');
      await native(lab.server, 'PATCH', `/users/${id}/is-suspended`, { isSuspended: true });
      assert.deepEqual(await refused('everybody', as('alice')), { message: 'user_disabled' });
    });
  });

  test('an address that is not the application’s is not gone to', async () => {
    for (const endRedirectUrl of ['http://127.0.0.1:1/', `${lab.site.page}other`, `${lab.site.page}?x=1`]) {
      const outcome = await page.auth(options('everybody', { endRedirectUrl }));
      assert.ok('failure' in outcome, endRedirectUrl);
      assert.equal(outcome.failure[1].message, 'unregistered_endRedirectUrl');
    }
  });

  test('what was begun is finished by the same browser, once', async () => {
    const url = await sentTo('everybody');
    const browser = new Browser(lab.server);
    const { location = '' } = await browser.open(url);
    const back = await signInAtProvider(location, `${lab.server.origin}${callbackPath}`, as('erin'));
    const before = await lab.server.stateHash();
    const elsewhere = await new Browser(lab.server).open(back.url.href);
    assert.deepEqual([elsewhere.status, elsewhere.location], [404, undefined]);
    assert.equal(await lab.server.stateHash(), before, 'and nothing is used up by others');
    assert.ok((await browser.open(back.url.href)).location?.includes('result=success'));
    const again = await browser.open(back.url.href);
    assert.deepEqual([again.status, again.location], [404, undefined]);
    // So is the address that the app was told to open.
    const opened = await new Browser(lab.server).open(url);
    assert.deepEqual([opened.status, opened.location], [404, undefined]);
  });

  describe('in Cordova, where the SDK watches a browser of its own', () => {
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
        const browser = new Browser(lab.server);
        const end = await follow(inApp.url, person, browser);
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
});
