import type { ClientType } from '../../../domain/clients/client.ts';
import type { ClientChange, NewClient } from '../../../domain/clients/clients.ts';
import type { ClientWithKeys } from '../../../domain/clients/read-clients.ts';
import { noSignIn, sameSignIn } from '../../../domain/clients/sign-in.ts';
import type { Sites } from '../../../domain/tenants/sites.ts';
import { invalid } from '../../../kernel/errors.ts';
import { mergeExtras, mergeMetadata, withoutUnset } from '../envelope.ts';
import { maximumMetadataKeys } from '../schema.ts';
import { changedAuthentication, newAuthentication, shownAuthentication } from './authentication.ts';
import { type CreateBody, extraFields, type UpdateBody } from './schema.ts';
import { readSignIn, shownSignIn } from './sign-in.ts';

const typeOfApp: Record<string, ClientType> = {
  non_interactive: 'machine',
  regular_web: 'web',
  spa: 'browser',
  native: 'native',
  resource_server: 'resource_server',
};
const appOfType = Object.fromEntries(Object.entries(typeOfApp).map(([app, type]) => [type, app]));

/** What Auth0 sets for a client that says nothing of it. */
const defaults = {
  oidc_conformant: false,
  sso_disabled: false,
  cross_origin_authentication: false,
  is_token_endpoint_ip_header_trusted: false,
  custom_login_page_on: true,
  jwt_configuration: { lifetime_in_seconds: 36_000, secret_encoded: false },
  refresh_token: {
    rotation_type: 'non-rotating',
    expiration_type: 'non-expiring',
    leeway: 0,
    infinite_token_lifetime: true,
    infinite_idle_token_lifetime: true,
    token_lifetime: 31_557_600,
    idle_token_lifetime: 2_592_000,
  },
};

/** Grant types of a client that names none: a machine has the one it needs, others Auth0's four. */
const defaultGrantTypes = (type: ClientType | null): string[] =>
  type === 'machine'
    ? ['client_credentials']
    : ['authorization_code', 'implicit', 'refresh_token', 'client_credentials'];

/** A new client in the domain's words. */
export function createInputOf(sites: Sites, body: CreateBody): NewClient {
  const { signIn, kept } = readSignIn(sites, mergeExtras(defaults, extrasOf(body)), { signIn: noSignIn, extras: {} });
  const type = body.app_type === undefined ? null : (typeOfApp[body.app_type] ?? null);
  const otherApp = body.app_type !== undefined && type === null ? { other_app_type: body.app_type } : {};
  return {
    name: body.name,
    description: body.description ?? null,
    type,
    status: body.enabled === false ? 'disabled' : 'active',
    firstParty: body.is_first_party ?? true,
    grantTypes: body.grant_types ?? defaultGrantTypes(type),
    ...newAuthentication(body),
    resourceServer: body.resource_server_identifier ?? null,
    metadata: mergeMetadata({}, (body.client_metadata ?? {}) as Record<string, string | null>),
    extras: { auth0: { ...mergeExtras({}, kept), ...otherApp } },
    signIn,
  };
}

/** A change of a client in the domain's words; metadata is merged key by key, null unsets. */
export function changeOf(sites: Sites, body: UpdateBody, before: ClientWithKeys): ClientChange {
  const stored = before.extras.auth0 ?? {};
  const { signIn, kept } = readSignIn(sites, withSecretEncoded(extrasOf(body), stored), before);
  const extras = mergeExtras(stored, kept);
  const change: ClientChange = { ...changedAuthentication(body, before) };
  if (body.name !== undefined) change.name = body.name;
  if (body.description !== undefined) change.description = body.description;
  if (body.app_type !== undefined) {
    const type = typeOfApp[body.app_type ?? ''] ?? null;
    change.type = type;
    delete extras.other_app_type;
    if (body.app_type !== null && type === null) extras.other_app_type = body.app_type;
  }
  if (body.enabled !== undefined) change.status = body.enabled ? 'active' : 'disabled';
  if (body.is_first_party !== undefined) change.firstParty = body.is_first_party;
  if (body.grant_types !== undefined) change.grantTypes = body.grant_types;
  if (body.resource_server_identifier !== undefined) change.resourceServer = body.resource_server_identifier;
  if (body.client_metadata !== undefined) {
    const given = body.client_metadata as Record<string, string | null> | null;
    change.metadata = given === null ? {} : mergeMetadata(before.metadata, given);
    // The schema bounds what one body brings; the sum of many is bounded here.
    if (Object.keys(change.metadata).length > maximumMetadataKeys) {
      throw invalid('client_metadata', `A client has at most ${maximumMetadataKeys} keys of metadata`);
    }
  }
  if (body.client_secret !== undefined) change.secret = body.client_secret;
  change.extras = { ...before.extras, auth0: extras };
  if (!sameSignIn(before.signIn, signIn)) change.signIn = signIn;
  return change;
}

/** `secret_encoded` stays unless it is given: deploy-cli never sends it beside the rest of what it read. */
function withSecretEncoded(given: Record<string, unknown>, stored: Record<string, unknown>): Record<string, unknown> {
  const [after, before] = [given, stored].map(
    ({ jwt_configuration }) => jwt_configuration as { secret_encoded?: boolean },
  );
  if (after == null || before?.secret_encoded === undefined) return given;
  return { ...given, jwt_configuration: { secret_encoded: before.secret_encoded, ...after } };
}

/** The fields of a body that this dialect keeps, or hands on as facts of sign-in. */
const extrasOf = (body: UpdateBody | CreateBody): Record<string, unknown> =>
  Object.fromEntries(
    Object.keys(extraFields)
      .filter((field) => body[field as keyof typeof extraFields] !== undefined)
      .map((field) => [field, body[field as keyof typeof extraFields]]),
  );

/** What a token may see of a client. */
export interface Visibility {
  settings: boolean;
  authentication: boolean;
}

export function visibilityOf(scopes: ReadonlySet<string>): Visibility {
  return {
    settings: scopes.has('read:clients') || scopes.has('read:client_keys'),
    authentication: scopes.has('read:client_keys') || scopes.has('read:client_credentials'),
  };
}

/** A client as this dialect shows it; its secret only in the answer that made it. */
export function bodyOf(client: ClientWithKeys, tenant: string, visible: Visibility): Record<string, unknown> {
  const { other_app_type, ...kept } = client.extras.auth0 ?? {};
  const summary = {
    client_id: client.id,
    name: client.name,
    description: client.description,
    app_type: client.type === null ? other_app_type : appOfType[client.type],
  };
  if (!visible.settings) return withoutUnset(summary);
  return withoutUnset({
    tenant,
    global: false,
    ...summary,
    is_first_party: client.firstParty,
    ...shownSignIn(kept, client.signIn),
    client_metadata: Object.keys(client.metadata).length > 0 ? client.metadata : undefined,
    grant_types: client.grantTypes,
    resource_server_identifier: client.resourceServer,
    enabled: client.status === 'active' ? undefined : false,
    ...shownAuthentication(client, visible.authentication),
    client_secret: client.secret,
  });
}
