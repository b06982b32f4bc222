/** The tree as `parent_id` to walk up, and a path of labels, each followed by `/`, whose ranges are the subtrees. */
import type { Connection } from './connection.ts';
import { labelOf } from './forest.ts';
import {
  createOrganizations,
  fillOrganizations,
  insertOrganizations,
  pageSize,
  sortedText,
  type Tree,
  tenant,
} from './tree.ts';

/** `0` comes right after `/`, so this is the first text behind all paths that begin with `path`. */
const endOf = (path: string): string => `${path.slice(0, -1)}0`;

/** With `apart`, paths have a table of their own, so that a move leaves the other indexes of organizations alone. */
export function pathTree(connection: Connection, apart: boolean): Tree {
  const { all } = connection;
  const column = apart ? undefined : 'path';
  const table = apart ? 'organization_paths' : 'organizations';
  const withNames = apart
    ? 'organization_paths p join organizations o on o.tenant_id = p.tenant_id and o.id = p.id'
    : 'organizations p';
  const named = apart ? 'o.id, o.name' : 'id, name';
  const pathOf = async (id: string): Promise<string> => {
    const rows = await all(`select path from ${table} where tenant_id = $1 and id = $2`, [tenant, id]);
    return String(rows[0]?.path);
  };
  const addPath = (id: string, path: string) =>
    all('insert into organization_paths values ($1, $2, $3)', [tenant, id, path]);
  return {
    name: apart ? 'path apart' : 'path',
    connection,
    async create(forest) {
      await createOrganizations(connection, column);
      if (apart) await createPaths(connection);
      await all(`create unique index organizations_path on ${table} (tenant_id, path)`);
      await fillOrganizations(connection, forest, column);
      if (apart) await fillPaths(connection);
    },
    ancestors: (id) =>
      all(
        `with recursive above (id, name, parent_id, distance) as (
           select id, name, parent_id, 0 from organizations where tenant_id = $1 and id = $2
           union all
           select o.id, o.name, o.parent_id, above.distance + 1
           from above join organizations o on o.tenant_id = $1 and o.id = above.parent_id)
         select id, name from above where distance > 0 order by distance`,
        [tenant, id],
      ),
    // Two statements: whoever lists a subtree has looked its root up before.
    async subtree(id, after) {
      const path = await pathOf(id);
      // An organization's path sorts before those below it.
      const start = after === undefined ? path : `${await pathOf(after)}!`;
      return all(
        `select ${named} from ${withNames} where p.tenant_id = $1 and p.path >= $2 and p.path < $3
         order by p.path limit ${pageSize}`,
        [tenant, start, endOf(path)],
      );
    },
    async isBelow(id, ancestorId) {
      const sql = `select 1 from ${table} o join ${table} a on a.tenant_id = o.tenant_id
        where o.tenant_id = $1 and o.id = $2 and a.id = $3 and substr(o.path, 1, length(a.path)) = a.path`;
      return (await all(sql, [tenant, id, ancestorId])).length > 0;
    },
    async add(id, parentId) {
      const path = `${await pathOf(parentId)}${labelOf(id)}/`;
      await insertOrganizations(connection, [{ number: -1, id, parentId, path }], column);
      if (apart) await addPath(id, path);
    },
    async move(id, parentId) {
      const path = await pathOf(id);
      const newPath = `${parentId === null ? '' : await pathOf(parentId)}${labelOf(id)}/`;
      await all('update organizations set parent_id = $3 where tenant_id = $1 and id = $2', [tenant, id, parentId]);
      await all(
        `update ${table} set path = $4 || substr(path, ${path.length + 1})
         where tenant_id = $1 and path >= $2 and path < $3`,
        [tenant, path, endOf(path), newPath],
      );
    },
    async remove(id) {
      if (apart) await all('delete from organization_paths where tenant_id = $1 and id = $2', [tenant, id]);
      await all('delete from organizations where tenant_id = $1 and id = $2', [tenant, id]);
    },
    async faults() {
      const rows = await all(`select count(*) as faults from organizations o
        join ${table} own on own.tenant_id = o.tenant_id and own.id = o.id
        left join ${table} p on p.tenant_id = o.tenant_id and p.id = o.parent_id
        where own.path <> coalesce(p.path, '') || substr(o.id, 5) || '/'`);
      return Number(rows[0]?.faults);
    },
  };
}

async function createPaths(connection: Connection): Promise<void> {
  await connection.all(`create table organization_paths (
    tenant_id text not null, id text not null, path ${sortedText(connection)} not null, primary key (tenant_id, id),
    foreign key (tenant_id, id) references organizations (tenant_id, id))`);
}

async function fillPaths(connection: Connection): Promise<void> {
  await connection.all(`insert into organization_paths
    with recursive paths (tenant_id, id, path) as (
      select tenant_id, id, substr(id, 5) || '/' from organizations where parent_id is null
      union all
      select o.tenant_id, o.id, paths.path || substr(o.id, 5) || '/'
      from paths join organizations o on o.tenant_id = paths.tenant_id and o.parent_id = paths.id)
    select * from paths order by path`);
}
