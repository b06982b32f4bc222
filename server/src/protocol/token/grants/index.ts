import type { ProtocolContext } from '../../context.ts';
import type { ClientFacts } from '../../token-facts.ts';
import { clientCredentials } from './client-credentials.ts';

/** A grant type fills these hooks; every shared check is the pipeline's. */
export interface GrantType {
  /** What only this grant type asks of a client that is authenticated and allowed. Throws a `Refusal`. */
  check?(ctx: ProtocolContext, client: ClientFacts): Promise<void>;
}

/** The grant types of the token endpoint, by name. */
export const grantTypes: Readonly<Record<string, GrantType>> = Object.assign(Object.create(null), {
  client_credentials: clientCredentials,
} satisfies Record<string, GrantType>);
