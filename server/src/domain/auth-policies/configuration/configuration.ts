/**
 * The configuration of a policy: read from a request in the words of the native API, checked by its type, parted from its
 * secret. The checkers have a file each; where a secret may go is `../targets.ts`.
 */

import { invalid } from '../../../kernel/errors.ts';
import type { GuardSettings } from '../../../upstream/guarded-fetch.ts';
import { type AuthPolicySecrets, type AuthPolicyType, secretMask, type TypedConfiguration } from '../policy.ts';
import { sameTarget, secretOfType } from '../targets.ts';
import { fieldsOf, type Given, pathOf } from './fields.ts';
import { checkLdap } from './ldap.ts';
import { checkOAuth1 } from './oauth1.ts';
import { checkOAuth2 } from './oauth2.ts';
import { checkOpenId } from './openid.ts';

export interface CheckedConfiguration {
  readonly typed: TypedConfiguration;
  readonly secrets: AuthPolicySecrets;
}

/** What a checker says; `usesSecret`: without it, a secret that comes with the configuration has no place to go. */
export interface Checked<Configuration> {
  readonly configuration: Configuration;
  readonly usesSecret: boolean;
}

/**
 * Checks a configuration as a whole; `stored` is what there was of the same policy. Throws `input.invalid` naming
 * `configuration.<field>`.
 */
export function checkConfiguration(
  guard: GuardSettings,
  type: AuthPolicyType,
  given: Given,
  stored?: CheckedConfiguration,
): CheckedConfiguration {
  const before = stored?.typed.type === type ? stored : undefined;
  const secret = secretAfter(type, given, before);
  const { typed, usesSecret } = checkTyped(guard, type, given, secret !== undefined);
  const name = secretOfType[type];
  if (name === undefined || secret === undefined) return { typed, secrets: {} };
  if (!usesSecret) {
    if (secret.kept) return { typed, secrets: {} };
    throw invalid(pathOf(name), 'Nothing in this configuration uses it.');
  }
  if (secret.kept && before !== undefined && !sameTarget(before.typed, typed)) {
    throw invalid(pathOf(name), 'Where it goes, or what is trusted there, is to change: give the secret again.');
  }
  return { typed, secrets: { [name]: secret.value } };
}

function checkTyped(
  guard: GuardSettings,
  type: AuthPolicyType,
  given: Given,
  hasSecret: boolean,
): { typed: TypedConfiguration; usesSecret: boolean } {
  const fields = fieldsOf(given);
  const typed = <Type extends AuthPolicyType, Configuration>(of: Type, checked: Checked<Configuration>) => ({
    typed: { type: of, configuration: checked.configuration },
    usesSecret: checked.usesSecret,
  });
  switch (type) {
    case 'password':
      return { typed: { type, configuration: {} }, usesSecret: false };
    case 'ldap':
      return typed(type, checkLdap(guard, fields, hasSecret));
    case 'oauth1':
      return typed(type, checkOAuth1(guard, fields, hasSecret));
    case 'oauth2':
      return typed(type, checkOAuth2(guard, fields, hasSecret));
    case 'openid':
      return typed(type, checkOpenId(guard, fields, hasSecret));
  }
}

const longestSecret = 4096;

/** The mask, or nothing, means the stored one; null means none. */
function secretAfter(
  type: AuthPolicyType,
  given: Given,
  before: CheckedConfiguration | undefined,
): { value: string; kept: boolean } | undefined {
  const name = secretOfType[type];
  if (name === undefined) return undefined;
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  if (value === null) return undefined;
  if (value === undefined || value === secretMask) {
    const kept = before?.secrets[name];
    if (kept !== undefined) return { value: kept, kept: true };
    if (value === undefined) return undefined;
    throw invalid(pathOf(name), 'It is the mask, and no secret is stored that it could stand for.');
  }
  if (typeof value !== 'string' || value === '' || value.length > longestSecret || value.includes('\0')) {
    throw invalid(pathOf(name), `It must be a string of 1 to ${longestSecret} characters.`);
  }
  return { value, kept: false };
}
