import type { GuardSettings } from '../../../upstream/guarded-fetch.ts';
import type { OidcConfiguration } from '../../../upstream/oauth2/configuration.ts';
import type { Checked } from './configuration.ts';
import { type Fields, flag, oneOf, optionalText, refused, requiredText } from './fields.ts';
import { optionalIssuer } from './urls.ts';
import { clientAuthMethodOf, scopesOf, userInfoFields } from './user-info.ts';

/** OpenID Connect. Throws `input.invalid`. */
export function checkOpenId(guard: GuardSettings, fields: Fields, hasSecret: boolean): Checked<OidcConfiguration> {
  const issuer = optionalIssuer(guard, fields);
  if (issuer === null) {
    if (optionalText(fields, 'identifier', 2048) !== null) {
      throw refused(fields, 'identifier', 'OpenID 2.0 is not supported, only OpenID Connect: give an issuer.');
    }
    throw refused(fields, 'issuer', 'It is required: the address that the provider calls itself by.');
  }
  const scopes = scopesOf(fields, ['openid', 'email', 'profile']);
  const names = userInfoFields(fields);
  if (names.id !== null && names.id !== 'sub') {
    throw refused(fields, 'fields.id', 'In OpenID Connect it is always sub that tells people apart.');
  }
  const clientAuthMethod = clientAuthMethodOf(fields, hasSecret);
  const configuration = {
    clientId: requiredText(fields, 'clientId'),
    issuer,
    // Without it there is no ID token (OpenID Connect Core §3.1.2.1).
    scopes: scopes.includes('openid') ? scopes : ['openid', ...scopes],
    clientAuthMethod,
    responseMode: oneOf(fields, 'responseMode', ['query', 'form_post']),
    fields: { ...names, id: null },
    emailIsVerified: flag(fields, 'emailIsVerified'),
  };
  return { configuration, usesSecret: clientAuthMethod !== 'none' };
}
