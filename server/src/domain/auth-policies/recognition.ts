/**
 * What a policy could be turned into. Whoever changes how a policy's people are recognised, or where they prove
 * themselves, or switches it on again, could sign in as any of them afterwards; whoever maps groups to roles, or lets in
 * people who did not get in before, gives those roles; and a policy that makes users from what an upstream says makes them
 * members of what the e-mail address says.
 */
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import { assertMayGiveRoles } from '../access/give-roles.ts';
import { assertHoldsAllOf } from '../access/take-over.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';
import { loadRoles } from '../roles/read-roles.ts';
import type { RoleMapping, TypedConfiguration } from './policy.ts';
import type { AuthPolicySettings } from './settings.ts';

/** As far as it decides who somebody is. */
export type Recognition = Pick<
  AuthPolicySettings,
  'enabled' | 'checkUserExists' | 'checkUserApproved' | 'linksByEmail' | 'linksByUsername' | 'roleMappings'
> & { readonly typed: TypedConfiguration };

/** Whether linked people are recognised otherwise, or prove themselves elsewhere. */
export const changesRecognition = (before: Recognition, after: Recognition): boolean =>
  before.linksByEmail !== after.linksByEmail ||
  before.linksByUsername !== after.linksByUsername ||
  !isDeepStrictEqual(before.typed, after.typed);

/**
 * Whether the caller may make a policy so, or of what it was `before`. Throws `auth.exceeds_own`,
 * `entity.reference_not_found` and `role.wrong_subject` (of a mapping).
 */
export async function assertMayRecognise(
  ctx: Context,
  trx: Tx,
  policyId: string,
  after: Recognition,
  before?: Recognition,
): Promise<void> {
  const recognises = before === undefined || changesRecognition(before, after) || (after.enabled && !before.enabled);
  const maps = before === undefined || !isDeepStrictEqual(before.roleMappings, after.roleMappings);
  if (maps) await assertMappings(ctx, trx, after.roleMappings);
  if (before !== undefined && recognises) await assertHoldsAllOfLinked(ctx, trx, policyId);
  if (recognises || maps || letsIn(before, after)) await assertMayLetIn(ctx, trx, after);
  const makesUsers = !after.checkUserExists && (recognises || before?.checkUserExists === true);
  if (makesUsers) await assertMayGive(ctx, trx, await rolesJustInTime(ctx, trx));
}

/** Whoever lets somebody in gives what the groups of that one give. Throws `auth.exceeds_own`. */
export const assertMayLetIn = (
  ctx: Context,
  trx: Tx,
  { roleMappings }: { readonly roleMappings: readonly RoleMapping[] },
): Promise<void> =>
  assertMayGive(
    ctx,
    trx,
    roleMappings.flatMap(({ roleIds }) => roleIds),
  );

/** Whether groups give their roles to people who did not get in before. */
const letsIn = (before: Recognition | undefined, after: Recognition): boolean =>
  before !== undefined &&
  ((before.checkUserExists && !after.checkUserExists) || (before.checkUserApproved && !after.checkUserApproved));

async function assertMappings(ctx: Context, trx: Tx, mappings: readonly RoleMapping[]): Promise<void> {
  for (const [index, { organizationId, roleIds }] of mappings.entries()) {
    const path = `roleMappings.${index}`;
    const organization = await trx
      .selectFrom('organizations')
      .select('id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', organizationId)
      .executeTakeFirst();
    if (organization === undefined) throw referenceNotFound('organization', `${path}.organizationId`);
    await loadRoles(ctx, trx, roleIds, { level: 'organization', subjectKind: 'user' }, `${path}.roleIds`);
  }
}

async function assertMayGive(ctx: Context, trx: Tx, roleIds: readonly string[]): Promise<void> {
  for (const part of chunksOf([...new Set(roleIds)])) await assertMayGiveRoles(ctx, trx, part);
}

/** What a verified e-mail address of some domain gives (`organization-jit/`). */
async function rolesJustInTime(ctx: Context, trx: Tx): Promise<string[]> {
  const rows = await trx
    .selectFrom('organization_jit_roles')
    .select('role_id')
    .distinct()
    .where('tenant_id', '=', ctx.site.tenantId)
    .execute();
  return rows.map(({ role_id }) => role_id);
}

/** The others can do nothing at a management audience. */
async function assertHoldsAllOfLinked(ctx: Context, trx: Tx, policyId: string): Promise<void> {
  if (ctx.actor.kind === 'server') return;
  const managementRoles = sql`select rs.role_id from resource_servers r
    join scopes x on x.tenant_id = r.tenant_id and x.resource_server_id = r.id
    join role_scopes rs on rs.tenant_id = x.tenant_id and rs.scope_id = x.id
    where r.tenant_id = ${ctx.site.tenantId} and r.system_kind is not null`;
  const linked = await trx
    .selectFrom('identities as i')
    .select('i.user_id')
    .distinct()
    .where('i.tenant_id', '=', ctx.site.tenantId)
    .where('i.policy_id', '=', policyId)
    .where(
      sql<boolean>`(exists (select 1 from role_assignments a where a.tenant_id = i.tenant_id
          and a.subject_id = i.user_id and a.role_id in (${managementRoles}))
        or exists (select 1 from memberships m join membership_roles mr
          on mr.tenant_id = m.tenant_id and mr.membership_id = m.id
          where m.tenant_id = i.tenant_id and m.subject_id = i.user_id and mr.role_id in (${managementRoles})))`,
    )
    .execute();
  for (const { user_id } of linked) await assertHoldsAllOf(ctx, trx, user_id);
}
