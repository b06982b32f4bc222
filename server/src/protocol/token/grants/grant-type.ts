import type { ProtocolContext } from '../../context.ts';
import type { ClientFacts } from '../../token-facts.ts';

/** A grant type fills these hooks; every shared check is the pipeline's. */
export interface GrantType {
  /** What only this grant type asks of a client that is authenticated and allowed. Throws a `Refusal`. */
  check?(ctx: ProtocolContext, client: ClientFacts): Promise<void>;
}
