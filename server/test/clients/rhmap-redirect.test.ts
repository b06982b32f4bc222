/** `fh-js-sdk` 3.1, unmodified: people sign in at an OpenID Connect provider and come back to the app. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eachEngine } from '../harness.ts';
import { as, type PersonAtProvider, signInAtProvider, whoDenies } from '../labs/oidc-driver.ts';
import { labAccounts } from '../labs/oidc-provider.ts';
import { Browser, makeUser, native } from '../sign-in/support.ts';
import { openRhmapPage, type RhmapPage } from './rhmap-page.ts';
import { callbackOf, follow, redirectOptions, sentTo, signIn, startProvider } from './rhmap-redirects.ts';
import { type RhmapLab, startRhmapLab } from './rhmap-support.ts';

eachEngine('fh-js-sdk with a provider elsewhere', (engine) => {
  let lab: RhmapLab;
  let provider: Awaited<ReturnType<typeof startProvider>>;
  let page: RhmapPage;
  let guid: string;
  before(async () => {
    lab = await startRhmapLab(engine);
    provider = await startProvider(lab);
    const { configurations } = provider;
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

  test('comes back to the page that asked, with a session and all that the provider says of the person', async () => {
    const { landed, location, ended } = await signIn(lab, page, 'everybody', as('erin'));
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
    const { landed, ended } = await signIn(lab, page, 'everybody', as('carol'));
    assert.deepEqual(ended?.result.authResponse, { id: 'carol', name: '山田 花子' });
    assert.deepEqual(await landed.verify(), [null, true]);
    landed.close();
  });

  test('an address with a query of its own keeps it', async () => {
    const own = `${lab.site.page}?tab=orders`;
    const oidcClientMetadata = { redirectUris: [lab.site.page, own], postLogoutRedirectUris: [] };
    await native(lab.server, 'PATCH', `/applications/${lab.clientId}`, { oidcClientMetadata });
    const url = await sentTo(lab, page, 'everybody', { endRedirectUrl: own });
    const { location = '' } = await follow(lab, url, as('erin'));
    assert.ok(location.startsWith(`${own}&_fhAuthCallback=onSignedIn&`), location);
    const landed = await openRhmapPage(location);
    assert.equal((await landed.ended())?.result.authResponse.name, labAccounts.erin?.name);
    assert.deepEqual(await landed.verify(), [null, true]);
    landed.close();
  });

  describe('ends with a code', () => {
    const refused = async (policyId: string, person: PersonAtProvider) => {
      const before = (await lab.server.rows('sessions')).length;
      const { landed, location, ended } = await signIn(lab, page, policyId, person);
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
      const { landed, ended } = await signIn(lab, page, 'known', as('alice'));
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
      const { landed, ended } = await signIn(lab, page, 'approved', as('alice'));
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
      const outcome = await page.auth(redirectOptions(lab, 'everybody', { endRedirectUrl }));
      assert.ok('failure' in outcome, endRedirectUrl);
      assert.equal(outcome.failure[1].message, 'unregistered_endRedirectUrl');
    }
  });

  test('what was begun is finished by the same browser, once', async () => {
    const url = await sentTo(lab, page, 'everybody');
    const browser = new Browser(lab.server);
    const { location = '' } = await browser.open(url);
    const back = await signInAtProvider(location, callbackOf(lab), as('erin'));
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
});
