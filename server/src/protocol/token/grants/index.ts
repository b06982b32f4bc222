import { clientCredentials } from './client-credentials.ts';
import type { GrantType, PersonGrantType } from './grant-type.ts';

/** Grant types for people are loaded when the first one is used (decision 6). */
const forPeople = (publicClients: boolean, load: () => Promise<Pick<PersonGrantType, 'redeem'>>): PersonGrantType => ({
  speaksFor: 'person',
  publicClients,
  redeem: async (ctx, redeemed) => (await load()).redeem(ctx, redeemed),
});

/** The grant types of the token endpoint, by name. */
export const grantTypes: Readonly<Record<string, GrantType>> = Object.assign(Object.create(null), {
  client_credentials: clientCredentials,
  authorization_code: forPeople(true, () => import('./authorization-code.ts')),
  refresh_token: forPeople(true, () => import('./refresh-token.ts')),
  'urn:ietf:params:oauth:grant-type:device_code': forPeople(true, () => import('./device-code.ts')),
  'urn:ietf:params:oauth:grant-type:token-exchange': forPeople(false, () => import('./token-exchange.ts')),
} satisfies Record<string, GrantType>);
