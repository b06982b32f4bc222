/** What the types that answer with claims about a person have in common. */

import { isScopeToken } from '../../../kernel/text.ts';
import type { UserInfoFields } from '../../../upstream/oauth2/configuration.ts';
import { type Fields, nameOr, oneOf, optionalFields, optionalList, optionalText, refused } from './fields.ts';

/** Where in the answer what stands; what the caller does not name is the standard claim. */
export function userInfoFields(fields: Fields): UserInfoFields {
  const names = optionalFields(fields, 'fields');
  const of = (name: keyof UserInfoFields) => nameOr(names, name, null);
  return {
    id: of('id'),
    email: of('email'),
    emailVerified: of('emailVerified'),
    username: of('username'),
    name: of('name'),
    givenName: of('givenName'),
    familyName: of('familyName'),
    picture: of('picture'),
    groups: of('groups'),
  };
}

const mostScopes = 50;

/** Scopes to ask for, each once. Throws `input.invalid`. */
export function scopesOf(fields: Fields, otherwise: readonly string[]): readonly string[] {
  const scopes = optionalList(fields, 'scopes', mostScopes);
  if (scopes === null) return otherwise;
  for (const [index, scope] of scopes.entries()) {
    if (scope.length > 256 || !isScopeToken(scope)) {
      throw refused(fields, `scopes.${index}`, 'A scope is printable ASCII without space, quote and backslash.');
    }
  }
  return [...new Set(scopes)];
}

const authMethods = ['client_secret_basic', 'client_secret_post', 'none'] as const;

/** How the client proves itself at the token endpoint; it needs its secret for all but `none`. Throws `input.invalid`. */
export function clientAuthMethodOf(fields: Fields, hasSecret: boolean): (typeof authMethods)[number] {
  if (optionalText(fields, 'clientAuthMethod') === null) return hasSecret ? 'client_secret_basic' : 'none';
  const method = oneOf(fields, 'clientAuthMethod', authMethods);
  if (method !== 'none' && !hasSecret) throw refused(fields, 'clientSecret', `${method} needs it.`);
  return method;
}
