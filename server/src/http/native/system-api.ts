import type { SystemApi } from '../../domain/resource-servers/system.ts';
import { manageTenantsScope } from '../../domain/tenants/tenant.ts';
import { introspectScope } from '../../protocol/introspect.ts';

/** A scope for each action on each kind of thing. */
const actionScopes = Object.entries({
  organizations: 'organizations',
  organization_members: 'members of organizations and their roles',
  organization_invitations: 'invitations into organizations',
  organization_template: 'organization roles and organization scopes',
  users: 'users',
  applications: 'applications (clients)',
  application_secrets: 'secrets of applications',
  roles: 'tenant-wide roles',
  resources: 'API resources and their scopes',
  auth_policies: 'auth policies and whom they let in',
}).flatMap(([noun, words]) =>
  (['read', 'create', 'update', 'delete'] as const).map((verb) => ({
    value: `${verb}:${noun}`,
    description: `${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${words}.`,
  })),
);

/** The native management audience: `https://HOST/api`. Logto's clients know it under a name of their cloud's. */
export const nativeManagementApi: SystemApi = {
  kind: 'api',
  name: 'Management API',
  path: '/api',
  scopes: [
    { value: 'all', description: 'Everything in this tenant; with a token for an organization, in its subtree.' },
    ...actionScopes,
    { value: 'assign:roles', description: 'Give tenant-wide roles to users and applications, and take them.' },
    { value: 'read:sign_in_experience', description: 'Read how the pages look.' },
    { value: 'update:sign_in_experience', description: 'Change how the pages look, and who may sign up.' },
    { value: 'read:sessions', description: 'Read sessions of users.' },
    { value: 'delete:sessions', description: 'End sessions of users.' },
    { value: 'read:grants', description: 'Read what users let applications do.' },
    { value: 'delete:grants', description: 'End what users let applications do.' },
    {
      value: 'create:subject_tokens',
      description: 'Let an application act for a user, by a token that is good once.',
    },
    { value: 'read:logs', description: 'Read log events.' },
    { value: 'read:stats', description: 'Read figures of the dashboard.' },
    { value: 'explain:access', description: 'Ask why a subject may or may not have scopes.' },
    { value: 'read:api_keys', description: 'Read API keys.' },
    { value: 'create:api_keys', description: 'Create API keys, which act as their maker.' },
    { value: 'delete:api_keys', description: 'Delete API keys.' },
    { value: introspectScope, description: 'Introspect any access token of the tenant.' },
    { value: manageTenantsScope, description: 'Create, change and delete tenants.', defaultTenantOnly: true },
  ],
  administratorScope: 'all',
  umbrellaScope: 'all',
  role: { name: 'Logto Management API access', description: 'Everything in this tenant, by the management API.' },
  aliases: (tenantId) => [`https://${tenantId}.logto.app/api`],
  isAlias: (identifier) => /^https:\/\/[^/]+\.logto\.app\/api\/?$/i.test(identifier),
};
