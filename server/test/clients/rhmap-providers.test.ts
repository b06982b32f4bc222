/** `fh-js-sdk` 3.1, unmodified, with policies of RHMAP's types OAUTH2 and OAUTH1, which have no standard for who somebody is. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eachEngine } from '../harness.ts';
import { noOAuth1Lab, type OAuth1Lab, startOAuth1Lab } from '../labs/oauth1.ts';
import { as, whoDenies } from '../labs/oidc-driver.ts';
import { openRhmapPage, type RhmapPage } from './rhmap-page.ts';
import { callbackOf, signIn, startProvider } from './rhmap-redirects.ts';
import { type RhmapLab, startRhmapLab } from './rhmap-support.ts';

eachEngine('fh-js-sdk with OAuth', (engine) => {
  let lab: RhmapLab;
  let page: RhmapPage;
  before(async () => {
    lab = await startRhmapLab(engine);
    page = await openRhmapPage(lab.site.page);
  });
  after(async () => {
    page?.close();
    await lab?.close();
  });

  async function signedIn(policyId: string, expected: Record<string, unknown>): Promise<void> {
    const { landed, ended } = await signIn(lab, page, policyId, as('alice'));
    assert.deepEqual(ended?.result?.authResponse, expected, JSON.stringify(ended));
    assert.deepEqual(await landed.verify(), [null, true]);
    await landed.clearSession();
    landed.close();
  }

  async function refused(policyId: string): Promise<void> {
    const { landed, ended } = await signIn(lab, page, policyId, whoDenies);
    assert.deepEqual(ended?.error, { message: 'provider_refused' });
    assert.deepEqual(await landed.hasSession(), [null, false]);
    landed.close();
  }

  describe('OAUTH2', () => {
    let provider: Awaited<ReturnType<typeof startProvider>>;
    before(async () => {
      provider = await startProvider(lab);
      const { clientId, clientSecret, oauth2 } = provider;
      const { authorizationUrl, tokenUrl, userInfoUrl } = oauth2;
      const urls = { authorizationUrl, tokenUrl, userInfoUrl };
      const configurations = { clientId, clientSecret, ...urls, scope: 'profile email', userIdField: 'login' };
      await lab.makePolicy('oauth2', 'OAUTH2', { configurations });
    });
    after(() => provider?.close());

    test('signs in; the id is the field that the policy names', () =>
      signedIn('oauth2', { id: 'alice', name: 'Alice Example' }));
    test('is refused', () => refused('oauth2'));
  });

  describe('OAUTH1', { skip: noOAuth1Lab }, () => {
    let provider: OAuth1Lab;
    before(async () => {
      provider = await startOAuth1Lab(callbackOf(lab));
      const { requestTokenUrl, authorizeUrl, accessTokenUrl, profileUrl, consumerKey } = provider.oauth1;
      const urls = { requestTokenUrl, authorizeUrl, accessTokenUrl, profileUrl };
      // RHMAP's words for OAuth 2 are taken too.
      const configurations = { clientId: consumerKey, clientSecret: provider.consumerSecret, ...urls };
      await lab.makePolicy('oauth1', 'OAUTH1', { configurations: { ...configurations, userIdField: 'screen_name' } });
    });
    after(() => provider?.close());

    test('signs in; the id is the field that the policy names', () =>
      signedIn('oauth1', { id: 'alice', name: 'Alice Example' }));
    test('is refused', () => refused('oauth1'));
  });
});
