/** How a tenant's pages look: what was set for it, and where nothing can be read, plain ones. */
import { type TenantSignIn, tenantSignIn } from '../../domain/tenants/sign-in.ts';
import type { HttpServices } from '../request.ts';

export type Branding = TenantSignIn;

const plain: Branding = { name: 'Sekisho', darkMode: true, signUp: false };

/** The branding of a tenant; plain where there is no such tenant or no database: a page of an error needs one too. */
export async function brandingOf(services: HttpServices, tenantId: string): Promise<Branding> {
  try {
    return await tenantSignIn(services, tenantId);
  } catch {
    return plain;
  }
}
