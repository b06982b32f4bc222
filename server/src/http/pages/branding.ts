/** How a tenant's pages look: what was set for it, and where nothing can be read, plain ones. */
import { type TenantSignIn, tenantSignIn } from '../../domain/tenants/sign-in.ts';
import { defaultTenantId, type Site } from '../../domain/tenants/sites.ts';
import type { HttpServices } from '../request.ts';

export type Branding = TenantSignIn;

/** What a first start calls the tenant; to a person it says less than the host does. */
const unnamed = 'Default';

/** The branding of a site; plain where there is no such tenant or no database: a page of an error needs one too. */
export async function brandingOf(services: HttpServices, { tenantId, host }: Site): Promise<Branding> {
  const branding = await tenantSignIn(services, tenantId).catch(
    (): Branding => ({ name: host, darkMode: true, signUp: false }),
  );
  return tenantId === defaultTenantId && branding.name === unnamed ? { ...branding, name: host } : branding;
}
