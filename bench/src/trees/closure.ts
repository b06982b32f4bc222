/** The tree as a closure table: one row for each pair of an organization and one above it, and for itself. */
import type { Connection } from './connection.ts';
import { createOrganizations, fillOrganizations, insertOrganizations, pageSize, type Tree, tenant } from './tree.ts';

/** Every pair that `parent_id` implies. */
const pairs = `with recursive pairs (tenant_id, ancestor_id, descendant_id, distance) as (
    select tenant_id, id, id, 0 from organizations
    union all
    select o.tenant_id, o.parent_id, pairs.descendant_id, pairs.distance + 1
    from pairs join organizations o on o.tenant_id = pairs.tenant_id and o.id = pairs.ancestor_id
    where o.parent_id is not null)`;

export function closureTree(connection: Connection): Tree {
  const { all } = connection;
  /** Puts `id` and all below it under `parentId`. */
  const attach = (id: string, parentId: string) =>
    all(
      `insert into closure select $1, above.ancestor_id, below.descendant_id, above.distance + below.distance + 1
       from closure above cross join closure below
       where above.tenant_id = $1 and above.descendant_id = $3 and below.tenant_id = $1 and below.ancestor_id = $2`,
      [tenant, id, parentId],
    );
  return {
    name: 'closure',
    connection,
    async create(forest) {
      await createOrganizations(connection);
      await fillOrganizations(connection, forest);
      await all(`create table closure (tenant_id text not null, ancestor_id text not null,
        descendant_id text not null, distance integer not null,
        primary key (tenant_id, ancestor_id, descendant_id)) ${connection.engine === 'sqlite' ? 'without rowid' : ''}`);
      await all(`insert into closure ${pairs} select * from pairs order by tenant_id, ancestor_id, descendant_id`);
      await all('create index closure_descendant on closure (tenant_id, descendant_id, distance, ancestor_id)');
    },
    ancestors: (id) =>
      all(
        `select o.id, o.name from closure join organizations o
         on o.tenant_id = closure.tenant_id and o.id = closure.ancestor_id
         where closure.tenant_id = $1 and closure.descendant_id = $2 and closure.distance > 0 order by closure.distance`,
        [tenant, id],
      ),
    // Limited before the join: PostgreSQL takes a subtree for a handful of rows, and would join and sort all of them.
    subtree: (id, after) =>
      all(
        `select o.id, o.name
         from (select tenant_id, descendant_id from closure
           where tenant_id = $1 and ancestor_id = $2 and descendant_id > $3 order by descendant_id limit ${pageSize}) page
         join organizations o on o.tenant_id = page.tenant_id and o.id = page.descendant_id
         order by page.descendant_id`,
        [tenant, id, after ?? ''],
      ),
    async isBelow(id, ancestorId) {
      const sql = 'select 1 from closure where tenant_id = $1 and ancestor_id = $2 and descendant_id = $3';
      return (await all(sql, [tenant, ancestorId, id])).length > 0;
    },
    async add(id, parentId) {
      await insertOrganizations(connection, [{ number: -1, id, parentId, path: '' }]);
      await all('insert into closure values ($1, $2, $2, 0)', [tenant, id]);
      await attach(id, parentId);
    },
    async move(id, parentId) {
      await all('update organizations set parent_id = $3 where tenant_id = $1 and id = $2', [tenant, id, parentId]);
      await all(
        `delete from closure where tenant_id = $1
         and descendant_id in (select descendant_id from closure where tenant_id = $1 and ancestor_id = $2)
         and ancestor_id in
           (select ancestor_id from closure where tenant_id = $1 and descendant_id = $2 and distance > 0)`,
        [tenant, id],
      );
      if (parentId !== null) await attach(id, parentId);
    },
    async remove(id) {
      await all('delete from closure where tenant_id = $1 and descendant_id = $2', [tenant, id]);
      await all('delete from organizations where tenant_id = $1 and id = $2', [tenant, id]);
    },
    async faults() {
      const missing = await all(`${pairs} select count(*) as faults from
        (select ancestor_id, descendant_id, distance from pairs except
         select ancestor_id, descendant_id, distance from closure) missing`);
      const tooMany = await all(
        `${pairs} select (select count(*) from closure) - (select count(*) from pairs) as faults`,
      );
      return Number(missing[0]?.faults) + Number(tooMany[0]?.faults);
    },
  };
}
