/** The audience of token requests that name none. */
import { DomainError } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { inOneTransaction } from '../one-transaction.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { getResourceServer } from '../resource-servers/read-resource-servers.ts';
import { getTenant, updateSettings } from './tenants.ts';

/** Identifier of the tenant's default audience, if it has one. */
export const defaultAudienceOf = async (ctx: Context): Promise<string | null> =>
  (await getTenant(ctx, ctx.site.tenantId)).defaultAudience;

/**
 * Makes a resource server the default audience, or ends its being so. Throws `entity.not_found`,
 * `resource_server.system`, `auth.organization_token`.
 */
export async function setDefaultResourceServer(ctx: Context, id: string, isDefault: boolean): Promise<void> {
  assertWholeTenant(ctx, 'change resource servers');
  await inOneTransaction(ctx, async (joined) => {
    const api = await getResourceServer(joined, id);
    if (api.systemKind !== null) {
      throw new DomainError('resource_server.system', 'A system resource server is never the default audience.');
    }
    const before = await defaultAudienceOf(joined);
    if ((before === api.identifier) === isDefault) return;
    await updateSettings(joined, { defaultAudience: isDefault ? api.identifier : null });
  });
}
