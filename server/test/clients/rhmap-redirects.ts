/** The way of a person from an RHMAP app's page to a provider of the labs, and back. */
import assert from 'node:assert/strict';
import { type OidcLab, startOidcLab } from '../labs/oidc.ts';
import { type PersonAtProvider, signInAtProvider } from '../labs/oidc-driver.ts';
import { Browser, type Page } from '../sign-in/support.ts';
import { openRhmapPage, type RhmapPage } from './rhmap-page.ts';
import type { RhmapLab } from './rhmap-support.ts';

/** Where every provider sends people back to. */
export const callbackOf = ({ server }: RhmapLab): string => `${server.origin}/box/srv/1.1/arm/authCallback`;

/** Starts an OpenID Connect provider, with the `configurations` of a policy for it. */
export async function startProvider(lab: RhmapLab): Promise<OidcLab & { configurations: Record<string, unknown> }> {
  const provider = await startOidcLab([callbackOf(lab)]);
  const { issuer, clientId, clientSecret } = provider;
  return { ...provider, configurations: { issuer, clientId, clientSecret, scope: 'openid profile email' } };
}

/** Options of `$fh.auth` for the page of the site. */
export const redirectOptions = (
  { clientId, site }: RhmapLab,
  policyId: string,
  more: Record<string, unknown> = {},
) => ({
  policyId,
  clientToken: clientId,
  endRedirectUrl: site.page,
  authCallback: 'onSignedIn',
  ...more,
});

/** Where the SDK sends the page to. */
export async function sentTo(
  lab: RhmapLab,
  page: RhmapPage,
  policyId: string,
  more: Record<string, unknown> = {},
): Promise<string> {
  const outcome = await page.auth(redirectOptions(lab, policyId, more));
  assert.ok('sentTo' in outcome, JSON.stringify(outcome));
  assert.equal(new URL(outcome.sentTo).origin, lab.server.origin);
  return outcome.sentTo;
}

/** Follows it to the provider, and back to us. Returns where the browser was sent, or stayed. */
export async function follow(lab: RhmapLab, url: string, person: PersonAtProvider): Promise<Page> {
  const browser = new Browser(lab.server);
  const { location = '' } = await browser.open(url);
  assert.match(location, /^http:\/\/127\.0\.0\.1:/, 'it is sent to the provider');
  const back = await signInAtProvider(location, callbackOf(lab), person);
  return browser.open(back.url.href);
}

/** All of it: the page that the browser ends at, and what its `onSignedIn` is called with. */
export async function signIn(lab: RhmapLab, page: RhmapPage, policyId: string, person: PersonAtProvider) {
  const { location = '' } = await follow(lab, await sentTo(lab, page, policyId), person);
  assert.ok(location.startsWith(lab.site.page), location);
  const landed = await openRhmapPage(location);
  return { landed, location, ended: await landed.ended() };
}
