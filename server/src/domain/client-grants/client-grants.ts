/** Client grants: "this client may have these scopes at this resource server", optionally for organizations. */
import { DomainError, invalid } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import { assertAdministratorRemains, assertHolds } from '../access/management-scopes.ts';
import { type Extras, isPublicClient } from '../clients/client.ts';
import { assertClient } from '../clients/read-clients.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { loadResourceServer } from '../resource-servers/read-resource-servers.ts';
import type { ResourceServer } from '../resource-servers/resource-server.ts';
import { takesOrganization } from '../resource-servers/system.ts';
import { type ClientGrant, loadGrant } from './read-client-grants.ts';

export interface ClientGrantSettings {
  scopes: readonly string[];
  allScopes: boolean;
  organizationUsage: ClientGrant['organizationUsage'];
  anyOrganization: boolean | null;
  extras: Extras;
}

/**
 * Creates a client grant. Throws `entity.not_found` (client or API), `entity.exists`, `input.invalid`,
 * `auth.exceeds_own`.
 */
export async function createClientGrant(
  ctx: Context,
  input: {
    clientId: string | null;
    audience: string;
    subjectType: ClientGrant['subjectType'];
  } & Partial<ClientGrantSettings>,
): Promise<ClientGrant> {
  assertWholeTenant(ctx, 'make client grants');
  return ctx.db.transact(async (trx) => {
    const api = await loadResourceServer(ctx, trx, input.audience);
    if (input.clientId !== null) await assertClient(ctx, trx, input.clientId);
    const settings = settingsOf(input);
    const scopeIds = await checkedScopes(ctx, trx, api, settings);
    await assertMayGive(ctx, trx, api, settings, input.clientId, false);
    await assertNoTwin(ctx, trx, input.clientId, api, input.subjectType);
    const now = ctx.clock.now();
    const id = `cgr_${randomAlphanumeric(ctx.random, 16)}`;
    await trx
      .insertInto('client_grants')
      .values({
        tenant_id: ctx.site.tenantId,
        id,
        client_id: input.clientId,
        resource_server_id: api.id,
        subject_type: input.subjectType,
        ...columnsOf(settings),
        created_at: now,
        updated_at: now,
      })
      .execute();
    await insertScopes(ctx, trx, id, scopeIds);
    await recordChange(ctx, trx, 'client_grant.created', id, {
      audience: api.identifier,
      scope: settings.scopes.join(' '),
      details: { client: input.clientId },
    });
    return loadGrant(ctx, trx, id);
  });
}

/**
 * Changes a client grant; what is absent stays. Throws `entity.not_found`, `input.invalid`, `auth.exceeds_own`,
 * `client.last_administrator`.
 */
export async function updateClientGrant(
  ctx: Context,
  id: string,
  changeOf: (before: ClientGrant) => Partial<ClientGrantSettings>,
): Promise<ClientGrant> {
  assertWholeTenant(ctx, 'change client grants');
  return ctx.db.transact(async (trx) => {
    const before = await loadGrant(ctx, trx, id);
    const change = changeOf(before);
    const api = await loadResourceServer(ctx, trx, before.audience);
    const settings = settingsOf({
      ...before,
      ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)),
    });
    const scopeIds = await checkedScopes(ctx, trx, api, settings);
    await assertMayGive(ctx, trx, api, settings, before.clientId, before.allScopes);
    await trx
      .updateTable('client_grants')
      .set({ ...columnsOf(settings), updated_at: ctx.clock.now() })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .execute();
    await trx
      .deleteFrom('client_grant_scopes')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('client_grant_id', '=', id)
      .execute();
    await insertScopes(ctx, trx, id, scopeIds);
    await recordChange(ctx, trx, 'client_grant.updated', id, {
      audience: api.identifier,
      scope: settings.scopes.join(' '),
      details: { client: before.clientId },
    });
    if (before.systemKind !== null) await assertAdministratorRemains(ctx, trx);
    return loadGrant(ctx, trx, id);
  });
}

/** Deletes a client grant: it ends with the next token request. Throws `entity.not_found`, `client.last_administrator`. */
export async function deleteClientGrant(ctx: Context, id: string): Promise<void> {
  assertWholeTenant(ctx, 'delete client grants');
  await ctx.db.transact(async (trx) => {
    const before = await loadGrant(ctx, trx, id);
    await trx.deleteFrom('client_grants').where('tenant_id', '=', ctx.site.tenantId).where('id', '=', id).execute();
    await recordChange(ctx, trx, 'client_grant.deleted', id, {
      audience: before.audience,
      details: { client: before.clientId },
    });
    if (before.systemKind !== null) await assertAdministratorRemains(ctx, trx);
  });
}

