/** The domains whose people a policy is for; each leads to one policy. */
import { DomainError } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import { inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';

/** Makes exactly these the domains of a policy. Throws `entity.exists` naming `emailDomains.<index>`. */
export async function replaceEmailDomains(
  ctx: Context,
  trx: Tx,
  policyId: string,
  domains: readonly string[],
): Promise<void> {
  const { tenantId } = ctx.site;
  await trx
    .deleteFrom('auth_policy_domains')
    .where('tenant_id', '=', tenantId)
    .where('policy_id', '=', policyId)
    .execute();
  if (domains.length === 0) return;
  const taken = await trx
    .selectFrom('auth_policy_domains')
    .select('domain')
    .where('tenant_id', '=', tenantId)
    .where('domain', 'in', domains)
    .execute();
  const ofOthers = new Set(taken.map(({ domain }) => domain));
  const index = domains.findIndex((domain) => ofOthers.has(domain));
  if (index >= 0) {
    throw new DomainError('entity.exists', 'Another auth policy has this domain already.', {
      path: `emailDomains.${index}`,
      data: { thing: 'auth policy email domain' },
    });
  }
  const rows = domains.map((domain) => ({ tenant_id: tenantId, domain, policy_id: policyId }));
  await trx.insertInto('auth_policy_domains').values(rows).execute();
}

/** The domains of several policies, in order, by policy. */
export async function emailDomainsOfPolicies(
  ctx: Context,
  policyIds: readonly string[],
): Promise<ReadonlyMap<string, string[]>> {
  const rows = await inChunks(policyIds, (part) =>
    ctx.db.read
      .selectFrom('auth_policy_domains')
      .select(['policy_id', 'domain'])
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('policy_id', 'in', part)
      .orderBy('domain')
      .execute(),
  );
  const byPolicy = Map.groupBy(rows, ({ policy_id }) => policy_id);
  return new Map([...byPolicy].map(([id, of]) => [id, of.map(({ domain }) => domain)]));
}
