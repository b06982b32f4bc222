/**
 * Fills a database with trees of 1000 organizations, as many users as organizations, two memberships a user, and in
 * each tree one machine client that is a member of its root. Numbers make the ids: tree 7 has the organizations
 * `org_00000007` + `00000000` (its root) to `00000999`, and the client of number 7.
 */
import { type Filler, fill, numberedClient, openFiller } from '../fill.ts';

export const organizationsOfTree = 1000;
/** Organizations below each organization, as far as the thousand reaches: six levels. */
const branching = 4;

export interface FilledRoles {
  /** The client that is copied. */
  template: string;
  /** An organization role for users, and one for machines. */
  userRole: string;
  machineRole: string;
}

const label = (position: number): string => String(position).padStart(8, '0');

/** The id of one organization, by the number of its tree and its place in it; `{n}` for a request source's number. */
export const organizationId = (tree: number | '{n}', position: number): string =>
  `org_${tree === '{n}' ? tree : label(tree)}${label(position)}`;

/** The user of number `i`. */
export const userId = (i: number): string => `${'0'.repeat(16)}${label(i)}`;

export async function fillOrganizations(
  database: { file: string } | { url: string },
  organizations: number,
  roles: FilledRoles,
): Promise<void> {
  const trees = organizations / organizationsOfTree;
  await fill(database, roles.template, trees);
  const filler = await openFiller(database);
  await fillTrees(filler, trees);
  await fillUsers(filler, organizations);
  await fillMemberships(filler, trees, organizations, roles);
  await filler.finish();
}

/** One shape for all trees; `#` stands for the number of the tree. */
function shape(): { own: string; parent: string | undefined; path: string }[] {
  const paths: string[] = [];
  return Array.from({ length: organizationsOfTree }, (_, position) => {
    const parent = position === 0 ? undefined : Math.floor((position - 1) / branching);
    paths.push(`${parent === undefined ? '' : paths[parent]}#${label(position)}/`);
    return { own: label(position), parent: parent === undefined ? undefined : label(parent), path: paths[position]! };
  });
}

async function fillTrees(filler: Filler, trees: number): Promise<void> {
  await filler.run('create table bench_shape (own text, parent text, path text)', []);
  for (const { own, parent, path } of shape()) {
    const parentSql = parent === undefined ? 'null' : `'${parent}'`;
    await filler.run(`insert into bench_shape values ('${own}', ${parentSql}, '${path}')`, []);
  }
  const { digits } = filler;
  const name = (word: string) => `'${word} ' || ${digits} || ' ' || own`;
  await filler.run(
    `insert into organizations (tenant_id, id, parent_id, path, slug, name, name_key, description, status,
       mfa_required, metadata, extras, created_at, updated_at)
     select 'default', 'org_' || ${digits} || own, 'org_' || ${digits} || parent, replace(path, '#', ${digits}),
       'o-' || ${digits} || '-' || own, ${name('Customer')}, ${name('customer')}, null, 'active', 0, '{}', '{}',
       1700000000000 + i, 1700000000000 + i
     from ${filler.numbers} cross join bench_shape`,
    [trees],
  );
  await filler.run('drop table bench_shape', []);
}

async function fillUsers(filler: Filler, users: number): Promise<void> {
  const { digits } = filler;
  await filler.run(
    `insert into users (tenant_id, id, email, email_key, email_verified, phone_verified, name, status, logins_count,
       profile, created_at, updated_at)
     select 'default', '${'0'.repeat(16)}' || ${digits}, 'user' || ${digits} || '@bench.example',
       'user' || ${digits} || '@bench.example', 1, 0, 'User ' || ${digits}, 'active', 0, '{}', 1700000000000 + i,
       1700000000000 + i
     from ${filler.numbers}`,
    [users],
  );
}

async function fillMemberships(filler: Filler, trees: number, users: number, roles: FilledRoles): Promise<void> {
  const columns = `(tenant_id, id, organization_id, subject_id, subject_kind, this_organization_only, created_at,
    updated_at)`;
  const times = `0, 1700000000000 + i, 1700000000000 + i`;
  for (const [nth, place] of ['i * 7', 'i * 7 + 500'].entries()) {
    const tree = filler.digitsOf(`1 + i % ${trees}`);
    const organization = `'org_' || ${tree} || ${filler.digitsOf(`(${place}) % ${organizationsOfTree}`)}`;
    await filler.run(
      `insert into memberships ${columns} select 'default', 'mem_${nth}' || ${filler.digits}, ${organization},
         '${'0'.repeat(16)}' || ${filler.digits}, 'user', ${times} from ${filler.numbers}`,
      [users],
    );
  }
  await filler.run(
    `insert into memberships ${columns} select 'default', 'mem_c' || ${filler.digits},
       'org_' || ${filler.digits} || '${label(0)}', ${filler.digits} || '${numberedClient(0).clientId.slice(8)}',
       'client', ${times} from ${filler.numbers}`,
    [trees],
  );
  for (const [kind, role] of [
    ['user', roles.userRole],
    ['client', roles.machineRole],
  ] as const) {
    await filler.run(
      `insert into membership_roles (tenant_id, membership_id, role_id)
       select tenant_id, id, '${role}' from memberships where subject_kind = '${kind}' and id not in
         (select membership_id from membership_roles)`,
      [],
    );
  }
}
