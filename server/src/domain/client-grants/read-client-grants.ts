/** Client grants read: one, or pages of them, with their scopes. */
import { notFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import type { Extras } from '../clients/client.ts';
import type { Context } from '../context.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import type { SystemApi } from '../resource-servers/system.ts';
import { storedIdentifierOf, systemIdentifiers } from '../tenants/sites.ts';

export interface ClientGrant {
  id: string;
  /** Null: the default grant of third-party clients. */
  clientId: string | null;
  /** Identifier of the resource server. */
  audience: string;
  systemKind: SystemApi['kind'] | null;
  scopes: string[];
  allScopes: boolean;
  subjectType: 'client' | 'user';
  organizationUsage: 'deny' | 'allow' | 'require' | null;
  anyOrganization: boolean | null;
  extras: Extras;
}

export interface ClientGrantFilter {
  audience?: string;
  clientId?: string;
  anyOrganization?: boolean;
  subjectType?: ClientGrant['subjectType'];
  /** Only default grants. */
  defaults?: boolean;
  withoutNativeManagement?: boolean;
  ids?: readonly string[];
  /** Only those listed at this organization. */
  organizationId?: string;
}

export async function listClientGrants(
  ctx: Context,
  filter: ClientGrantFilter,
  range: OffsetRange,
): Promise<OffsetPage<ClientGrant>> {
  const page = await offsetPage<JoinedRow>(filtered(ctx, ctx.db.reports, filter), range);
  return mapPage(page, await withScopes(ctx, ctx.db.read, page.items));
}

export async function listClientGrantsByKey(
  ctx: Context,
  filter: ClientGrantFilter,
  range: KeysetRange,
): Promise<KeysetPage<ClientGrant>> {
  const page = await keysetPage<JoinedRow>(ctx, 'client_grants', filtered(ctx, ctx.db.read, filter), range);
  return mapPage(page, await withScopes(ctx, ctx.db.read, page.items));
}

/** Throws `entity.not_found`. */
export const getClientGrant = (ctx: Context, id: string): Promise<ClientGrant> => loadGrant(ctx, ctx.db.read, id);

type JoinedRow = Schema['client_grants'] & { identifier: string; system_kind: string | null };

function filtered(ctx: Context, db: Queryable, filter: ClientGrantFilter) {
  const audience = filter.audience === undefined ? undefined : storedIdentifierOf(ctx, filter.audience);
  return db
    .selectFrom((eb) =>
      eb
        .selectFrom('client_grants as g')
        .innerJoin('resource_servers as r', (join) =>
          join.onRef('r.tenant_id', '=', 'g.tenant_id').onRef('r.id', '=', 'g.resource_server_id'),
        )
        .selectAll('g')
        .select(['r.identifier', 'r.system_kind'])
        .where('g.tenant_id', '=', ctx.site.tenantId)
        .$if(audience !== undefined, (q) => q.where('r.identifier', '=', audience as string))
        .$if(filter.clientId !== undefined, (q) => q.where('g.client_id', '=', filter.clientId as string))
        .$if(filter.subjectType !== undefined, (q) => q.where('g.subject_type', '=', filter.subjectType as 'client'))
        .$if(filter.anyOrganization !== undefined, (q) =>
          q.where('g.any_organization', '=', filter.anyOrganization ? 1 : 0),
        )
        .$if(filter.defaults === true, (q) => q.where('g.client_id', 'is', null))
        .$if(filter.ids !== undefined, (q) => q.where('g.id', 'in', filter.ids as string[]))
        .$if(filter.organizationId !== undefined, (q) =>
          q.where('g.id', 'in', (eb) =>
            eb
              .selectFrom('organization_client_grants')
              .select('client_grant_id')
              .where('tenant_id', '=', ctx.site.tenantId)
              .where('organization_id', '=', filter.organizationId as string),
          ),
        )
        .$if(filter.withoutNativeManagement === true && audience === undefined, (q) =>
          q.where((or) => or.or([or('r.system_kind', 'is', null), or('r.system_kind', '<>', 'api')])),
        )
        .as('grants'),
    )
    .selectAll();
}

/** Loads one, inside a transaction or not; throws `entity.not_found`. */
export async function loadGrant(ctx: Context, db: Queryable, id: string): Promise<ClientGrant> {
  const row = (await filtered(ctx, db, {}).where('id', '=', id).executeTakeFirst()) as JoinedRow | undefined;
  const [grant] = row === undefined ? [] : await withScopes(ctx, db, [row]);
  if (grant === undefined) throw notFound('client grant');
  return grant;
}

async function withScopes(ctx: Context, db: Queryable, rows: readonly JoinedRow[]): Promise<ClientGrant[]> {
  if (rows.length === 0) return [];
  const listed = await db
    .selectFrom('client_grant_scopes as y')
    .innerJoin('scopes as x', (join) => join.onRef('x.tenant_id', '=', 'y.tenant_id').onRef('x.id', '=', 'y.scope_id'))
    .select(['y.client_grant_id', 'x.value'])
    .where('y.tenant_id', '=', ctx.site.tenantId)
    .where(
      'y.client_grant_id',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('y.position')
    .execute();
  return rows.map((row) => {
    const api = ctx.systemApis.find(({ kind }) => kind === row.system_kind);
    return {
      id: row.id,
      clientId: row.client_id,
      audience: api === undefined ? row.identifier : (systemIdentifiers(ctx.site, api)[0] as string),
      systemKind: api?.kind ?? null,
      scopes: listed.filter(({ client_grant_id }) => client_grant_id === row.id).map(({ value }) => value),
      allScopes: row.all_scopes === 1,
      subjectType: row.subject_type,
      organizationUsage: row.organization_usage,
      anyOrganization: row.any_organization === null ? null : row.any_organization === 1,
      extras: JSON.parse(row.extras) as Extras,
    };
  });
}
