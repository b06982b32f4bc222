/** Tenants: created, changed, suspended and deleted from the default tenant, by a scope that exists only there. */
import { DomainError, invalid, notFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { assertMayListPolicies } from '../auth-policies/references.ts';
import type { Extras } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { type FirstClient, insertTenant, prepareTenant } from './provision.ts';
import { assertTenantSignIn } from './sign-in.ts';
import type { TenantSignInSettings } from './sign-in-settings.ts';
import { defaultTenantId, tenantIdPattern } from './sites.ts';
import { type Tenant, tenantOf } from './tenant.ts';

export async function listTenants(ctx: Context, range: OffsetRange): Promise<OffsetPage<Tenant>> {
  const page = await offsetPage<Schema['tenants']>(ctx.db.reports.selectFrom('tenants').selectAll(), range);
  return mapPage(page, page.items.map(tenantOf));
}

export async function listTenantsByKey(ctx: Context, range: KeysetRange): Promise<KeysetPage<Tenant>> {
  const page = await keysetPage<Schema['tenants']>(
    ctx,
    'tenants',
    ctx.db.read.selectFrom('tenants').selectAll(),
    range,
  );
  return mapPage(page, page.items.map(tenantOf));
}

/** Throws `entity.not_found`. */
export async function getTenant(ctx: Context, id: string, db: Queryable = ctx.db.read): Promise<Tenant> {
  const row = await db.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('tenant');
  return tenantOf(row);
}

/** Creates a tenant with its own keys, system resource servers and first client. Throws `entity.exists`, `input.invalid`. */
export async function createTenant(
  ctx: Context,
  input: Pick<Tenant, 'id' | 'name' | 'environment'>,
): Promise<{ tenant: Tenant; firstClient: FirstClient }> {
  if (!tenantIdPattern.test(input.id)) {
    throw invalid('id', 'A tenant id becomes part of a host name: a-z, 0-9 and -, at most 63 characters.');
  }
  const provision = await prepareTenant(ctx, input);
  return ctx.db.transact(async (trx) => {
    if (!(await insertTenant(ctx, trx, provision))) {
      throw new DomainError('entity.exists', 'A tenant with this id exists already.', {
        path: 'id',
        data: { thing: 'tenant' },
      });
    }
    await recordChange(ctx, trx, 'tenant.created', input.id);
    return { tenant: await getTenant(ctx, input.id, trx), firstClient: provision.firstClient };
  });
}

/**
 * Changes a tenant; a suspended one issues no token and accepts none, from the next request on. Throws
 * `entity.not_found`, `tenant.default_protected`.
 */
export async function updateTenant(
  ctx: Context,
  id: string,
  change: Partial<Pick<Tenant, 'name' | 'environment' | 'status'>>,
): Promise<Tenant> {
  if (id === defaultTenantId && change.status === 'suspended') throw defaultProtected();
  return ctx.db.transact(async (trx) => {
    await getTenant(ctx, id, trx);
    await trx
      .updateTable('tenants')
      .set({ ...change, updated_at: ctx.clock.now() })
      .where('id', '=', id)
      .execute();
    await recordChange(ctx, trx, 'tenant.updated', id, { details: { ...change } });
    return getTenant(ctx, id, trx);
  });
}

/** Deletes a tenant with all that is in it. Throws `entity.not_found`, `tenant.default_protected`. */
export async function deleteTenant(ctx: Context, id: string): Promise<void> {
  if (id === defaultTenantId) throw defaultProtected();
  await ctx.db.transact(async (trx) => {
    await getTenant(ctx, id, trx);
    await trx.deleteFrom('tenants').where('id', '=', id).execute();
    await recordChange(ctx, trx, 'tenant.deleted', id);
  });
}

/**
 * Changes the settings of the tenant the request is in; what is absent stays. `extras` and `signIn` get what is stored and
 * give what shall be, so that two changes at once lose nothing. Throws `entity.not_found`, `input.invalid`,
 * `entity.reference_not_found` (an auth policy), `auth.organization_token`.
 */
export async function updateSettings(
  ctx: Context,
  change: Partial<Pick<Tenant, 'name' | 'defaultAudience'>> & {
    extras?: (before: Extras) => Extras;
    signIn?: (before: TenantSignInSettings) => TenantSignInSettings;
  },
): Promise<Tenant> {
  assertWholeTenant(ctx, 'change the settings of the tenant');
  const { tenantId } = ctx.site;
  return ctx.db.transact(async (trx) => {
    const before = await getTenant(ctx, tenantId, trx);
    const signIn = change.signIn?.(before.signIn);
    if (signIn !== undefined) {
      assertTenantSignIn(ctx.sites, signIn);
      const lists = { before: before.signIn.authPolicyIds, after: signIn.authPolicyIds };
      await assertMayListPolicies(ctx, trx, lists);
    }
    if (change.defaultAudience != null) await assertDefaultAudience(ctx, trx, change.defaultAudience);
    await trx
      .updateTable('tenants')
      .set({
        ...(change.name === undefined ? {} : { name: change.name }),
        ...(change.defaultAudience === undefined ? {} : { default_audience: change.defaultAudience }),
        ...(signIn === undefined ? {} : { sign_in: JSON.stringify(signIn) }),
        ...(change.extras === undefined ? {} : { extras: JSON.stringify(change.extras(before.extras)) }),
        updated_at: ctx.clock.now(),
      })
      .where('id', '=', tenantId)
      .execute();
    await recordChange(ctx, trx, 'tenant.updated', tenantId, { details: { fields: Object.keys(change) } });
    return getTenant(ctx, tenantId, trx);
  });
}

async function assertDefaultAudience(ctx: Context, db: Queryable, identifier: string): Promise<void> {
  const known = await db
    .selectFrom('resource_servers')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('identifier', '=', identifier)
    .where('system_kind', 'is', null)
    .executeTakeFirst();
  if (known === undefined) throw invalid('defaultAudience', 'The default audience must be an API of this tenant.');
}

const defaultProtected = (): DomainError =>
  new DomainError('tenant.default_protected', 'The default tenant can not be suspended or deleted.');
