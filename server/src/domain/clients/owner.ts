/** Which organization owns a client, and what a caller that acts for one may make of its clients. */
import { referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { assertWholeTenant, isDelegated, organizationInReach, ownOrganization } from '../organizations/reach.ts';
import { type ClientSettings, isPublicClient } from './client.ts';
import type { ClientWithKeys } from './read-clients.ts';
import { noSignIn, sameSignIn } from './sign-in.ts';

/** A customer's backend makes further backends, and nothing that people sign in to, others trust, or that sees tokens. */
export function assertMayBecome(ctx: Context, after: ClientSettings, before?: ClientWithKeys): void {
  if (!isDelegated(ctx)) return;
  if (!sameSignIn(before?.signIn ?? noSignIn, after.signIn)) assertWholeTenant(ctx, 'change where people sign in');
  const changed = (['type', 'grantTypes', 'authMethod', 'firstParty', 'resourceServer'] as const).some(
    (field) => JSON.stringify(before?.[field]) !== JSON.stringify(after[field]),
  );
  if (!changed) return;
  const isMachine =
    after.type === 'machine' && !isPublicClient(after) && after.grantTypes.join() === 'client_credentials';
  if (isMachine && after.firstParty && after.resourceServer === null) return;
  assertWholeTenant(ctx, 'make other than machine-to-machine applications');
}

/** The organization that is to own a new client. Throws `entity.reference_not_found` naming `ownerOrganizationId`. */
export async function ownerOf(ctx: Context, trx: Tx, wanted: string | null | undefined): Promise<string | null> {
  const id = wanted ?? ownOrganization(ctx)?.id ?? null;
  if (id === null) return null;
  const organization = await trx
    .selectFrom('organizations')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', id)
    .where(organizationInReach(ctx, 'id'))
    .executeTakeFirst();
  if (organization === undefined) throw referenceNotFound('organization', 'ownerOrganizationId');
  return id;
}
