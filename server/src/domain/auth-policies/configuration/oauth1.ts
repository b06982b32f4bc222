import type { GuardSettings } from '../../../upstream/guarded-fetch.ts';
import type { OAuth1Configuration } from '../../../upstream/oauth1/configuration.ts';
import type { Checked } from './configuration.ts';
import { type Fields, flag, refused, requiredText } from './fields.ts';
import { requiredUrl } from './urls.ts';
import { userInfoFields } from './user-info.ts';

/** OAuth 1.0a (RFC 5849). Throws `input.invalid`. */
export function checkOAuth1(guard: GuardSettings, fields: Fields, hasSecret: boolean): Checked<OAuth1Configuration> {
  const configuration = {
    consumerKey: requiredText(fields, 'consumerKey'),
    requestTokenUrl: requiredUrl(guard, fields, 'requestTokenUrl'),
    authorizeUrl: requiredUrl(guard, fields, 'authorizeUrl'),
    accessTokenUrl: requiredUrl(guard, fields, 'accessTokenUrl'),
    profileUrl: requiredUrl(guard, fields, 'profileUrl'),
    fields: userInfoFields(fields),
    emailIsVerified: flag(fields, 'emailIsVerified'),
  };
  if (!hasSecret) throw refused(fields, 'consumerSecret', 'It is required: requests are signed with it.');
  return { configuration, usesSecret: true };
}
