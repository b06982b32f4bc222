/** Policies that the tests make: one good configuration of each type. */
import { randomBytes } from 'node:crypto';
import type { TestServer } from '../harness.ts';

export const ldap = {
  url: 'ldaps://ldap.example.com',
  search: { base: 'ou=people,dc=example,dc=com', filter: '(uid={user})', bindDn: 'cn=reader,dc=example,dc=com' },
  bindPassword: 'Bind-pass-9-kept-secret',
};

export const oauth1 = {
  consumerKey: 'sekisho',
  consumerSecret: 'Consumer-9-kept-secret',
  requestTokenUrl: 'https://one.example/request',
  authorizeUrl: 'https://one.example/authorize',
  accessTokenUrl: 'https://one.example/token',
  profileUrl: 'https://api.one.example/me',
};

export const oauth2 = {
  clientId: 'sekisho',
  clientSecret: 'OAuth-2-kept-secret',
  authorizationUrl: 'https://two.example/authorize',
  tokenUrl: 'https://two.example/token',
  userInfoUrl: 'https://api.two.example/user',
};

export const openid = { clientId: 'sekisho', clientSecret: 'OpenId-9-kept-secret', issuer: 'https://id.example' };

export const configurations = { password: {}, ldap, oauth1, oauth2, openid } as const;
export type Type = keyof typeof configurations;

/** The secret of each configuration above. */
export const secrets: Readonly<Partial<Record<Type, readonly [name: string, value: string]>>> = {
  ldap: ['bindPassword', ldap.bindPassword],
  oauth1: ['consumerSecret', oauth1.consumerSecret],
  oauth2: ['clientSecret', oauth2.clientSecret],
  openid: ['clientSecret', openid.clientSecret],
};

export const mask = '********';

export const unused = (what = 'policy'): string => `${what}-${randomBytes(4).toString('hex')}`;

/** Body of a policy of a type. */
export const policyOf = (type: Type, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: unused(),
  type,
  configuration: configurations[type],
  ...more,
});

/** Links a user to somebody upstream, as a sign-in does. */
export const link = (server: TestServer, policyId: string, userId: string, subject = userId): Promise<unknown> =>
  server.composed.services.db.transact((trx) =>
    trx
      .insertInto('identities')
      .values({
        tenant_id: 'default',
        policy_id: policyId,
        issuer: 'https://id.example',
        subject,
        user_id: userId,
        linked_by: 'first_sign_in',
        username: null,
        email: null,
        created_at: 1,
        last_used_at: 1,
      })
      .execute(),
  );
