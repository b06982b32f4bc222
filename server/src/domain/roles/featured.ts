/** How many users and clients have each role of a page, and the first few of them. */
import { sql } from 'kysely';
import type { SubjectKind } from '../../storage/schema.ts';
import { inChunks } from '../chunks.ts';
import type { ClientType } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { organizationInReach } from '../organizations/reach.ts';

/** How many are shown. */
const shown = 3;

export interface FeaturedUser {
  id: string;
  name: string | null;
  picture: string | null;
}

export interface FeaturedClient {
  id: string;
  name: string;
  type: ClientType | null;
}

/** Of one role. */
export interface Featured {
  usersCount: number;
  users: FeaturedUser[];
  clientsCount: number;
  clients: FeaturedClient[];
}

/** Of a delegated caller, those its subtree owns. Counts are read beside the reports. */
export async function featuredOf(ctx: Context, roleIds: readonly string[]): Promise<Map<string, Featured>> {
  const featured = new Map<string, Featured>(
    roleIds.map((id) => [id, { usersCount: 0, users: [], clientsCount: 0, clients: [] }]),
  );
  for (const kind of ['user', 'client'] as const) {
    for (const { role_id, total } of await countsOf(ctx, roleIds, kind)) {
      const of = featured.get(role_id) as Featured;
      if (kind === 'user') of.usersCount = Number(total);
      else of.clientsCount = Number(total);
    }
    for (const { role_id, id, name, picture, type } of await firstOf(ctx, roleIds, kind)) {
      const of = featured.get(role_id) as Featured;
      if (kind === 'user') of.users.push({ id, name, picture });
      else of.clients.push({ id, name: name ?? '', type });
    }
  }
  return featured;
}

const tableOf = (kind: SubjectKind) => sql.table(kind === 'user' ? 'users' : 'clients');

/** Assignments `a` to subjects `s` in reach. */
const assigned = (ctx: Context, kind: SubjectKind) => sql`role_assignments as a
  join ${tableOf(kind)} as s on s.tenant_id = a.tenant_id and s.id = a.subject_id
  where a.tenant_id = ${ctx.site.tenantId} and a.subject_kind = ${kind}
    and ${organizationInReach(ctx, 's.owner_organization_id')}`;

function countsOf(ctx: Context, roleIds: readonly string[], kind: SubjectKind) {
  return inChunks(roleIds, async (chunk) => {
    const counted = sql<{ role_id: string; total: number }>`select a.role_id as role_id, count(*) as total
      from ${assigned(ctx, kind)} and a.role_id in (${sql.join(chunk)}) group by a.role_id`;
    return (await counted.execute(ctx.db.reports)).rows;
  });
}

interface FirstRow {
  role_id: string;
  id: string;
  name: string | null;
  picture: string | null;
  type: ClientType | null;
}

/** The first of each role in one query: a few rows from the index for each. */
function firstOf(ctx: Context, roleIds: readonly string[], kind: SubjectKind): Promise<FirstRow[]> {
  const columns = kind === 'user' ? sql`s.picture as picture, null as type` : sql`null as picture, s.type as type`;
  return inChunks(
    roleIds,
    async (chunk) => {
      const parts = chunk.map(
        (roleId) => sql`select * from (select a.role_id as role_id, s.id as id, s.name as name, ${columns}
          from ${assigned(ctx, kind)} and a.role_id = ${roleId}
          order by a.created_at, a.subject_id limit ${sql.lit(shown)}) as f`,
      );
      return (await sql<FirstRow>`${sql.join(parts, sql` union all `)}`.execute(ctx.db.reports)).rows;
    },
    50,
  );
}
