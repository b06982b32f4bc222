import type { SignInExperience, UpdateSignInExperience } from '@sekisho/contract';
import { withDefaults } from '../../../domain/tenants/sign-in.ts';
import type { TenantSignInSettings } from '../../../domain/tenants/sign-in-settings.ts';
import type { Tenant } from '../../../domain/tenants/tenant.ts';
import { withNames } from '../field-names.ts';

const names = {
  logoUrl: 'branding.logoUrl',
  darkLogoUrl: 'branding.darkLogoUrl',
  faviconUrl: 'branding.favicon',
  primaryColor: 'color.primaryColor',
  darkPrimaryColor: 'color.darkPrimaryColor',
  termsUrl: 'termsOfUseUrl',
  privacyUrl: 'privacyPolicyUrl',
  supportUrl: 'supportWebsiteUrl',
};

/** What a verb throws names the field as the caller wrote it. */
export const inLogtosWords = <T>(work: Promise<T>): Promise<T> => withNames(names, work);

/** The pages of a tenant in Logto's words; `name` is ours. */
export function experienceBody(tenant: Tenant): SignInExperience {
  const signIn = withDefaults(tenant.name, tenant.signIn);
  const { primaryColor, darkPrimaryColor, logoUrl, darkLogoUrl, faviconUrl: favicon } = signIn;
  return {
    tenantId: tenant.id,
    id: 'default',
    name: signIn.name,
    color: { ...set({ primaryColor }), isDarkModeEnabled: signIn.darkMode, ...set({ darkPrimaryColor }) },
    branding: set({ logoUrl, darkLogoUrl, favicon }),
    termsOfUseUrl: signIn.termsUrl ?? null,
    privacyPolicyUrl: signIn.privacyUrl ?? null,
    supportWebsiteUrl: signIn.supportUrl ?? null,
    signInMode: signIn.signUp ? 'SignInAndRegister' : 'SignIn',
    authPolicyIds: signIn.authPolicyIds === undefined ? null : [...signIn.authPolicyIds],
  };
}

/** What is set after a change; each object that is given replaces the one there was. */
export function changedSettings(body: UpdateSignInExperience, before: TenantSignInSettings): TenantSignInSettings {
  const { color, branding } = body;
  return set({
    ...before,
    ...given('name', body.name),
    ...(color && {
      primaryColor: color.primaryColor,
      darkMode: color.isDarkModeEnabled,
      darkPrimaryColor: color.darkPrimaryColor,
    }),
    ...(branding && {
      logoUrl: branding.logoUrl || undefined,
      darkLogoUrl: branding.darkLogoUrl || undefined,
      faviconUrl: branding.favicon || undefined,
    }),
    ...given('termsUrl', body.termsOfUseUrl),
    ...given('privacyUrl', body.privacyPolicyUrl),
    ...given('supportUrl', body.supportWebsiteUrl),
    ...(body.signInMode === undefined ? {} : { signUp: body.signInMode === 'SignInAndRegister' }),
    ...given('authPolicyIds', body.authPolicyIds),
  });
}

/** Absent: as before; null or empty: not set. */
const given = (
  field: keyof TenantSignInSettings,
  value: string | string[] | null | undefined,
): Record<string, unknown> => (value === undefined ? {} : { [field]: value || undefined });

/** Without what is not set. */
const set = (values: Record<string, unknown>): Record<string, never> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Record<string, never>;
