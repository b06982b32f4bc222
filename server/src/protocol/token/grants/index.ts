import { clientCredentials } from './client-credentials.ts';
import type { GrantType } from './grant-type.ts';

/** The grant types of the token endpoint, by name. */
export const grantTypes: Readonly<Record<string, GrantType>> = Object.assign(Object.create(null), {
  client_credentials: clientCredentials,
} satisfies Record<string, GrantType>);
