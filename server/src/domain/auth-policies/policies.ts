/** Auth policies made, changed, deleted: by callers of the whole tenant, for everybody signs in by them. */
import { DomainError, invalid } from '../../kernel/errors.ts';
import { randomHex } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { endEverythingOfPolicy } from '../sessions/end.ts';
import { type CheckedConfiguration, checkConfiguration } from './configuration/configuration.ts';
import { replaceEmailDomains } from './email-domains.ts';
import { assertNotListed } from './in-use.ts';
import {
  type AuthPolicy,
  type AuthPolicyRow,
  authPolicyOf,
  encryptedSecrets,
  secretsOf,
  type TypedConfiguration,
} from './policy.ts';
import { loadPolicyRow } from './read-policies.ts';
import { assertMayRecognise, changesRecognition } from './recognition.ts';
import {
  type AuthPolicyChange,
  type AuthPolicySettings,
  columnsOf,
  emailDomainKeys,
  type NewAuthPolicy,
  settingsOf,
} from './settings.ts';

/**
 * Makes a policy. Throws `input.invalid` naming the field, `entity.exists` (of thing `auth policy`, path `name`, or
 * `emailDomains.<index>`), `entity.reference_not_found` and `role.wrong_subject` (of a role mapping), `auth.exceeds_own`,
 * `auth.organization_token`.
 */
export async function createPolicy(ctx: Context, input: NewAuthPolicy): Promise<AuthPolicy> {
  assertWholeTenant(ctx, 'make auth policies');
  const settings = settingsOf(input);
  const domains = emailDomainKeys(input.emailDomains ?? []);
  const checked = checkConfiguration(ctx.outgoing, input.type, input.configuration);
  const id = randomHex(ctx.random, 12);
  return ctx.db.transact(async (trx) => {
    await assertNameFree(ctx, trx, settings.name);
    await assertMayRecognise(ctx, trx, id, { ...settings, typed: checked.typed });
    const now = ctx.clock.now();
    const row: AuthPolicyRow = {
      tenant_id: ctx.site.tenantId,
      id,
      ...columnsOf(settings),
      ...configurationColumns(ctx, id, checked),
      created_at: now,
      updated_at: now,
    };
    await trx.insertInto('auth_policies').values(row).execute();
    await replaceEmailDomains(ctx, trx, id, domains);
    await recordChange(ctx, trx, 'auth_policy.created', id, { details: { name: row.name, type: row.type } });
    return authPolicyOf(row);
  });
}

/**
 * Changes a policy; what is absent stays, but of a configuration that is given only its secret, and that only while it
 * goes where it went. Another type drops who is linked. Switched off, of another type, or with approval asked for from
 * now on, it ends what was begun by it. Throws `entity.not_found` and what `createPolicy` throws.
 */
export async function updatePolicy(ctx: Context, id: string, change: AuthPolicyChange): Promise<AuthPolicy> {
  assertWholeTenant(ctx, 'change auth policies');
  const domains = change.emailDomains === undefined ? undefined : emailDomainKeys(change.emailDomains);
  return ctx.db.transact(async (trx) => {
    const row = await loadPolicyRow(ctx, trx, id);
    const before = authPolicyOf(row);
    const settings = settingsOf(change, before);
    const checked = configurationAfter(ctx, row, change);
    if (settings.name !== before.name) await assertNameFree(ctx, trx, settings.name);
    const was = { ...before, typed: typedOf(before) };
    const is = { ...settings, typed: checked.typed };
    await assertMayRecognise(ctx, trx, id, is, was);
    const after: AuthPolicyRow = {
      ...row,
      ...columnsOf(settings),
      ...configurationColumns(ctx, id, checked),
      updated_at: ctx.clock.now(),
    };
    const { tenant_id: _, id: __, ...columns } = after;
    await trx
      .updateTable('auth_policies')
      .set(columns)
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .execute();
    if (domains !== undefined) await replaceEmailDomains(ctx, trx, id, domains);
    if (before.type !== checked.typed.type) await forget(ctx, trx, 'identities', id);
    if (changesRecognition(was, is)) await forget(ctx, trx, 'upstream_requests', id);
    await recordChange(ctx, trx, 'auth_policy.updated', id, { details: { fields: fieldsOf(change) } });
    if (closes(before, settings) || before.type !== checked.typed.type) await endEverythingOfPolicy(ctx, trx, id);
    return authPolicyOf(after);
  });
}

/**
 * Deletes a policy with who is linked and approved by it, and ends what was begun by it. Throws `entity.not_found`,
 * `entity.in_use` (an application, an organization or the tenant lists it), `auth.organization_token`.
 */
export async function deletePolicy(ctx: Context, id: string): Promise<void> {
  assertWholeTenant(ctx, 'delete auth policies');
  await ctx.db.transact(async (trx) => {
    const { name } = await loadPolicyRow(ctx, trx, id);
    await assertNotListed(ctx, trx, id);
    await endEverythingOfPolicy(ctx, trx, id);
    await trx.deleteFrom('auth_policies').where('tenant_id', '=', ctx.site.tenantId).where('id', '=', id).execute();
    await recordChange(ctx, trx, 'auth_policy.deleted', id, { details: { name } });
  });
}

const typedOf = ({ type, configuration }: AuthPolicy): TypedConfiguration =>
  ({ type, configuration }) as TypedConfiguration;

/** The configuration as it is to be: what is given replaces what there was, but for its secret. */
function configurationAfter(ctx: Context, row: AuthPolicyRow, change: AuthPolicyChange): CheckedConfiguration {
  const stored = { typed: typedOf(authPolicyOf(row)), secrets: secretsOf(ctx, row) };
  const type = change.type ?? row.type;
  if (change.configuration !== undefined) return checkConfiguration(ctx.outgoing, type, change.configuration, stored);
  if (type === row.type) return stored;
  throw invalid('configuration', 'Another type needs another configuration.');
}

const configurationColumns = (ctx: Context, id: string, { typed, secrets }: CheckedConfiguration) => ({
  type: typed.type,
  configuration: JSON.stringify(typed.configuration),
  secrets: encryptedSecrets(ctx, { tenant_id: ctx.site.tenantId, id }, secrets),
});

/** What was changed, as a log event names it. */
const fieldsOf = (change: AuthPolicyChange): string[] =>
  Object.entries(change).flatMap(([field, value]) => (value === undefined ? [] : [field]));

/** Whether somebody who is in might not get in any more. */
const closes = (before: AuthPolicySettings, after: AuthPolicySettings): boolean =>
  (before.enabled && !after.enabled) || (!before.checkUserApproved && after.checkUserApproved);

const forget = (ctx: Context, trx: Tx, table: 'identities' | 'upstream_requests', policyId: string) =>
  trx.deleteFrom(table).where('tenant_id', '=', ctx.site.tenantId).where('policy_id', '=', policyId).execute();

/** The unique index has the last word. */
async function assertNameFree(ctx: Context, trx: Tx, name: string): Promise<void> {
  const taken = await trx
    .selectFrom('auth_policies')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('name', '=', name)
    .executeTakeFirst();
  if (taken === undefined) return;
  throw new DomainError('entity.exists', 'An auth policy of this name exists already.', {
    path: 'name',
    data: { thing: 'auth policy' },
  });
}
