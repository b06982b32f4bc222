/** Devices that people let in: the device's side by requests, the person's by the pages. */
import assert from 'node:assert/strict';
import type { Answer, TestServer } from '../harness.ts';
import { Browser, type IssuerKey, makeApp, type TestClient, type TestUser, tokenRequest } from './support.ts';

export const deviceEndpoints: Record<IssuerKey, string> = { root: '/oauth/device/code', oidc: '/oidc/device/auth' };
export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** A public application on devices. */
export const makeDeviceApp = (server: TestServer, more: Record<string, unknown> = {}): Promise<TestClient> =>
  makeApp(server, 'Native', { name: 'Television', customClientMetadata: { isDeviceFlow: true }, ...more });

/** The device asks for its codes. */
export const askDevice = (
  server: TestServer,
  issuer: IssuerKey,
  client: TestClient,
  more: Record<string, string> = {},
): Promise<Answer> =>
  server.request('POST', deviceEndpoints[issuer], {
    form: {
      client_id: client.clientId,
      ...(client.clientSecret === undefined ? {} : { client_secret: client.clientSecret }),
      scope: 'openid',
      ...more,
    },
  });

/** The device asks for its tokens. */
export const poll = (
  server: TestServer,
  issuer: IssuerKey,
  client: TestClient,
  deviceCode: string,
  more: Record<string, string> = {},
): Promise<Answer> =>
  tokenRequest(server, issuer, client, { grant_type: deviceGrant, device_code: deviceCode, ...more });

/** Types a code on the page, and signs in where that is asked: up to the page that shows what the device asks. */
export async function enterCode(server: TestServer, userCode: string, user: TestUser): Promise<Browser> {
  const browser = new Browser(server);
  await browser.open('/device');
  await browser.submit('/device', { user_code: userCode });
  assert.match(browser.page.url, /\/device\/confirm\?/, browser.page.text);
  if (browser.page.text.includes('/device/sign-in')) await browser.signIn(user);
  assert.match(browser.page.text, /value="allow"/, browser.page.text);
  return browser;
}

/** A whole sign-in, up to the device's next question. */
export async function letIn(
  server: TestServer,
  issuer: IssuerKey,
  client: TestClient,
  user: TestUser,
  more: Record<string, string> = {},
): Promise<{ deviceCode: string; browser: Browser }> {
  const { body } = await askDevice(server, issuer, client, more);
  const browser = await enterCode(server, body.user_code, user);
  await browser.submit('/device/confirm', { decision: 'allow' });
  assert.ok(browser.page.url.endsWith('/device/connected'), browser.page.url);
  return { deviceCode: body.device_code, browser };
}
