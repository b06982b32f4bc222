import { authorizationCode } from './authorization-code.ts';
import { clientCredentials } from './client-credentials.ts';
import type { GrantType } from './grant-type.ts';
import { refreshToken } from './refresh-token.ts';

/** The grant types of the token endpoint, by name. */
export const grantTypes: Readonly<Record<string, GrantType>> = Object.assign(Object.create(null), {
  client_credentials: clientCredentials,
  authorization_code: authorizationCode,
  refresh_token: refreshToken,
} satisfies Record<string, GrantType>);
