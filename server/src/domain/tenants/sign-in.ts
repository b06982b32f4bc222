/** How the pages of a tenant look, and who may sign up. */
import { invalid, notFound } from '../../kernel/errors.ts';
import type { Database } from '../../storage/database.ts';
import { defineStatement } from '../../storage/statement.ts';
import { assertWebUrl } from '../clients/sign-in-rules.ts';
import { signInSettingsOf, type TenantSignInSettings } from './sign-in-settings.ts';
import type { Sites } from './sites.ts';

/** The same with its defaults, as the pages read it. */
export type TenantSignIn = TenantSignInSettings & Required<Pick<TenantSignInSettings, 'name' | 'darkMode' | 'signUp'>>;

/** Brings the defaults: the tenant's own name, dark pages for who wants them, nobody signs up. */
export const withDefaults = (tenantName: string, settings: TenantSignInSettings): TenantSignIn => ({
  darkMode: true,
  signUp: false,
  ...settings,
  name: settings.name ?? tenantName,
});

const signInOfTenant = defineStatement<{ tenantId: string }, { name: string; sign_in: string }>(
  'sign_in_of_tenant',
  'select name, sign_in from tenants where id = :tenantId',
);

/** For the pages: one indexed read. Throws `entity.not_found`. */
export async function tenantSignIn(
  services: { readonly db: Pick<Database, 'run'> },
  tenantId: string,
): Promise<TenantSignIn> {
  const [row] = await services.db.run(signInOfTenant, { tenantId });
  if (row === undefined) throw notFound('tenant');
  return withDefaults(row.name, signInSettingsOf(row.sign_in));
}

const urls = ['logoUrl', 'darkLogoUrl', 'faviconUrl', 'termsUrl', 'privacyUrl', 'supportUrl'] as const;

/** Most characters of the name on the pages. */
const longestName = 300;

/** Throws `input.invalid` naming the field. */
export function assertTenantSignIn(sites: Pick<Sites, 'base'>, settings: TenantSignInSettings): void {
  for (const field of urls) {
    const url = settings[field];
    if (url !== undefined) assertWebUrl(sites, url, field);
  }
  for (const field of ['primaryColor', 'darkPrimaryColor'] as const) {
    const color = settings[field];
    if (color !== undefined && !/^#[0-9a-f]{6}$/i.test(color)) throw invalid(field, 'A color is written #rrggbb.');
  }
  const { name } = settings;
  if (name !== undefined && (name.trim() === '' || name.length > longestName)) {
    throw invalid('name', `A name has 1 to ${longestName} characters.`);
  }
}
