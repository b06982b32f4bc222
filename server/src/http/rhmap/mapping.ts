/** Policies and users as this dialect has them. */
import type { AuthPolicy, AuthPolicyType } from '../../domain/auth-policies/policy.ts';
import type { Services } from '../../domain/context.ts';
import { echo, wrong } from './body.ts';
import { toWire } from './configurations.ts';

/** RHMAP's word for each type; FEEDHENRY is its own users with their passwords. */
const wireTypes: Readonly<Record<AuthPolicyType, string>> = {
  oauth1: 'oauth1',
  oauth2: 'oauth2',
  ldap: 'ldap',
  openid: 'openid',
  password: 'feedhenry',
};
const nativeTypes = new Map(Object.entries(wireTypes).map(([native, wire]) => [wire, native as AuthPolicyType]));

/** Reads a type in any case. Throws `input.invalid`. */
export function readType(text: string): AuthPolicyType {
  const wire = text.toLowerCase();
  if (wire === 'mbaas') {
    throw wrong('policyType MBAAS is not supported: there is no MBaaS here that could decide who somebody is');
  }
  const type = nativeTypes.get(wire);
  if (type === undefined) throw wrong('policyType must be one of oauth1, oauth2, ldap, openid');
  return type;
}

/** A policy as read and list show it. */
export const policyOnWire = (services: Pick<Services, 'outgoing'>, policy: AuthPolicy) => ({
  guid: policy.id,
  policyId: policy.name,
  policyType: wireTypes[policy.type],
  configurations: toWire(services, policy),
  checkUserExists: policy.checkUserExists,
  checkUserApproved: policy.checkUserApproved,
});

interface Named {
  readonly id: string;
  readonly email: string | null;
  readonly username: string | null;
}

/** What a user is called here: what it signs in with. */
export const userIdOnWire = ({ id, email, username }: Named): string => email ?? username ?? id;

export const userNotFound = (userId: string) => wrong(`User not found: ${echo(userId)}`);
