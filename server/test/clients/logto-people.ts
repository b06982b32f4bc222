/**
 * What the tests of Logto's own clients share: a person, an API, organizations with roles, made over the management API of
 * Logto's shape; and the clients as their users set them up.
 */
import LogtoClient, { type LogtoConfig, UserScope } from '@logto/node';
import type { TestServer } from '../harness.ts';
import { makeUser, native, type TestClient, type TestUser } from '../sign-in/support.ts';

export const audience = 'https://orders.example';

/** What gives a scope: a role in an organization, at the API and in the organization itself; a role of the tenant. */
export const scopes = { inOrganization: 'read:orders', ofOrganization: 'read:invoices', ofTenant: 'list:orders' };

export interface World {
  readonly hanako: TestUser;
  /** Organizations that Hanako is a member of, in this order; and one that she is not. */
  readonly kansai: string;
  readonly kanto: string;
  readonly stranger: string;
}

/** Call once for each server. */
export async function makeWorld(server: TestServer): Promise<World> {
  const post = (path: string, body: unknown) => native(server, 'POST', path, body);
  const api = await post('/resources', { name: 'Orders', indicator: audience });
  const scopeIds: Record<string, string> = {};
  for (const name of [scopes.inOrganization, scopes.ofTenant, 'write:orders']) {
    scopeIds[name] = (await post(`/resources/${api.id}/scopes`, { name, description: name })).id;
  }
  const buyer = await post('/organization-roles', {
    name: 'buyer',
    type: 'User',
    organizationScopeIds: [(await post('/organization-scopes', { name: scopes.ofOrganization })).id],
    resourceScopeIds: [scopeIds[scopes.inOrganization]],
  });
  const role = { name: 'lister', description: 'Lists orders', type: 'User', scopeIds: [scopeIds[scopes.ofTenant]] };
  const lister = await post('/roles', role);
  const hanako = await makeUser(server);
  await post(`/users/${hanako.id}/roles`, { roleIds: [lister.id] });
  const organization = async (name: string, { joins }: { joins: boolean }): Promise<string> => {
    const { id } = await post('/organizations', { name });
    if (!joins) return id;
    await post(`/organizations/${id}/users`, { userIds: [hanako.id] });
    await post(`/organizations/${id}/users/${hanako.id}/roles`, { organizationRoleIds: [buyer.id] });
    return id;
  };
  return {
    hanako,
    kansai: await organization('Kansai', { joins: true }),
    kanto: await organization('Kanto', { joins: true }),
    stranger: await organization('Stranger', { joins: false }),
  };
}

/** What its users configure: everything that the world has. */
export const configOf = (server: TestServer, { clientId, clientSecret }: TestClient): LogtoConfig => ({
  endpoint: server.origin,
  appId: clientId,
  ...(clientSecret === undefined ? {} : { appSecret: clientSecret }),
  scopes: [UserScope.Email, UserScope.Organizations, UserScope.OrganizationRoles, ...Object.values(scopes)],
  resources: [audience],
});

/** Where a client keeps its tokens and its sign-in, as its `Storage` has it. */
export class MemoryStorage {
  readonly items = new Map<string, string>();
  async getItem(key: string): Promise<string | null> {
    return this.items.get(key) ?? null;
  }
  async setItem(key: string, value: string): Promise<void> {
    this.items.set(key, value);
  }
  async removeItem(key: string): Promise<void> {
    this.items.delete(key);
  }
}

/** A web application's client, and where it last sent the browser. */
export interface WebApp {
  readonly client: LogtoClient;
  readonly storage: MemoryStorage;
  sentTo(): string;
}

export function webApp(server: TestServer, app: TestClient, more: Partial<LogtoConfig> = {}): WebApp {
  const storage = new MemoryStorage();
  let sentTo = '';
  const navigate = (url: string) => {
    sentTo = url;
  };
  const client = new LogtoClient({ ...configOf(server, app), ...more }, { navigate, storage });
  return { client, storage, sentTo: () => sentTo };
}
