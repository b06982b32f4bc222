/** The users and clients of a page of `listSubjectsOfRole`, as entities. */
import { type Client, clientOf } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { mapPage } from '../paging.ts';
import { type User, userOf } from '../users/user.ts';
import { userColumns } from '../users/user-columns.ts';
import type { Holder } from './read-assignments.ts';

/** Deleted meanwhile: left out. */
export async function usersOfPage<P extends { items: Holder[] }>(ctx: Context, page: P) {
  const ids = page.items.map(({ id }) => id);
  const rows =
    ids.length === 0
      ? []
      : await ctx.db.read
          .selectFrom('users')
          .select(userColumns)
          .where('tenant_id', '=', ctx.site.tenantId)
          .where('id', 'in', ids)
          .execute();
  return mapPage(page, inOrder<User>(ids, rows.map(userOf)));
}

/** Deleted meanwhile: left out. */
export async function clientsOfPage<P extends { items: Holder[] }>(ctx: Context, page: P) {
  const ids = page.items.map(({ id }) => id);
  const rows =
    ids.length === 0
      ? []
      : await ctx.db.read
          .selectFrom('clients')
          .selectAll()
          .where('tenant_id', '=', ctx.site.tenantId)
          .where('id', 'in', ids)
          .execute();
  return mapPage(page, inOrder<Client>(ids, rows.map(clientOf)));
}

function inOrder<T extends { id: string }>(ids: readonly string[], found: readonly T[]): T[] {
  const byId = new Map(found.map((one) => [one.id, one]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}
