/**
 * What the tests of standard OpenID Connect clients share: a server over https that they trust, a person, an API whose
 * scope a role gives, and applications, made over the Auth0 dialect.
 */
import { randomBytes } from 'node:crypto';
import { Browser, password, type TestUser } from '../sign-in/support.ts';
import { manager, startTrusted, type TrustedServer } from './trusted.ts';

export const audience = 'https://orders.example/';
/** Scopes that Hanako's role gives at the API. */
export const scope = 'read:orders';
export const otherScope = 'list:orders';
export const redirectUri = 'https://app.example/callback';
export const postLogoutRedirectUri = 'https://app.example/bye';

/** The two issuers, as their discovery finds them. */
export const issuerUrls = (server: TrustedServer) => ({ root: server.issuer, oidc: `${server.origin}/oidc` });
export type IssuerKey = keyof ReturnType<typeof issuerUrls>;
export const issuerKeys: readonly IssuerKey[] = ['root', 'oidc'];

export interface People {
  readonly server: TrustedServer;
  readonly manage: ReturnType<typeof manager>;
  readonly hanako: TestUser;
  /** What a client's ID tokens call her. */
  subject(issuer: IssuerKey): string;
  /** A new application; a web application with a secret unless the settings say otherwise. */
  newClient(settings?: Record<string, unknown>): Promise<{ clientId: string; clientSecret: string | undefined }>;
  /** Signs Hanako in at this address, up to where the browser is sent back to. */
  signIn(url: URL, browser?: Browser): Promise<URL>;
  /** Hanako types the code that a device shows, signs in, and answers. */
  answerDevice(device: { verification_uri: string; user_code: string }, decision: 'allow' | 'deny'): Promise<void>;
}

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

export async function startWithPeople(env: Record<string, string> = {}): Promise<People> {
  const server = await startTrusted(env);
  const manage = manager(server);
  await manage('POST', '/resource-servers', {
    identifier: audience,
    name: 'Orders',
    token_dialect: 'rfc9068_profile',
    allow_offline_access: true,
    scopes: [{ value: scope }, { value: otherScope }, { value: 'write:orders' }],
  });
  const email = `hanako-${randomBytes(4).toString('hex')}@example.com`;
  const connection = 'Username-Password-Authentication';
  const user = await manage('POST', '/users', { connection, email, email_verified: true, name: 'Hanako', password });
  const role = await manage('POST', '/roles', { name: 'reader' });
  const permissions = [scope, otherScope].map((permission_name) => ({
    resource_server_identifier: audience,
    permission_name,
  }));
  await manage('POST', `/roles/${role.id}/permissions`, { permissions });
  await manage('POST', `/users/${user.user_id}/roles`, { roles: [role.id] });
  const hanako = { id: (user.user_id as string).slice('auth0|'.length), email, password };
  return {
    server,
    manage,
    hanako,
    subject: (issuer) => (issuer === 'root' ? user.user_id : hanako.id),
    async newClient(settings = {}) {
      const made = await manage('POST', '/clients', {
        name: 'Portal',
        app_type: 'regular_web',
        callbacks: [redirectUri],
        allowed_logout_urls: [postLogoutRedirectUri],
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        ...settings,
      });
      return { clientId: made.client_id, clientSecret: made.client_secret };
    },
    async signIn(url, browser = new Browser(server)) {
      await browser.open(url.href);
      if (browser.page.location === undefined) await browser.signIn(hanako);
      if (browser.page.location === undefined) throw new Error(`no way back: ${browser.page.text.slice(0, 600)}`);
      return new URL(browser.page.location);
    },
    async answerDevice({ verification_uri, user_code }, decision) {
      const browser = new Browser(server);
      await browser.open(verification_uri);
      await browser.submit('/device', { user_code });
      await browser.signIn(hanako);
      await browser.submit('/confirm', { decision });
    },
  };
}
