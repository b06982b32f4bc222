import type { SystemApi } from '../../domain/resource-servers/system.ts';
import { manageTenantsScope } from '../../domain/tenants/tenant.ts';
import { introspectScope } from '../../protocol/introspect.ts';

/** The native management audience: `https://HOST/api`. Logto's clients know it under a name of their cloud's. */
export const nativeManagementApi: SystemApi = {
  kind: 'api',
  name: 'Management API',
  path: '/api',
  scopes: [
    { value: 'all', description: 'Everything in this tenant.' },
    { value: introspectScope, description: 'Introspect any access token of the tenant.' },
    { value: manageTenantsScope, description: 'Create, change and delete tenants.', defaultTenantOnly: true },
  ],
  administratorScope: 'all',
  umbrellaScope: 'all',
  aliases: (tenantId) => [`https://${tenantId}.logto.app/api`],
  isAlias: (identifier) => /^https:\/\/[^/]+\.logto\.app\/api\/?$/i.test(identifier),
};
