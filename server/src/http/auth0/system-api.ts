import type { SystemApi } from '../../domain/resource-servers/system.ts';

/** The scopes this dialect's routes ask for; others are added by the surfaces that come. */
const actions: Record<string, readonly string[]> = {
  clients: ['read', 'create', 'update', 'delete'],
  client_keys: ['read', 'update'],
  client_credentials: ['read', 'create', 'update', 'delete'],
  client_summary: ['read'],
  client_grants: ['read', 'create', 'update', 'delete'],
  resource_servers: ['read', 'create', 'update', 'delete'],
  tenant_settings: ['read', 'update'],
  signing_keys: ['read', 'create', 'update'],
  logs: ['read'],
  logs_users: ['read'],
  users: ['read', 'create', 'update', 'delete'],
  users_app_metadata: ['read', 'create', 'update', 'delete'],
  stats: ['read'],
  connections: ['read'],
  roles: ['read', 'create', 'update', 'delete'],
  role_members: ['read', 'create', 'delete'],
  organizations: ['read', 'create', 'update', 'delete'],
  organization_client_grants: ['read', 'create', 'delete'],
  organization_members: ['read', 'create', 'delete'],
  organization_member_roles: ['read', 'create', 'delete'],
  organization_invitations: ['read', 'create', 'delete'],
  organization_connections: ['read'],
  organization_discovery_domains: ['read'],
  organization_clients: ['read'],
};

/** The management audience of Auth0's clients: `https://HOST/api/v2/`. Its name is what deploy-cli leaves alone. */
export const auth0ManagementApi: SystemApi = {
  kind: 'api_v2',
  name: 'Auth0 Management API',
  path: '/api/v2/',
  scopes: Object.entries(actions).flatMap(([thing, verbs]) =>
    verbs.map((verb) => ({ value: `${verb}:${thing}`, description: `${verb} ${thing.replaceAll('_', ' ')}` })),
  ),
  administratorScope: 'update:clients',
  aliases: () => [],
  isAlias: () => false,
};
