import type { TenantSignInSettings } from '../../../domain/tenants/sign-in-settings.ts';
import type { Tenant } from '../../../domain/tenants/tenant.ts';
import { invalid } from '../../../kernel/errors.ts';
import { assertSafeUrl } from '../../../kernel/urls.ts';
import { mergeExtras, withoutUnset } from '../envelope.ts';
import { extraFields, lifetimes, type UpdateBody } from './schema.ts';

/** What Auth0 shows for a tenant that says nothing of it. */
const defaults = {
  allowed_logout_urls: [],
  default_directory: '',
  enabled_locales: ['en'],
  session_lifetime: 168,
  idle_session_lifetime: 72,
  ephemeral_session_lifetime: 72,
  idle_ephemeral_session_lifetime: 24,
  sandbox_version: '22',
  pushed_authorization_requests_supported: false,
  authorization_response_iss_parameter_supported: false,
  allow_organization_name_in_authentication_api: false,
  customize_mfa_in_postlogin_action: false,
  resource_parameter_profile: 'audience',
};

type Extras = Tenant['extras'];

/** Facts of the pages, where each dialect reads them. */
const signInFields = { friendly_name: 'name', picture_url: 'logoUrl', support_url: 'supportUrl' } as const;
const signInWords = Object.keys(signInFields) as (keyof typeof signInFields)[];

interface Change {
  defaultAudience?: string | null;
  extras: (before: Extras) => Extras;
  signIn?: (before: TenantSignInSettings) => TenantSignInSettings;
}

/** What a body says, as a change of the domain's settings. Flags are merged by name; null unsets a field. */
export function changeOf(body: UpdateBody): Change {
  assertUrls(body);
  const { default_audience, flags } = body;
  const given = { ...extrasOf(body), ...hoursOf(body) };
  return {
    ...(default_audience === undefined ? {} : { defaultAudience: default_audience || null }),
    ...signInChange(body),
    extras: (before) => {
      const stored = before.auth0 ?? {};
      const merged = flags === undefined ? {} : { flags: { ...(stored.flags as object | undefined), ...flags } };
      return { ...before, auth0: mergeExtras(stored, { ...given, ...merged }) };
    },
  };
}

function signInChange(body: UpdateBody): Pick<Change, 'signIn'> {
  const given = signInWords.filter((word) => body[word] !== undefined);
  if (given.length === 0) return {};
  return {
    signIn(before) {
      const after = new Map<string, unknown>(Object.entries(before));
      for (const word of given) {
        if (body[word]) after.set(signInFields[word], body[word]);
        else after.delete(signInFields[word]);
      }
      return Object.fromEntries(after);
    },
  };
}

/** What this dialect keeps; an empty text is no fact, and is shown as it came. */
const extrasOf = (body: UpdateBody): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(body)
      .filter(([field]) => Object.hasOwn(extraFields, field))
      .map(([field, value]) => [field, Object.hasOwn(signInFields, field) && value !== '' ? null : value]),
  );

/** Lifetimes given in minutes, as deploy-cli sends them, in hours. */
function hoursOf(body: UpdateBody): Record<string, number> {
  const hours: Record<string, number> = {};
  for (const lifetime of lifetimes) {
    const minutes = body[`${lifetime}_in_minutes`];
    if (minutes === undefined) continue;
    hours[lifetime] = minutes / 60;
    const given = body[lifetime];
    if (given !== undefined && given !== hours[lifetime]) {
      throw invalid(`${lifetime}_in_minutes`, `It says something else than ${lifetime}`);
    }
  }
  return hours;
}

function assertUrls(body: UpdateBody): void {
  (body.allowed_logout_urls ?? []).forEach((url, index) => {
    assertSafeUrl(url, `allowed_logout_urls.${index}`);
  });
  const { default_redirection_uri: uri } = body;
  if (typeof uri === 'string' && uri !== '') assertSafeUrl(uri, 'default_redirection_uri');
}

/** The settings of a tenant as this dialect shows them. */
export function bodyOf(tenant: Tenant): Record<string, unknown> {
  const { flags = {}, ...extras } = tenant.extras.auth0 ?? {};
  return withoutUnset({
    ...defaults,
    ...extras,
    ...withoutUnset(Object.fromEntries(signInWords.map((word) => [word, tenant.signIn[signInFields[word]]]))),
    default_audience: tenant.defaultAudience ?? '',
    flags,
    sandbox_versions_available: ['22'],
  });
}
