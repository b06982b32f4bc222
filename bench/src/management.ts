import type { Installation } from './server.ts';
import { type Credentials, fetchToken, tokenForm, tokenPath } from './target.ts';
import type { Algorithm } from './token.ts';

/** The few calls of the management API (its Auth0 dialect) that a benchmark needs. */
export class Management {
  readonly #base: string;
  readonly token: string;

  private constructor(base: string, token: string) {
    this.#base = base;
    this.token = token;
  }

  /** Asks for a management token with the installation's administrator. */
  static async open(installation: Installation): Promise<Management> {
    const base = `http://localhost:${installation.port}/api/v2/`;
    const { port, administrator } = installation;
    return new Management(base, await fetchToken({ port, path: tokenPath, form: tokenForm(administrator, base) }));
  }

  async createResourceServer(identifier: string, algorithm: Algorithm, scopes: readonly string[]): Promise<void> {
    await this.call('POST', 'resource-servers', {
      identifier,
      name: `Benchmark ${algorithm}`,
      scopes: scopes.map((value) => ({ value })),
      signing_alg: algorithm,
      token_dialect: 'rfc9068_profile',
    });
  }

  async setSigningAlgorithm(identifier: string, algorithm: Algorithm): Promise<void> {
    await this.call('PATCH', `resource-servers/${encodeURIComponent(identifier)}`, { signing_alg: algorithm });
  }

  async createClient(name: string): Promise<Credentials> {
    const body = await this.call('POST', 'clients', {
      name,
      app_type: 'non_interactive',
      grant_types: ['client_credentials'],
    });
    return { clientId: String(body.client_id), clientSecret: String(body.client_secret) };
  }

  /** Answers the grant's id. */
  async createGrant(clientId: string, audience: string, scope: readonly string[]): Promise<string> {
    const body = await this.call('POST', 'client-grants', { client_id: clientId, audience, scope });
    return String(body.id);
  }

  async renameClient(clientId: string, name: string): Promise<void> {
    await this.call('PATCH', `clients/${clientId}`, { name });
  }

  async deleteClient(clientId: string): Promise<void> {
    await this.call('DELETE', `clients/${clientId}`);
  }

  async deleteGrant(id: string): Promise<void> {
    await this.call('DELETE', `client-grants/${id}`);
  }

  /** The thing at a path, or undefined when the server says that there is none. */
  async find(path: string): Promise<Record<string, unknown> | undefined> {
    const answer = await this.#send('GET', path);
    if (answer.status === 404) {
      await answer.body?.cancel();
      return undefined;
    }
    return this.#read(answer, 'GET', path);
  }

  /** Throws unless the answer is a 2xx that has arrived as a whole. */
  async call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    return this.#read(await this.#send(method, path, body), method, path);
  }

  #send(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` };
    if (body === undefined) return fetch(this.#base + path, { method, headers });
    headers['content-type'] = 'application/json';
    return fetch(this.#base + path, { method, headers, body: JSON.stringify(body) });
  }

  async #read(answer: Response, method: string, path: string): Promise<Record<string, unknown>> {
    const text = await answer.text();
    if (!answer.ok) throw new RefusedError(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? {} : JSON.parse(text);
  }
}

/** The server answered, and said no. */
export class RefusedError extends Error {}
