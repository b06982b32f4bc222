import type { ClientGrantSettings } from '../../../domain/client-grants/client-grants.ts';
import type { ClientGrant } from '../../../domain/client-grants/read-client-grants.ts';
import { mergeExtras, withoutUnset } from '../envelope.ts';
import type { UpdateBody } from './schema.ts';

/** What a body says of a grant, in the domain's words; null unsets. */
export function settingsOf(body: UpdateBody, before: ClientGrant | undefined): Partial<ClientGrantSettings> {
  const { scope, organization_usage, allow_any_organization, allow_all_scopes, authorization_details_types } = body;
  return {
    ...(scope === undefined ? (allow_all_scopes === true ? { scopes: [] } : {}) : { scopes: scope ?? [] }),
    ...(organization_usage === undefined ? {} : { organizationUsage: organization_usage }),
    ...(allow_any_organization === undefined ? {} : { anyOrganization: allow_any_organization }),
    // A list of scopes ends "all scopes" unless the same body says otherwise.
    ...(allow_all_scopes === undefined
      ? scope === undefined
        ? {}
        : { allScopes: false }
      : { allScopes: allow_all_scopes === true }),
    extras: { ...before?.extras, auth0: mergeExtras(before?.extras.auth0 ?? {}, { authorization_details_types }) },
  };
}

/** A grant as this dialect shows it; unset optionals are absent. */
export function bodyOf(grant: ClientGrant, apiScopes?: readonly string[]): Record<string, unknown> {
  return withoutUnset({
    id: grant.id,
    client_id: grant.clientId,
    default_for: grant.clientId === null ? 'third_party_clients' : undefined,
    audience: grant.audience,
    scope: grant.allScopes && apiScopes !== undefined ? apiScopes : grant.scopes,
    subject_type: grant.subjectType,
    organization_usage: grant.organizationUsage,
    allow_any_organization: grant.anyOrganization,
    allow_all_scopes: grant.allScopes && grant.systemKind === null ? true : undefined,
    ...grant.extras.auth0,
  });
}
