import { readJwt } from './token.ts';

/**
 * What the server acknowledged, kept outside of it. A fact is `unsure` from the moment a request that changes it is sent
 * until its answer has arrived: a killed server may have done it or not.
 */
export class Ledger {
  readonly tokens = new Map<string, IssuedToken>();
  readonly clients = new Map<string, RegisteredClient>();
  readonly grants = new Map<string, RegisteredGrant>();
  readonly #revocable: IssuedToken[] = [];

  issued(token: string): IssuedToken {
    const { jti } = readJwt(token).payload;
    if (jti === undefined) throw new Error('An issued token has no jti.');
    const entry: IssuedToken = { jti, token, state: 'alive' };
    this.tokens.set(jti, entry);
    this.#revocable.push(entry);
    return entry;
  }

  /** A random token that nobody has asked to revoke; each is given out once. */
  takeRevocable(): IssuedToken | undefined {
    const index = Math.floor(Math.random() * this.#revocable.length);
    const taken = this.#revocable[index];
    const last = this.#revocable.pop();
    if (last !== undefined && last !== taken) this.#revocable[index] = last;
    return taken;
  }

  registered(id: string, name: string): RegisteredClient {
    const entry: RegisteredClient = { id, names: [name], state: 'there' };
    this.clients.set(id, entry);
    return entry;
  }

  granted(id: string): RegisteredGrant {
    const entry: RegisteredGrant = { id, state: 'there' };
    this.grants.set(id, entry);
    return entry;
  }

  get changes(): number {
    return this.clients.size + this.grants.size;
  }

  get revocations(): number {
    return [...this.tokens.values()].filter((entry) => entry.state === 'revoked').length;
  }
}

export interface IssuedToken {
  jti: string;
  token: string;
  state: 'alive' | 'unsure' | 'revoked';
}

export interface RegisteredClient {
  id: string;
  /** The name it may have: one, or two while a change of it is not acknowledged. */
  names: string[];
  state: 'there' | 'unsure' | 'gone';
}

export interface RegisteredGrant {
  id: string;
  state: 'there' | 'unsure' | 'gone';
}
