/**
 * Client grants listed at organizations: "this grant reaches this organization", and not its children. A grant that
 * allows any organization needs no listing.
 */
import { DomainError, invalid, notFound } from '../../kernel/errors.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import { assertHolds } from '../access/management-scopes.ts';
import {
  type ClientGrant,
  type ClientGrantFilter,
  listClientGrants,
  loadGrant,
} from '../client-grants/read-client-grants.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { type Organization, type OrganizationRow, organizationOf } from '../organizations/organization.ts';
import { assertWholeTenant, pathInReach } from '../organizations/reach.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';

/**
 * Lists a grant at an organization; returns the grant. Throws `entity.not_found` (organization or grant),
 * `entity.exists` (of thing `organization client grant`), `input.invalid` (the grant denies organizations),
 * `auth.exceeds_own` (a grant of management scopes that the caller does not hold), `auth.organization_token`.
 */
export async function addOrganizationClientGrant(
  ctx: Context,
  organizationId: string,
  grantId: string,
): Promise<ClientGrant> {
  assertWholeTenant(ctx, 'list client grants at organizations');
  return ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, organizationId);
    const grant = await loadGrant(ctx, trx, grantId);
    if ((grant.organizationUsage ?? 'deny') === 'deny') {
      throw invalid('grantId', 'The client grant does not allow organizations; its organization_usage is deny.');
    }
    await assertHoldsGrant(ctx, trx, grant);
    if (await isListed(ctx, trx, organizationId, grantId)) {
      throw new DomainError('entity.exists', 'The client grant is listed at the organization already.', {
        path: 'grantId',
        data: { thing: 'organization client grant' },
      });
    }
    await trx
      .insertInto('organization_client_grants')
      .values({
        tenant_id: ctx.site.tenantId,
        organization_id: organizationId,
        client_grant_id: grantId,
        created_at: ctx.clock.now(),
      })
      .execute();
    await record(ctx, trx, 'added', organizationId, grant);
    return grant;
  });
}

/**
 * Takes a grant off an organization. Throws `entity.not_found` (the organization, or it has no such grant),
 * `auth.organization_token`.
 */
export async function removeOrganizationClientGrant(
  ctx: Context,
  organizationId: string,
  grantId: string,
): Promise<void> {
  assertWholeTenant(ctx, 'take client grants off organizations');
  await ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, organizationId);
    if (!(await isListed(ctx, trx, organizationId, grantId))) throw notFound('client grant');
    const grant = await loadGrant(ctx, trx, grantId);
    await unlist(ctx, trx, organizationId, grantId);
    await record(ctx, trx, 'removed', organizationId, grant);
  });
}

/** The grants listed at an organization, by position in order of creation. Throws `entity.not_found`. */
export async function listOrganizationClientGrants(
  ctx: Context,
  organizationId: string,
  filter: Omit<ClientGrantFilter, 'organizationId'>,
  range: OffsetRange,
): Promise<OffsetPage<ClientGrant>> {
  const { id } = await loadRow(ctx, ctx.db.read, organizationId);
  return listClientGrants(ctx, { ...filter, organizationId: id }, range);
}

/** The organizations a grant is listed at, by position in order of their creation. Throws `entity.not_found`. */
export async function listOrganizationsOfGrant(
  ctx: Context,
  grantId: string,
  range: OffsetRange,
): Promise<OffsetPage<Organization>> {
  await loadGrant(ctx, ctx.db.read, grantId);
  const page = await offsetPage<OrganizationRow>(organizationsOf(ctx, ctx.db.reports, grantId), range);
  return mapPage(
    page,
    page.items.map((row) => organizationOf(ctx, row)),
  );
}

/** The same by key; also throws `input.cursor_invalid`. */
export async function listOrganizationsOfGrantByKey(
  ctx: Context,
  grantId: string,
  range: KeysetRange,
): Promise<KeysetPage<Organization>> {
  await loadGrant(ctx, ctx.db.read, grantId);
  const query = organizationsOf(ctx, ctx.db.read, grantId);
  const page = await keysetPage<OrganizationRow>(ctx, `organizations of grant ${grantId}`, query, range);
  return mapPage(
    page,
    page.items.map((row) => organizationOf(ctx, row)),
  );
}

const organizationsOf = (ctx: Context, db: Queryable, grantId: string) =>
  db
    .selectFrom('organizations')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(pathInReach(ctx, 'path'))
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('organization_client_grants')
        .select('organization_id')
        .where('tenant_id', '=', ctx.site.tenantId)
        .where('client_grant_id', '=', grantId),
    );

/** Where a grant reaches is as much as what it gives: management scopes go no further than who holds them takes them. */
async function assertHoldsGrant(ctx: Context, trx: Tx, grant: ClientGrant): Promise<void> {
  const api = ctx.systemApis.find(({ kind }) => kind === grant.systemKind);
  if (api === undefined) return;
  await assertHolds(ctx, trx, api, grant.allScopes ? api.scopes.map(({ value }) => value) : grant.scopes);
}

async function isListed(ctx: Context, trx: Tx, organizationId: string, grantId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('organization_client_grants')
    .select('client_grant_id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('organization_id', '=', organizationId)
    .where('client_grant_id', '=', grantId)
    .executeTakeFirst();
  return row !== undefined;
}

async function unlist(ctx: Context, trx: Tx, organizationId: string, grantId: string): Promise<void> {
  await trx
    .deleteFrom('organization_client_grants')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('organization_id', '=', organizationId)
    .where('client_grant_id', '=', grantId)
    .execute();
}

const record = (ctx: Context, trx: Tx, what: 'added' | 'removed', organizationId: string, grant: ClientGrant) =>
  recordChange(ctx, trx, `organization_client_grant.${what}`, grant.id, {
    audience: grant.audience,
    details: { organization: organizationId, client: grant.clientId },
  });
