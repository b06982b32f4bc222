import type { GuardSettings } from '../../../upstream/guarded-fetch.ts';
import type { OAuth2Configuration } from '../../../upstream/oauth2/configuration.ts';
import type { Checked } from './configuration.ts';
import { type Fields, flag, refused, requiredText } from './fields.ts';
import { optionalIssuer, optionalUrl } from './urls.ts';
import { clientAuthMethodOf, scopesOf, userInfoFields } from './user-info.ts';

/** OAuth 2 (RFC 6749): by the issuer's metadata, or by each endpoint. Throws `input.invalid`. */
export function checkOAuth2(guard: GuardSettings, fields: Fields, hasSecret: boolean): Checked<OAuth2Configuration> {
  const clientAuthMethod = clientAuthMethodOf(fields, hasSecret);
  const configuration = {
    clientId: requiredText(fields, 'clientId'),
    issuer: optionalIssuer(guard, fields),
    authorizationUrl: optionalUrl(guard, fields, 'authorizationUrl'),
    tokenUrl: optionalUrl(guard, fields, 'tokenUrl'),
    userInfoUrl: optionalUrl(guard, fields, 'userInfoUrl'),
    scopes: scopesOf(fields, []),
    clientAuthMethod,
    fields: userInfoFields(fields),
    emailIsVerified: flag(fields, 'emailIsVerified'),
  };
  if (configuration.issuer === null) {
    for (const name of ['authorizationUrl', 'tokenUrl', 'userInfoUrl'] as const) {
      if (configuration[name] === null) throw refused(fields, name, 'It is required unless issuer is given.');
    }
  }
  return { configuration, usesSecret: clientAuthMethod !== 'none' };
}
