import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Context } from '../context.ts';
import { isDelegated, pathInReach } from '../organizations/reach.ts';
import { containsText } from '../search.ts';
import { foldCase } from '../users/identity.ts';

const anyOf = (parts: readonly RawBuilder<SqlBool>[]): RawBuilder<SqlBool> =>
  sql<SqlBool>`(${sql.join(parts, sql` or `)})`;

/**
 * Whether the user or client of a membership is known by something with `contains` in it, in any case: of a user the
 * id, e-mail, username, phone or name; of a client the id, name or description. Of members inherited from above what a
 * delegated caller may see, it finds the name only: what is not shown must not be found either.
 */
export function matchesMember(ctx: Context, contains: string): RawBuilder<SqlBool> {
  const part = foldCase(contains);
  const lower = contains.toLowerCase();
  const name = sql<SqlBool>`exists (select 1 from user_terms t where t.tenant_id = u.tenant_id and t.user_id = u.id
    and t.field = 'name' and ${containsText(sql`t.value`, part)})`;
  const details = isDelegated(ctx)
    ? sql<SqlBool>`exists (select 1 from organizations held where held.tenant_id = memberships.tenant_id
        and held.id = memberships.organization_id and ${pathInReach(ctx, 'held.path')})`
    : sql<SqlBool>`1 = 1`;
  const ofUser = anyOf([
    containsText(sql`lower(u.id)`, lower),
    containsText(sql`u.email_key`, part),
    containsText(sql`u.username_key`, part),
    containsText(sql`u.phone`, part),
  ]);
  const ofClient = anyOf([containsText(sql`lower(c.id)`, lower), containsText(sql`lower(c.description)`, lower)]);
  return sql<SqlBool>`(exists (select 1 from users u where u.tenant_id = memberships.tenant_id
      and u.id = memberships.subject_id and (${name} or (${details} and ${ofUser})))
    or exists (select 1 from clients c where c.tenant_id = memberships.tenant_id and c.id = memberships.subject_id
      and (${containsText(sql`lower(c.name)`, lower)} or (${details} and ${ofClient}))))`;
}
