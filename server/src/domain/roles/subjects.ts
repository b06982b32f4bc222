/** Who may have tenant-wide roles: a user of the tenant, or a client that can prove who it is. */
import { DomainError, notFound, referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { inChunks } from '../chunks.ts';
import { isPublicClient } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { assertWholeTenant } from '../organizations/reach.ts';

/** A user or a client, by its id. */
export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
}

/** Whether the caller may change the roles of one that is there. Throws `entity.not_found`, `auth.organization_token`. */
export async function assertSubject(ctx: Context, trx: Tx, { kind, id }: Subject): Promise<void> {
  assertWholeTenant(ctx, 'change tenant-wide roles');
  const [row] = kind === 'user' ? await usersAmong(ctx, trx, [id]) : await clientsAmong(ctx, trx, [id]);
  if (row === undefined) throw notFound(kind);
}

/** Throws `input.invalid` naming `path` when it is a public client. */
export async function assertNotPublic(ctx: Context, trx: Tx, { kind, id }: Subject, path: string): Promise<void> {
  if (kind === 'client') assertNoPublicClient(await clientsAmong(ctx, trx, [id]), path);
}

/** Whether all of these are there and may have roles. Throws `entity.reference_not_found`, `input.invalid`. */
export async function assertSubjects(
  ctx: Context,
  trx: Tx,
  kind: SubjectKind,
  ids: readonly string[],
  path: string,
): Promise<void> {
  if (kind === 'user') {
    if ((await usersAmong(ctx, trx, ids)).length < ids.length) throw referenceNotFound('user', path);
    return;
  }
  const clients = await clientsAmong(ctx, trx, ids);
  if (clients.length < ids.length) throw referenceNotFound('client', path);
  assertNoPublicClient(clients, path);
}

function assertNoPublicClient(clients: readonly { auth_method: string | null; type: string | null }[], path: string) {
  if (clients.every(({ auth_method, type }) => !isPublicClient({ authMethod: auth_method, type }))) return;
  throw new DomainError('input.invalid', 'A public client can not have roles: it can not prove who it is.', {
    path,
    data: { rule: 'application_type' },
  });
}

const usersAmong = (ctx: Context, trx: Tx, ids: readonly string[]) =>
  inChunks(ids, (part) =>
    trx.selectFrom('users').select('id').where('tenant_id', '=', ctx.site.tenantId).where('id', 'in', part).execute(),
  );

const clientsAmong = (ctx: Context, trx: Tx, ids: readonly string[]) =>
  inChunks(ids, (part) =>
    trx
      .selectFrom('clients')
      .select(['id', 'auth_method', 'type'])
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .execute(),
  );
