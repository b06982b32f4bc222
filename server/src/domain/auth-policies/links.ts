/** What makes somebody who signs in by a policy a user of ours. */
import type { Tx } from '../../storage/database.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Context, Services } from '../context.ts';
import type { LinkedBy } from './identities.ts';
import { builtInPasswordId } from './policy.ts';

const linksOfUser = defineStatement<{ tenantId: string; userId: string; policyId: string }, { linked_by: LinkedBy }>(
  'links_of_user',
  `select distinct linked_by from identities
  where tenant_id = :tenantId and user_id = :userId and policy_id = :policyId`,
);

/**
 * Whether somebody who signed in by a policy is the user by nothing but a name that the upstream told. Who was no
 * administrator then may be one by now, and an upstream's word does not make it an administrator's.
 */
export async function isLinkedByName(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  userId: string,
  policyId: string | null,
): Promise<boolean> {
  if (policyId === null || policyId === builtInPasswordId) return false;
  return areByName(await db.run(linksOfUser, { tenantId, userId, policyId }));
}

/** The same within a transaction. */
export const isLinkedByNameWithin = async (ctx: Context, trx: Tx, userId: string, policyId: string): Promise<boolean> =>
  areByName(await ctx.db.runWithin(trx, linksOfUser, { tenantId: ctx.site.tenantId, userId, policyId }));

const areByName = (links: readonly { linked_by: LinkedBy }[]): boolean =>
  links.length > 0 && links.every(({ linked_by }) => linked_by === 'name');
