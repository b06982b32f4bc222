import { invalid } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import { isScopeToken } from '../../kernel/text.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import type { Scope } from './resource-server.ts';

/** Most scopes one resource server may have. */
export const maximumScopes = 1000;

/** Scopes of several resource servers at once, each list in its order. */
export async function scopesOf(
  db: Queryable,
  tenantId: string,
  resourceServerIds: readonly string[],
): Promise<Map<string, Scope[]>> {
  const scopes = new Map<string, Scope[]>(resourceServerIds.map((id) => [id, []]));
  if (resourceServerIds.length === 0) return scopes;
  const rows = await db
    .selectFrom('scopes')
    .select(['resource_server_id', 'value', 'description'])
    .where('tenant_id', '=', tenantId)
    .where('resource_server_id', 'in', resourceServerIds)
    .orderBy('position')
    .execute();
  for (const { resource_server_id, value, description } of rows) {
    scopes.get(resource_server_id)?.push({ value, description });
  }
  return scopes;
}

/** Checks a list of scopes as it is given: well-formed values (RFC 6749 §3.3), none twice, not too many. */
export function assertScopes(scopes: readonly Scope[], path: string): void {
  if (scopes.length > maximumScopes) throw invalid(path, `At most ${maximumScopes} scopes are possible.`);
  const seen = new Set<string>();
  scopes.forEach(({ value }, index) => {
    const at = `${path}.${index}.value`;
    if (value.length > 280 || !isScopeToken(value)) {
      throw invalid(at, 'A scope has 1 to 280 printable ASCII characters without space, quote and backslash.');
    }
    if (seen.has(value)) throw invalid(at, 'The scope is listed twice.');
    seen.add(value);
  });
}

/**
 * Makes the list of scopes of a resource server equal to `wanted`. A scope that stays keeps its id, and so its grants;
 * one that goes takes its grants with it in the same transaction.
 */
export async function replaceScopes(
  ctx: Pick<Context, 'random'>,
  trx: Tx,
  tenantId: string,
  resourceServerId: string,
  wanted: readonly Scope[],
): Promise<void> {
  const stored = await trx
    .selectFrom('scopes')
    .select(['id', 'value', 'description', 'position'])
    .where('tenant_id', '=', tenantId)
    .where('resource_server_id', '=', resourceServerId)
    .execute();
  const byValue = new Map(stored.map((scope) => [scope.value, scope]));
  const kept = new Set(wanted.map(({ value }) => value));
  const gone = stored.filter(({ value }) => !kept.has(value)).map(({ id }) => id);
  if (gone.length > 0)
    await trx.deleteFrom('scopes').where('tenant_id', '=', tenantId).where('id', 'in', gone).execute();
  for (const [position, { value, description }] of wanted.entries()) {
    const known = byValue.get(value);
    if (known === undefined) {
      await trx
        .insertInto('scopes')
        .values({
          tenant_id: tenantId,
          id: randomAlphanumeric(ctx.random, 21),
          resource_server_id: resourceServerId,
          value,
          description,
          position,
        })
        .execute();
    } else if (known.description !== description || known.position !== position) {
      await trx
        .updateTable('scopes')
        .set({ description, position })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', known.id)
        .execute();
    }
  }
}