const settingsOf = (input: Partial<ClientGrantSettings>): ClientGrantSettings => ({
  scopes: [...new Set(input.scopes ?? [])],
  allScopes: input.allScopes ?? false,
  organizationUsage: input.organizationUsage ?? null,
  anyOrganization: input.anyOrganization ?? null,
  extras: input.extras ?? {},
});

const columnsOf = (settings: ClientGrantSettings) => ({
  all_scopes: settings.allScopes ? (1 as const) : (0 as const),
  organization_usage: settings.organizationUsage,
  any_organization: settings.anyOrganization === null ? null : settings.anyOrganization ? (1 as const) : (0 as const),
  extras: JSON.stringify(settings.extras),
});

/** The ids of the granted scopes, in order. A scope the API does not have is refused, naming its place. */
async function checkedScopes(
  ctx: Context,
  trx: Tx,
  api: ResourceServer,
  settings: ClientGrantSettings,
): Promise<string[]> {
  if (settings.allScopes && settings.scopes.length > 0) {
    throw invalid('grantedScopes', 'A grant of all scopes lists none.');
  }
  if (!takesOrganization(api.systemKind) && (settings.organizationUsage ?? 'deny') !== 'deny') {
    throw invalid('organizationUsage', 'This management audience never takes an organization.');
  }
  if (settings.scopes.length === 0) return [];
  const known = await trx
    .selectFrom('scopes')
    .select(['id', 'value'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('resource_server_id', '=', api.id)
    .where('value', 'in', settings.scopes)
    .execute();
  const idOf = new Map(known.map(({ id, value }) => [value, id]));
  return settings.scopes.map((value, index) => {
    const id = idOf.get(value);
    if (id === undefined) throw invalid(`grantedScopes.${index}`, `The API has no scope "${value}".`);
    return id;
  });
}

/** Scopes of a management audience can be given only by who holds them; and never to a public client. */
async function assertMayGive(
  ctx: Context,
  trx: Tx,
  api: ResourceServer,
  settings: ClientGrantSettings,
  clientId: string | null,
  hadAllScopes: boolean,
): Promise<void> {
  const system = ctx.systemApis.find(({ kind }) => kind === api.systemKind);
  if (system === undefined) return;
  if (settings.allScopes && !hadAllScopes) {
    // What a later release adds to a management audience must be given knowingly.
    throw new DomainError('resource_server.system', 'All scopes of a management audience can not be granted.', {
      path: 'allScopes',
    });
  }
  if (clientId === null)
    throw invalid('audience', 'A management audience can not be granted to third parties by default.');
  await assertNotPublic(ctx, trx, clientId);
  const given = settings.allScopes ? api.scopes.map(({ value }) => value) : settings.scopes;
  await assertHolds(ctx, trx, system, given);
}

async function assertNotPublic(ctx: Context, trx: Tx, clientId: string): Promise<void> {
  const { type, auth_method: authMethod } = await trx
    .selectFrom('clients')
    .select(['type', 'auth_method'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', clientId)
    .executeTakeFirstOrThrow();
  if (!isPublicClient({ type, authMethod })) return;
  throw invalid('audience', 'A management audience can not be granted to a public client.');
}

async function assertNoTwin(
  ctx: Context,
  trx: Tx,
  clientId: string | null,
  api: ResourceServer,
  subjectType: ClientGrant['subjectType'],
): Promise<void> {
  const twin = await trx
    .selectFrom('client_grants')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('client_id', clientId === null ? 'is' : '=', clientId)
    .where('resource_server_id', '=', api.id)
    .where('subject_type', '=', subjectType)
    .executeTakeFirst();
  if (twin !== undefined) {
    throw new DomainError('entity.exists', 'A client grant of this client for this API exists already.', {
      data: { thing: 'client grant' },
    });
  }
}

async function insertScopes(ctx: Context, trx: Tx, grantId: string, scopeIds: readonly string[]): Promise<void> {
  if (scopeIds.length === 0) return;
  const rows = scopeIds.map((scope_id, position) => ({
    tenant_id: ctx.site.tenantId,
    client_grant_id: grantId,
    scope_id,
    position,
  }));
  await trx.insertInto('client_grant_scopes').values(rows).execute();
}
