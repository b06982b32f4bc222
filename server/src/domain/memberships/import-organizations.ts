/** Many organizations with their members in one transaction, for who brings customers over from elsewhere. */
import { DomainError, invalid } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { assertMayGiveRoles } from '../access/give-roles.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';
import { recordChanges } from '../logs/record-change.ts';
import type { OrganizationRow } from '../organizations/organization.ts';
import { tooDeep } from '../organizations/organizations.ts';
import { isDelegated, ownOrganization } from '../organizations/reach.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import { columnsOf, type OrganizationSettings, settingsOf } from '../organizations/settings.ts';
import { freeSlugs } from '../organizations/slug.ts';
import { depthOf, maximumDepth, pathBelow } from '../organizations/tree.ts';
import { loadRoles } from '../roles/read-roles.ts';
import { insertMembershipRows, newMembershipRow } from './give.ts';
import { assertMayJoin } from './subjects.ts';

/** A member of an organization that is imported. */
export interface ImportedMember {
  readonly subjectId: string;
  readonly kind: SubjectKind;
  readonly roleIds: readonly string[];
}

/** An organization to be created with its members. */
export interface ImportedOrganization extends Partial<Omit<OrganizationSettings, 'slug' | 'extras' | 'authPolicyIds'>> {
  readonly name: string;
  readonly parentId?: string | undefined;
  /** Or the place of its parent among those before it. */
  readonly parentIndex?: number | undefined;
  readonly members?: readonly ImportedMember[];
}

/** Members of all organizations of one import together. */
const maximumImportedMembers = 5000;

/**
 * Creates organizations with their members, all or none; returns their ids in order. Throws what `createOrganization` and
 * `addMember` throw; `path` names the place, such as `organizations.3.parentIndex`.
 */
export async function importOrganizations(ctx: Context, given: readonly ImportedOrganization[]): Promise<string[]> {
  const settings = given.map((each, index) => at(index, () => settingsOf(each)));
  const members = given.flatMap((each, index) => (each.members ?? []).map((member) => ({ index, ...member })));
  if (members.length > maximumImportedMembers) {
    throw invalid('organizations', `At most ${maximumImportedMembers} members go into one import.`);
  }
  return ctx.db.transact(async (trx) => {
    const slugs = await freeSlugs(
      ctx,
      trx,
      settings.map(({ name }) => name),
      isDelegated(ctx),
    );
    const rows = await placed(ctx, trx, given, (index) => ({
      ...columnsOf(settings[index] as OrganizationSettings),
      slug: slugs[index] as string,
    }));
    for (const part of chunksOf(rows, rowsOfStatement)) await trx.insertInto('organizations').values(part).execute();
    await recordChanges(
      ctx,
      trx,
      rows.map(({ id, parent_id }) => ({ kind: 'organization.created', target: id, details: { parent: parent_id } })),
    );
    await addMembers(ctx, trx, rows, members);
    return rows.map(({ id }) => id);
  });
}

/** An organization has 13 columns; each engine bounds the parameters of a statement. */
const rowsOfStatement = 50;

type Settings = Pick<OrganizationRow, 'slug'> & ReturnType<typeof columnsOf>;

/** The rows, each below its parent. */
async function placed(
  ctx: Context,
  trx: Tx,
  given: readonly ImportedOrganization[],
  settingsAt: (index: number) => Settings,
): Promise<OrganizationRow[]> {
  const now = ctx.clock.now();
  const loaded = new Map<string, OrganizationRow>();
  const rows: OrganizationRow[] = [];
  for (const [index, { parentId = ownOrganization(ctx)?.id, parentIndex }] of given.entries()) {
    if (parentIndex !== undefined && parentIndex >= index) {
      throw invalid(`organizations.${index}.parentIndex`, 'A parent comes before its children.');
    }
    let parent = parentIndex === undefined ? undefined : rows[parentIndex];
    if (parent === undefined && parentId !== undefined) {
      parent = loaded.get(parentId) ?? (await loadRow(ctx, trx, parentId, `organizations.${index}.parentId`));
      loaded.set(parentId, parent);
    }
    const id = `org_${randomAlphanumeric(ctx.random, 16)}`;
    const path = pathBelow(parent?.path, id);
    if (depthOf(path) > maximumDepth) throw tooDeep();
    const times = { created_at: now, updated_at: now };
    const place = { tenant_id: ctx.site.tenantId, id, parent_id: parent?.id ?? null, path };
    rows.push({ ...place, ...settingsAt(index), ...times });
  }
  return rows;
}

async function addMembers(
  ctx: Context,
  trx: Tx,
  organizations: readonly OrganizationRow[],
  members: readonly (ImportedMember & { index: number })[],
): Promise<void> {
  for (const kind of ['user', 'client'] as const) {
    const ofKind = members.filter((member) => member.kind === kind);
    await assertMayJoin(
      ctx,
      trx,
      kind,
      ofKind.map(({ subjectId }) => subjectId),
      'organizations.members',
    );
    const roleIds = [...new Set(ofKind.flatMap((member) => member.roleIds))];
    await loadRoles(ctx, trx, roleIds, { level: 'organization', subjectKind: kind }, 'organizations.members');
    await assertMayGiveRoles(ctx, trx, roleIds);
  }
  const now = ctx.clock.now();
  const seen = new Set<string>();
  const rows = members.map(({ index, kind, subjectId }) => {
    const organizationId = (organizations[index] as OrganizationRow).id;
    if (seen.size === seen.add(`${index} ${subjectId}`).size) {
      throw invalid(`organizations.${index}.members`, 'A member is listed twice.');
    }
    return newMembershipRow(ctx, { organizationId, kind, subjectId, thisOrganizationOnly: false, now });
  });
  await insertMembershipRows(ctx, trx, rows);
  const roles = members.flatMap(({ roleIds }, n) =>
    [...new Set(roleIds)].map((role_id) => ({
      tenant_id: ctx.site.tenantId,
      membership_id: (rows[n] as { id: string }).id,
      role_id,
    })),
  );
  for (const part of chunksOf(roles)) await trx.insertInto('membership_roles').values(part).execute();
}

/** Names the place of what is wrong. */
function at<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DomainError) || error.path === undefined) throw error;
    throw new DomainError(error.code, error.message, { path: `organizations.${index}.${error.path}` });
  }
}
