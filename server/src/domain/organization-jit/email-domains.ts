/**
 * Just-in-time membership: who has a verified e-mail address of a domain becomes a member of the organizations it is
 * bound to, with the roles set for that (`roles.ts`, `provision.ts`). Only a caller of the whole tenant binds a domain:
 * a customer that could would catch other customers' people.
 */
import { DomainError, notFound } from '../../kernel/errors.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import { assertMayGiveRoles } from '../access/give-roles.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { emailDomainKey } from '../users/identity.ts';
import { jitRoleIds } from './provision.ts';

const domainsOf = (ctx: Context, db: Queryable, organizationId: string) =>
  db
    .selectFrom('organization_email_domains')
    .select('domain')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('organization_id', '=', organizationId);

/** In order of the domains. Throws `entity.not_found`. */
export async function listEmailDomains(
  ctx: Context,
  organizationId: string,
  range: OffsetRange,
): Promise<OffsetPage<string>> {
  const { id } = await loadRow(ctx, ctx.db.read, organizationId);
  const page = await offsetPage(domainsOf(ctx, ctx.db.reports, id), range, (query) => query.orderBy('domain'));
  return { ...page, items: page.items.map(({ domain }) => domain) };
}

/** The same by key. Throws `entity.not_found`, `input.cursor_invalid`. */
export async function listEmailDomainsByKey(
  ctx: Context,
  organizationId: string,
  range: KeysetRange,
): Promise<KeysetPage<string>> {
  const { id } = await loadRow(ctx, ctx.db.read, organizationId);
  const page = await keysetPage(ctx, `email domains ${id}`, domainsOf(ctx, ctx.db.read, id), range, ['domain']);
  return { ...page, items: page.items.map(({ domain }) => domain) };
}

/**
 * Binds a domain. Throws `entity.not_found`, `entity.exists`, `input.invalid`, `auth.exceeds_own`,
 * `auth.organization_token`.
 */
export async function addEmailDomain(ctx: Context, organizationId: string, text: string): Promise<string> {
  assertWholeTenant(ctx, 'bind a domain');
  const domain = emailDomainKey(text, 'emailDomain');
  await ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, organizationId);
    const bound = await domainsOf(ctx, trx, organizationId).where('domain', '=', domain).executeTakeFirst();
    if (bound !== undefined) {
      throw new DomainError('entity.exists', 'The domain is bound to the organization already.', {
        path: 'emailDomain',
        data: { thing: 'organization email domain' },
      });
    }
    await insertDomains(ctx, trx, organizationId, [domain]);
    await recordJit(ctx, trx, organizationId, { added: [domain] });
  });
  return domain;
}

/** Makes exactly these the domains. Throws as `addEmailDomain` does, but for `entity.exists`. */
export async function replaceEmailDomains(
  ctx: Context,
  organizationId: string,
  texts: readonly string[],
): Promise<void> {
  assertWholeTenant(ctx, 'bind a domain');
  const domains = [...new Set(texts.map((text, index) => emailDomainKey(text, `emailDomains.${index}`)))];
  await ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, organizationId);
    await trx
      .deleteFrom('organization_email_domains')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('organization_id', '=', organizationId)
      .execute();
    await insertDomains(ctx, trx, organizationId, domains);
    await recordJit(ctx, trx, organizationId, { domains: domains.length });
  });
}

/** Frees a domain; who is a member stays one. Throws `entity.not_found`, `auth.organization_token`. */
export async function removeEmailDomain(ctx: Context, organizationId: string, text: string): Promise<void> {
  assertWholeTenant(ctx, 'free a domain');
  await ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, organizationId);
    const { numDeletedRows } = await trx
      .deleteFrom('organization_email_domains')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('organization_id', '=', organizationId)
      .where('domain', '=', keyOf(text))
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) throw notFound('organization email domain');
    await recordJit(ctx, trx, organizationId, { removed: [keyOf(text)] });
  });
}

/** What is no domain is nobody's. */
function keyOf(text: string): string {
  try {
    return emailDomainKey(text, 'emailDomain');
  } catch {
    return '';
  }
}

/** Who binds a domain gives its people the roles set there. */
async function insertDomains(ctx: Context, trx: Tx, organizationId: string, domains: readonly string[]): Promise<void> {
  if (domains.length > 0) await assertMayGiveRoles(ctx, trx, await jitRoleIds(ctx, trx, organizationId));
  const rows = domains.map((domain) => ({ tenant_id: ctx.site.tenantId, organization_id: organizationId, domain }));
  for (const part of chunksOf(rows)) await trx.insertInto('organization_email_domains').values(part).execute();
}

/** The event of a change to what makes people members of an organization. */
export const recordJit = (ctx: Context, trx: Tx, organizationId: string, details: Record<string, unknown>) =>
  recordChange(ctx, trx, 'organization_jit.updated', organizationId, { details });
