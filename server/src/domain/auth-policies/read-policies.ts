/** Reading auth policies: for requests that somebody signs in with, and for whoever manages them. */
import { notFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Context, Services } from '../context.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { type AuthPolicy, type AuthPolicyRow, authPolicyOf } from './policy.ts';

const byId = defineStatement<{ tenantId: string; id: string }, AuthPolicyRow>(
  'auth_policy_by_id',
  'select * from auth_policies where tenant_id = :tenantId and id = :id',
);
const byName = defineStatement<{ tenantId: string; name: string }, AuthPolicyRow>(
  'auth_policy_by_name',
  'select * from auth_policies where tenant_id = :tenantId and name = :name',
);

type Reads = Pick<Services, 'db'>;

/** The row of a policy, also of one that is off; undefined when there is none. */
export const findPolicyRow = async ({ db }: Reads, tenantId: string, id: string): Promise<AuthPolicyRow | undefined> =>
  (await db.run(byId, { tenantId, id }))[0];

/** The same by its name. */
export const findPolicyRowByName = async (
  { db }: Reads,
  tenantId: string,
  name: string,
): Promise<AuthPolicyRow | undefined> => (await db.run(byName, { tenantId, name }))[0];

const enabled = defineStatement<{ tenantId: string }, AuthPolicyRow>(
  'auth_policies_enabled',
  'select * from auth_policies where tenant_id = :tenantId and enabled = 1 order by name',
);

/** Those that people can sign in by, in order of their names. */
export const findEnabledPolicies = async ({ db }: Reads, tenantId: string): Promise<AuthPolicy[]> =>
  (await db.run(enabled, { tenantId })).map(authPolicyOf);

const ofDomain = defineStatement<{ tenantId: string; domain: string }, { policy_id: string }>(
  'auth_policy_of_domain',
  'select policy_id from auth_policy_domains where tenant_id = :tenantId and domain = :domain',
);

/** The policy that people with an e-mail address of this domain are sent to. */
export const findPolicyOfDomain = async (
  { db }: Reads,
  tenantId: string,
  domain: string,
): Promise<string | undefined> => (await db.run(ofDomain, { tenantId, domain }))[0]?.policy_id;

const withDomains = defineStatement<{ tenantId: string }, { policy_id: string }>(
  'auth_policies_with_domains',
  'select distinct policy_id from auth_policy_domains where tenant_id = :tenantId',
);

/** The policies that people are sent to by the domain of their e-mail address. */
export const findPoliciesWithDomains = async ({ db }: Reads, tenantId: string): Promise<ReadonlySet<string>> =>
  new Set((await db.run(withDomains, { tenantId })).map(({ policy_id }) => policy_id));

/** Loads a row for whoever manages policies. Throws `entity.not_found`. */
export async function loadPolicyRow(ctx: Context, db: Queryable, id: string): Promise<AuthPolicyRow> {
  const row = await db
    .selectFrom('auth_policies')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw notFound('auth policy');
  return row;
}

/** Throws `entity.not_found`. */
export const getPolicy = async (ctx: Context, id: string): Promise<AuthPolicy> =>
  authPolicyOf(await loadPolicyRow(ctx, ctx.db.read, id));

/** By its name, as it was written. Throws `entity.not_found`. */
export async function getPolicyByName(ctx: Context, name: string): Promise<AuthPolicy> {
  const row = await findPolicyRowByName(ctx, ctx.site.tenantId, name);
  if (row === undefined) throw notFound('auth policy');
  return authPolicyOf(row);
}

const all = (ctx: Context, db: Queryable) =>
  db.selectFrom('auth_policies').selectAll().where('tenant_id', '=', ctx.site.tenantId);

/** In order of their names. */
export async function listPolicies(ctx: Context, range: OffsetRange): Promise<OffsetPage<AuthPolicy>> {
  const page = await offsetPage(all(ctx, ctx.db.reports), range, (query) => query.orderBy('name').orderBy('id'));
  return { ...page, items: page.items.map(authPolicyOf) };
}

/** The same by key. Throws `input.cursor_invalid`. */
export async function listPoliciesByKey(ctx: Context, range: KeysetRange): Promise<KeysetPage<AuthPolicy>> {
  const page = await keysetPage(ctx, 'auth policies', all(ctx, ctx.db.read), range, ['name', 'id']);
  return { ...page, items: page.items.map(authPolicyOf) };
}

/** The domains whose people are sent to the policy, in order. */
export async function emailDomainsOf(ctx: Context, db: Queryable, policyId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('auth_policy_domains')
    .select('domain')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('policy_id', '=', policyId)
    .orderBy('domain')
    .execute();
  return rows.map(({ domain }) => domain);
}
