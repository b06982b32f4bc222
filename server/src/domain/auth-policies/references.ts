/** Lists of auth policies that an application, an organization or the tenant names. */
import { isDeepStrictEqual } from 'node:util';
import { DomainError, invalid } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { builtInPasswordId } from './policy.ts';

/** Most policies that one list names. */
const mostPolicies = 100;

/**
 * Each must be a policy of the tenant or the built-in password, none twice. Throws `input.invalid` and
 * `entity.reference_not_found`, naming a field as `authPolicyIds.0`.
 */
export async function assertPoliciesExist(ctx: Context, trx: Tx, ids: readonly string[], path: string): Promise<void> {
  if (ids.length === 0) throw invalid(path, 'An empty list would let nobody in; null lets the list go.');
  if (ids.length > mostPolicies) throw invalid(path, `A list has at most ${mostPolicies} auth policies.`);
  const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
  if (twice !== -1) throw invalid(`${path}.${twice}`, 'The auth policy is listed already.');
  const rows = await trx
    .selectFrom('auth_policies')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', 'in', ids)
    .execute();
  const known = new Set([builtInPasswordId, ...rows.map(({ id }) => id)]);
  const unknown = ids.findIndex((id) => !known.has(id));
  if (unknown === -1) return;
  throw new DomainError('entity.reference_not_found', 'There is no such auth policy.', {
    path: `${path}.${unknown}`,
    data: { thing: 'auth policy' },
  });
}

/** A list of policies before and after a change; absent and null: there is none. */
export interface ListOfPolicies {
  readonly before: readonly string[] | null | undefined;
  readonly after: readonly string[] | null | undefined;
}

/**
 * Who comes in how is the whole tenant's to say. A list that stays as it is is not looked at. Throws as
 * `assertPoliciesExist` about `authPolicyIds`, and `auth.organization_token`.
 */
export async function assertMayListPolicies(ctx: Context, trx: Tx, { before, after }: ListOfPolicies): Promise<void> {
  if (isDeepStrictEqual(before ?? null, after ?? null)) return;
  assertWholeTenant(ctx, 'choose auth policies');
  if (after != null) await assertPoliciesExist(ctx, trx, after, 'authPolicyIds');
}
