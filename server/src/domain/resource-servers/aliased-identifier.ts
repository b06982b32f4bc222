/** Which audience an alias stands for: read for tokens, before what manages aliases is loaded. */
import type { Database } from '../../storage/database.ts';
import { defineStatement } from '../../storage/statement.ts';

const aliasStatement = defineStatement<{ tenantId: string; alias: string }, { identifier: string }>(
  'resource_server_alias',
  `select r.identifier as identifier from resource_server_aliases a
  join resource_servers r on r.tenant_id = a.tenant_id and r.id = a.resource_server_id
  where a.tenant_id = :tenantId and a.alias = :alias`,
);

/** The stored identifier of the resource server that an audience is an alias of; undefined when it is none's. */
export async function aliasedIdentifier(
  db: Pick<Database, 'run'>,
  tenantId: string,
  alias: string,
): Promise<string | undefined> {
  const [row] = await db.run(aliasStatement, { tenantId, alias });
  return row?.identifier;
}
