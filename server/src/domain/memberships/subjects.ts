/** Who may be a member: a person of the tenant, or a client that can prove who it is. */
import { DomainError, referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { chunksOf } from '../chunks.ts';
import { isPublicClient } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { assertWholeTenant, organizationInReach } from '../organizations/reach.ts';

/**
 * Whether the caller may make members of these. A delegated caller adds people by invitation only, told so whether or
 * not they exist, and of the clients those that its subtree owns. Throws `entity.reference_not_found`,
 * `organization.not_a_machine`, `auth.organization_token`; `path` names the field.
 */
export async function assertMayJoin(
  ctx: Context,
  trx: Tx,
  kind: SubjectKind,
  ids: readonly string[],
  path: string,
): Promise<void> {
  if (ids.length === 0) return;
  if (kind === 'user') assertWholeTenant(ctx, 'add a user; invite the person');
  await assertSubjects(ctx, trx, kind, ids, path);
}

/** The same for a person who was invited. Throws `entity.reference_not_found`, `organization.not_a_machine`. */
export async function assertSubjects(
  ctx: Context,
  trx: Tx,
  kind: SubjectKind,
  ids: readonly string[],
  path: string,
): Promise<void> {
  for (const part of chunksOf([...new Set(ids)])) {
    if (kind === 'user') await assertUsers(ctx, trx, part, path);
    else await assertMachines(ctx, trx, part, path);
  }
}

async function assertUsers(ctx: Context, trx: Tx, ids: readonly string[], path: string): Promise<void> {
  const found = await trx
    .selectFrom('users')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', 'in', ids)
    .execute();
  if (found.length < ids.length) throw referenceNotFound('user', path);
}

async function assertMachines(ctx: Context, trx: Tx, ids: readonly string[], path: string): Promise<void> {
  const found = await trx
    .selectFrom('clients')
    .select(['type', 'auth_method'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', 'in', ids)
    .where(organizationInReach(ctx, 'owner_organization_id'))
    .execute();
  if (found.length < ids.length) throw referenceNotFound('application', path);
  if (found.some(({ type, auth_method }) => isPublicClient({ type, authMethod: auth_method }))) {
    throw new DomainError('organization.not_a_machine', 'Only an application that can keep a secret can be a member.', {
      path,
    });
  }
}
