import { policySessionTokenType } from '../subject-token-types.ts';
import { clientCredentials } from './client-credentials.ts';
import type { GrantType, PersonGrantType } from './grant-type.ts';

/** Grant types for people are loaded when the first one is used (decision 6). */
const forPeople = (
  publicClients: PersonGrantType['publicClients'],
  load: () => Promise<Pick<PersonGrantType, 'redeem'>>,
): PersonGrantType => ({
  speaksFor: 'person',
  publicClients,
  redeem: async (ctx, redeemed) => (await load()).redeem(ctx, redeemed),
});

const anyClient = () => true;

/** An app proves by the session it holds that somebody let it in; other tokens are for who can prove who it is. */
const holdsSession: PersonGrantType['publicClients'] = ({ given }) => given.subjectTokenType === policySessionTokenType;

/** The grant types of the token endpoint, by name. */
export const grantTypes: Readonly<Record<string, GrantType>> = Object.assign(Object.create(null), {
  client_credentials: clientCredentials,
  authorization_code: forPeople(anyClient, () => import('./authorization-code.ts')),
  refresh_token: forPeople(anyClient, () => import('./refresh-token.ts')),
  'urn:ietf:params:oauth:grant-type:device_code': forPeople(anyClient, () => import('./device-code.ts')),
  'urn:ietf:params:oauth:grant-type:token-exchange': forPeople(holdsSession, () => import('./token-exchange.ts')),
} satisfies Record<string, GrantType>);
