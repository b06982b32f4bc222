/** Whose people the people of a policy are. */
import { issuerOf as issuerOfDirectory } from '../../upstream/ldap/configuration.ts';
import { issuerOf as issuerOfOAuth1 } from '../../upstream/oauth1/configuration.ts';
import { issuerOf as issuerOfOAuth2 } from '../../upstream/oauth2/configuration.ts';
import type { TypedConfiguration } from './policy.ts';

/** As identities name it; undefined: our own. */
export function issuerOfPolicy({ type, configuration }: TypedConfiguration): string | undefined {
  switch (type) {
    case 'password':
      return undefined;
    case 'ldap':
      return issuerOfDirectory(configuration);
    case 'oauth1':
      return issuerOfOAuth1(configuration);
    case 'oauth2':
      return issuerOfOAuth2(configuration);
    case 'openid':
      return configuration.issuer;
  }
}
