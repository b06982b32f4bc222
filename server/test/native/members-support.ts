/** What the tests of members share: people, machine clients, roles of an API, calls of the native API, refusals. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Answer, TestServer } from '../harness.ts';
import { makeOrganizationRole, nativeToken } from './delegated.ts';

export interface Machine {
  clientId: string;
  clientSecret: string;
}

export class Members {
  readonly server: TestServer;
  readonly token: string;

  private constructor(server: TestServer, token: string) {
    this.server = server;
    this.token = token;
  }

  static async of(server: TestServer): Promise<Members> {
    return new Members(server, await nativeToken(server));
  }

  /** One call of the native API, as the first management client unless told. */
  call(method: string, path: string, json?: unknown, token = this.token): Promise<Answer> {
    return this.server.request(method, `/api${path}`, json === undefined ? { token } : { token, json });
  }

  /** The same; throws unless the status is this one. */
  async expect(status: number, method: string, path: string, json?: unknown, token = this.token) {
    const answer = await this.call(method, path, json, token);
    assert.equal(answer.status, status, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** The call is refused with this status and code, and nothing changed. Returns its body. */
  async refuse(
    [status, code]: readonly [number, string],
    method: string,
    path: string,
    json?: unknown,
    token = this.token,
  ) {
    const before = await this.server.stateHash();
    const answer = await this.call(method, path, json, token);
    assert.equal(answer.status, status, `${method} ${path}: ${answer.status} ${answer.text}`);
    assert.equal(answer.body.code, code, answer.text);
    assert.equal(await this.server.stateHash(), before, `${method} ${path} changed something`);
    return answer.body;
  }

  /** A person; returns the id. */
  async user(name: string): Promise<string> {
    const user = await this.server.manage('POST', '/users', {
      connection: 'Username-Password-Authentication',
      email: `${name.toLowerCase().replaceAll(' ', '.')}.${randomBytes(8).toString('hex')}@example.com`,
      password: `Pw-${randomBytes(12).toString('hex')}`,
      name,
    });
    return String(user.user_id).replace('auth0|', '');
  }

  /** A machine client that no grant reaches. */
  async machine(name = 'Machine', more: Record<string, unknown> = {}): Promise<Machine> {
    const client = await this.server.manage('POST', '/clients', { name, app_type: 'non_interactive', ...more });
    return { clientId: client.client_id, clientSecret: client.client_secret };
  }

  /** Makes a subtree the owner of a client. */
  async own(clientId: string, organizationId: string): Promise<void> {
    await this.server.composed.services.db.transact((trx) =>
      trx
        .updateTable('clients')
        .set({ owner_organization_id: organizationId })
        .where('tenant_id', '=', 'default')
        .where('id', '=', clientId)
        .execute(),
    );
  }

  /** An API with scopes; returns its identifier and the ids of its scopes. */
  async api(scopes: readonly string[]): Promise<{ audience: string; scopeIds: Map<string, string> }> {
    const audience = `https://api-${randomBytes(4).toString('hex')}.example`;
    const api = await this.server.manage('POST', '/resource-servers', {
      identifier: audience,
      name: 'Orders',
      scopes: scopes.map((value) => ({ value })),
    });
    const rows = await this.server.rows('scopes');
    const own = rows.filter(({ resource_server_id }) => resource_server_id === api.id);
    return { audience, scopeIds: new Map(own.map(({ value, id }) => [value, id])) };
  }

  /** An organization role that gives scopes of an API. */
  async roleOf(scopeIds: readonly string[], kind: 'client' | 'user' = 'client'): Promise<string> {
    const roleId = await makeOrganizationRole(this.server, { scopes: [], kind });
    await this.insert(
      'role_scopes',
      scopeIds.map((scope_id) => ({ tenant_id: 'default', role_id: roleId, scope_id })),
    );
    return roleId;
  }

  /** An organization role that gives organization scopes, made of their names. */
  async organizationRole(names: readonly string[], kind: 'client' | 'user' = 'user'): Promise<string> {
    const roleId = await makeOrganizationRole(this.server, { scopes: [], kind });
    const rows = names.map((name) => ({ id: `osc_${randomBytes(8).toString('hex')}`, name }));
    await this.insert(
      'organization_scopes',
      rows.map((row) => ({ tenant_id: 'default', ...row, description: null, created_at: 1 })),
    );
    await this.insert(
      'role_organization_scopes',
      rows.map(({ id }) => ({ tenant_id: 'default', role_id: roleId, organization_scope_id: id })),
    );
    return roleId;
  }

  private async insert(table: 'role_scopes' | 'organization_scopes' | 'role_organization_scopes', rows: object[]) {
    if (rows.length === 0) return;
    await this.server.composed.services.db.transact((trx) =>
      trx
        .insertInto(table)
        .values(rows as never)
        .execute(),
    );
  }

  /** A token request of a client that speaks for an organization. */
  tokenFor(machine: Machine, organization: string, audience: string): Promise<Answer> {
    const credentials = { client_id: machine.clientId, client_secret: machine.clientSecret };
    return this.server.token({ ...credentials, audience, organization });
  }

  /** The scopes of such a token, sorted; undefined when it is refused as not reaching the organization (403). */
  async scopesIn(machine: Machine, organization: string, audience: string): Promise<string[] | undefined> {
    const answer = await this.tokenFor(machine, organization, audience);
    if (answer.status === 403) return undefined;
    assert.equal(answer.status, 200, answer.text);
    return (answer.body.scope ?? '').split(' ').filter(Boolean).sort();
  }
}
