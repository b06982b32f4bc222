import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import type { AuthPolicy } from './policy.ts';

/** Gives the roles that the policy's mappings have for somebody's groups upstream. */
export async function applyRoleMappings(
  _ctx: Context,
  _trx: Tx,
  { roleMappings }: AuthPolicy,
  _userId: string,
  _groups: readonly string[],
): Promise<void> {
  if (roleMappings.length > 0) throw new Error('role mappings are not applied yet');
}
