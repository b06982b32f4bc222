/** Roles read: one, some by id or by name, or pages of them. */
import { sql } from 'kysely';
import { DomainError, notFound, referenceNotFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { administratorRoleId } from '../administrators/administrators.ts';
import type { Context } from '../context.ts';
import { isDelegated, organizationInReach } from '../organizations/reach.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { containsText, type Search, searchCondition, type TextMatch, textCondition } from '../search.ts';
import { foldCase } from '../users/identity.ts';
import { levelsOf, type Role, type RoleLevel, type RoleRow, roleNameKey, roleOf, thingOf } from './role.ts';

interface RoleTerm {
  readonly field: 'id' | 'name' | 'description';
  readonly match: TextMatch;
}

export type RoleSearch = Search<RoleTerm>;

/** Which roles are asked for. */
export interface RoleFilter {
  level: RoleLevel;
  subjectKind?: SubjectKind | undefined;
  /** Case-insensitive part of the name, or of the id. */
  contains?: string | undefined;
  /** Case-insensitive part of the name. */
  nameContains?: string | undefined;
  /** Exactly this name, in any spelling. */
  name?: string | undefined;
  search?: RoleSearch | undefined;
  /** Without the one of administrators. */
  withoutProtected?: boolean;
  /** Without those that one of these users or clients has tenant-wide; a delegated caller's must be its own. */
  notOfSubjects?: readonly string[] | undefined;
}

/** A page of roles by position, in order of creation. */
export async function listRoles(ctx: Context, filter: RoleFilter, range: OffsetRange): Promise<OffsetPage<Role>> {
  const page = await offsetPage<RoleRow>(filtered(ctx, ctx.db.reports, filter), range);
  return mapPage(page, page.items.map(roleOf));
}

/** A page by key. Throws `input.cursor_invalid`. */
export async function listRolesByKey(ctx: Context, filter: RoleFilter, range: KeysetRange): Promise<KeysetPage<Role>> {
  const list = `roles ${JSON.stringify(filter)}`;
  // A search may pass over many rows: not on the hot connection.
  const db = filter.contains === undefined && filter.search === undefined ? ctx.db.read : ctx.db.reports;
  const page = await keysetPage<RoleRow>(ctx, list, filtered(ctx, db, filter), range);
  return mapPage(page, page.items.map(roleOf));
}

function filtered(ctx: Context, db: Queryable, filter: RoleFilter) {
  let query = rolesAt(ctx, db, filter.level);
  if (filter.subjectKind !== undefined) query = query.where('subject_kind', '=', filter.subjectKind);
  if (filter.withoutProtected === true) query = query.where('id', '!=', administratorRoleId);
  if (filter.name !== undefined) query = query.where('name_key', '=', roleNameKey(filter.name));
  if (filter.contains !== undefined) {
    const part = foldCase(filter.contains);
    const id = filter.contains.toLowerCase();
    query = query.where((eb) => eb.or([containsText(sql`name_key`, part), containsText(sql`lower(id)`, id)]));
  }
  if (filter.nameContains !== undefined) {
    query = query.where(containsText(sql`name_key`, foldCase(filter.nameContains)));
  }
  if (filter.search !== undefined) query = query.where(searchCondition(filter.search, conditionOf));
  if (filter.notOfSubjects !== undefined && filter.notOfSubjects.length > 0) {
    const had = db
      .selectFrom('role_assignments')
      .select('role_id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('subject_id', 'in', filter.notOfSubjects)
      .where(isOwnSubject(ctx));
    query = query.where('id', 'not in', had);
  }
  return query;
}

/** Of others a delegated caller must not learn which roles they have. */
const isOwnSubject = (ctx: Context) =>
  isDelegated(ctx)
    ? sql<boolean>`(exists (select 1 from users u where u.tenant_id = role_assignments.tenant_id
        and u.id = role_assignments.subject_id and ${organizationInReach(ctx, 'u.owner_organization_id')})
      or exists (select 1 from clients c where c.tenant_id = role_assignments.tenant_id
        and c.id = role_assignments.subject_id and ${organizationInReach(ctx, 'c.owner_organization_id')}))`
    : sql<boolean>`1 = 1`;

const conditionOf = ({ field, match }: RoleTerm) => {
  const folded = field === 'name' ? sql.ref('name_key') : sql`lower(${sql.ref(field)})`;
  return textCondition(sql.ref(field), folded, match);
};

const rolesAt = (ctx: Context, db: Queryable, level: RoleLevel) =>
  db
    .selectFrom('roles')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('level', 'in', [...levelsOf(level)]);

/** One role, at either level unless told. Throws `entity.not_found`. */
export async function loadRole(ctx: Context, db: Queryable, id: string, level?: RoleLevel): Promise<Role> {
  const row = await db
    .selectFrom('roles')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined || (level !== undefined && !levelsOf(level).includes(row.level))) {
    throw notFound(thingOf(level));
  }
  return roleOf(row);
}

/**
 * Roles that a request names, in its order, each once. Throws `entity.reference_not_found` naming `path` for one that is
 * not there at this level, `role.wrong_subject` for one that is for the other kind of subject.
 */
export async function loadRoles(
  ctx: Context,
  db: Queryable,
  ids: readonly string[],
  wanted: { level: RoleLevel; subjectKind?: SubjectKind },
  path: string,
): Promise<Role[]> {
  const found = new Map<string, Role>();
  for (let start = 0; start < ids.length; start += chunkSize) {
    const rows = await rolesAt(ctx, db, wanted.level)
      .where('id', 'in', ids.slice(start, start + chunkSize))
      .execute();
    for (const row of rows) found.set(row.id, roleOf(row));
  }
  return [...new Set(ids)].map((id) => {
    const role = found.get(id);
    if (role === undefined) throw referenceNotFound(thingOf(wanted.level), path);
    if (wanted.subjectKind !== undefined) assertForSubject(role, wanted.subjectKind, path);
    return role;
  });
}

/** Ids in one statement; each engine bounds the parameters of a statement. */
const chunkSize = 500;

/** Throws `role.wrong_subject`. */
export function assertForSubject(role: Role, kind: SubjectKind, path: string): void {
  if (role.subjectKind === kind) return;
  throw new DomainError('role.wrong_subject', `The role ${role.name} is not for ${kind}s.`, {
    path,
    data: { roleId: role.id, subjectKind: role.subjectKind },
  });
}

/** Roles by name in any spelling; the map has the names as they were given, without those that nobody has. */
export async function rolesByName(
  ctx: Context,
  db: Queryable,
  names: readonly string[],
  level: RoleLevel,
): Promise<Map<string, Role>> {
  const keys = new Map(names.map((name) => [name, roleNameKey(name)]));
  const byKey = new Map<string, Role>();
  const wanted = [...new Set(keys.values())];
  for (let start = 0; start < wanted.length; start += chunkSize) {
    const rows = await rolesAt(ctx, db, level)
      .where('name_key', 'in', wanted.slice(start, start + chunkSize))
      .execute();
    for (const row of rows) byKey.set(row.name_key, roleOf(row));
  }
  return new Map(
    names.flatMap((name): [string, Role][] => {
      const role = byKey.get(keys.get(name) as string);
      return role === undefined ? [] : [[name, role]];
    }),
  );
}
