/** The users of one client: people an application made, and brings to sign in. */
import { assertClient } from '../clients/read-clients.ts';
import type { Context } from '../context.ts';
import { inOneTransaction } from '../one-transaction.ts';
import { type KeysetPage, type KeysetRange, keysetPage, mapPage } from '../paging.ts';
import type { UserSettings } from './settings.ts';
import { type User, userOf } from './user.ts';
import { type ReadUserRow, userColumns } from './user-columns.ts';
import { createUser } from './users.ts';

/** Creates a user of a client. Throws as `createUser`, and `entity.not_found` (the client). */
export function createUserOfClient(ctx: Context, clientId: string, settings: Partial<UserSettings>): Promise<User> {
  return inOneTransaction(ctx, async (joined) => {
    await assertClient(joined, joined.db.read, clientId);
    return createUser(joined, { ...settings, clientId });
  });
}

/** A page by key, in order of creation. Throws `entity.not_found` (the client), `input.cursor_invalid`. */
export async function listUsersOfClient(ctx: Context, clientId: string, range: KeysetRange): Promise<KeysetPage<User>> {
  await assertClient(ctx, ctx.db.read, clientId);
  const query = ctx.db.read
    .selectFrom('users')
    .select(userColumns)
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('client_id', '=', clientId);
  const page = await keysetPage<ReadUserRow>(ctx, `users of ${clientId}`, query, range);
  return mapPage(page, page.items.map(userOf));
}
