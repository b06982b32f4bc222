import { aliasedIdentifier } from '../../domain/resource-servers/aliased-identifier.ts';
import { storedIdentifierOf } from '../../domain/tenants/sites.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { ProtocolContext } from '../context.ts';

const resourceServerNamed = defineStatement<{ tenantId: string; identifier: string }, { id: string }>(
  'resource_server_named',
  'select id from resource_servers where tenant_id = :tenantId and identifier = :identifier',
);

/** Whether an audience names an API of the tenant, by its identifier or an alias. */
export async function audienceExists(ctx: ProtocolContext, audience: string): Promise<boolean> {
  const { db, systemApis } = ctx.services;
  const { tenantId } = ctx.site;
  const identifier = storedIdentifierOf({ site: ctx.site, systemApis }, audience);
  const [found] = await db.run(resourceServerNamed, { tenantId, identifier });
  return found !== undefined || (await aliasedIdentifier(db, tenantId, audience)) !== undefined;
}
