/** The directory of the lab, policies for it, and how a refusal looks. */
import assert from 'node:assert/strict';
import { hasOpenldap, openldapMissing } from '../../../../scripts/openldap.ts';
import { UpstreamError, type UpstreamFailure, type UpstreamIdentity } from '../../../src/upstream/identity.ts';
import { authenticateLdap } from '../../../src/upstream/ldap/authenticate.ts';
import type { LdapConfiguration, LdapSecrets } from '../../../src/upstream/ldap/configuration.ts';
import type { LdapLab } from '../../labs/ldap.ts';

/** Why there is no lab here; false where there is one. */
export const noLab: string | false = hasOpenldap() ? false : openldapMissing;

export const services = { guard: { privateTargets: true } };

/** A policy that binds people by their name, at an address where nothing is; `changes` say the rest. */
export const policy = (changes: Partial<LdapConfiguration> = {}): LdapConfiguration => ({
  url: 'ldap://127.0.0.1:1',
  startTls: false,
  caCertificates: null,
  allowsClearText: false,
  authMethod: 'simple',
  dn: 'ou=people,dc=example,dc=com',
  dnPrefix: 'uid',
  search: null,
  realm: null,
  attributes: {
    id: 'entryUUID',
    email: 'mail',
    name: 'cn',
    givenName: 'givenName',
    familyName: 'sn',
    groups: 'memberOf',
  },
  emailIsVerified: true,
  ...changes,
});

/** The same for the lab, over ldaps. */
export const labPolicy = (lab: LdapLab, changes: Partial<LdapConfiguration> = {}): LdapConfiguration =>
  policy({ url: lab.urls.ldaps, caCertificates: lab.caCertificates, ...changes });

/** Search-then-bind below all of the lab, with its search account. */
export const labSearch = (lab: LdapLab, filter: string): Partial<LdapConfiguration> => ({
  dn: null,
  dnPrefix: null,
  search: { base: lab.base, filter, bindDn: lab.searcher.dn },
});

export const labSecrets = (lab: LdapLab): LdapSecrets => ({ bindPassword: lab.searcher.password });

export const signIn = (
  configuration: LdapConfiguration,
  user: string,
  password: string,
  secrets: LdapSecrets = {},
): Promise<UpstreamIdentity> => authenticateLdap(services, configuration, secrets, { user, password });

/** Says no, for this reason, and repeats no password. */
export async function assertRefused(
  attempt: Promise<unknown>,
  failure: UpstreamFailure,
  label: string,
  password = 'password of',
): Promise<void> {
  const error = await attempt.then(
    () => assert.fail(`${label}: was accepted`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UpstreamError, `${label}: ${String(error)}`);
  assert.equal(error.failure, failure, `${label}: ${error.message}`);
  assert.ok(!error.message.includes(password), `${label}: ${error.message}`);
}
