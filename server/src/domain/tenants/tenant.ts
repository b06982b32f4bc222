import type { Schema } from '../../storage/schema.ts';
import type { Extras } from '../clients/client.ts';
import { signInSettingsOf, type TenantSignInSettings } from './sign-in-settings.ts';

export const environments = ['development', 'staging', 'production'] as const;

/** An isolated installation inside the server: own issuer, keys, data. */
export interface Tenant {
  id: string;
  name: string;
  environment: (typeof environments)[number];
  status: 'active' | 'suspended';
  defaultAudience: string | null;
  extras: Extras;
  /** How its pages look and who may sign up, as far as it is set. */
  signIn: TenantSignInSettings;
  createdAt: number;
  updatedAt: number;
}

export const tenantOf = (row: Schema['tenants']): Tenant => ({
  id: row.id,
  name: row.name,
  environment: row.environment,
  status: row.status,
  defaultAudience: row.default_audience,
  extras: JSON.parse(row.extras) as Extras,
  signIn: signInSettingsOf(row.sign_in),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/** The scope that manages tenants, at the native management audience of the default tenant. */
export const manageTenantsScope = 'manage:tenants';
