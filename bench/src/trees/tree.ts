/** What both ways of storing a tree can do, and the table of organizations they share. */
import type { Connection, Row, Value } from './connection.ts';
import { type Forest, labelOf, type Organization } from './forest.ts';

export const tenant = 'ten_0123456789abcdef';
export const pageSize = 20;

export interface Tree {
  readonly name: 'closure' | 'path' | 'path apart';
  readonly connection: Connection;
  create(forest: Forest): Promise<void>;
  ancestors(id: string): Promise<Row[]>;
  /** A page of the organizations below `id` and itself, after the organization `after`. */
  subtree(id: string, after: string | undefined): Promise<Row[]>;
  isBelow(id: string, ancestorId: string): Promise<boolean>;
  add(id: string, parentId: string): Promise<void>;
  move(id: string, parentId: string | null): Promise<void>;
  remove(id: string): Promise<void>;
  /** Organizations whose place in the tree is not what `parent_id` says. */
  faults(): Promise<number>;
}

/** With more, binding the values costs `node:sqlite` more than the rows cost SQLite. */
const insertedAtOnce = 50;

const columns = ['tenant_id', 'id', 'parent_id', 'slug', 'name', 'name_key', 'status', 'metadata', 'created_at'];

/** With the other columns and indexes the server has, because a move writes them too. */
export async function createOrganizations(connection: Connection, pathColumn?: string): Promise<void> {
  const sorted = sortedText(connection);
  await connection.all(`create table organizations (
    tenant_id text not null, id text not null, parent_id text, slug ${sorted} not null, name text not null,
    name_key ${sorted} not null, status text not null, metadata text not null, created_at bigint not null,
    ${pathColumn === undefined ? '' : `${pathColumn} ${sorted} not null,`}
    primary key (tenant_id, id),
    foreign key (tenant_id, parent_id) references organizations (tenant_id, id))`);
  await connection.all('create unique index organizations_slug on organizations (tenant_id, slug)');
  await connection.all('create index organizations_created on organizations (tenant_id, created_at, id)');
  await connection.all('create index organizations_children on organizations (tenant_id, parent_id, created_at, id)');
  await connection.all('create index organizations_name on organizations (tenant_id, name_key, id)');
}

/** Compared by code point on both engines. */
export const sortedText = ({ engine }: Connection): string => (engine === 'postgres' ? 'text collate "C"' : 'text');

export async function fillOrganizations(connection: Connection, forest: Forest, pathColumn?: string): Promise<void> {
  let filled = 0;
  for (const block of forest.blocks()) {
    // PostgreSQL plans the check of `parent_id` once for the connection, and while the table is empty it plans to scan it.
    if (filled === 1) await connection.all('analyze organizations');
    filled += 1;
    await connection.transact(async () => {
      for (let start = 0; start < block.length; start += insertedAtOnce) {
        await insertOrganizations(connection, block.slice(start, start + insertedAtOnce), pathColumn);
      }
    });
  }
}

export async function insertOrganizations(
  connection: Connection,
  organizations: readonly Organization[],
  pathColumn?: string,
): Promise<void> {
  const names = pathColumn === undefined ? columns : [...columns, pathColumn];
  let count = 0;
  const row = () => `(${names.map(() => `$${++count}`).join(', ')})`;
  const values = organizations.flatMap((organization) => valuesOf(organization, pathColumn !== undefined));
  const sql = `insert into organizations (${names.join(', ')}) values ${organizations.map(row).join(', ')}`;
  await connection.all(sql, values);
}

function valuesOf({ number, id, parentId, path }: Organization, withPath: boolean): Value[] {
  const name = `Organization ${number}`;
  const row = [
    tenant,
    id,
    parentId,
    `organization-${labelOf(id)}`,
    name,
    name.toLowerCase(),
    'active',
    '{}',
    1.7e12 + number,
  ];
  return withPath ? [...row, path] : row;
}

/** The same in both: an index on `parent_id` serves it. */
export async function children({ connection }: Tree, id: string): Promise<Row[]> {
  return connection.all(
    `select id, name from organizations where tenant_id = $1 and parent_id = $2 order by created_at, id limit ${pageSize}`,
    [tenant, id],
  );
}
