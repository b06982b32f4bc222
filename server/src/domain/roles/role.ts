import { invalid } from '../../kernel/errors.ts';
import type { Schema, SubjectKind } from '../../storage/schema.ts';
import type { Extras } from '../clients/client.ts';
import { foldCase } from '../users/identity.ts';

/** Where a role is given: in the tenant as a whole, or in an organization. */
export type RoleLevel = 'tenant' | 'organization';

/** A tenant-wide role, an organization role, or both; made of scopes, for users or for clients. */
export interface Role {
  id: string;
  name: string;
  description: string | null;
  level: RoleLevel | 'both';
  /** Whom it can be given to. */
  subjectKind: SubjectKind;
  /** Every new user gets it. */
  isDefault: boolean;
  /** Who has it in a root organization is one of its owners. */
  isOwner: boolean;
  /** What only a dialect knows, by dialect. */
  extras: Extras;
  createdAt: number;
  updatedAt: number;
}

export type RoleRow = Schema['roles'];

export const roleOf = (row: RoleRow): Role => ({
  id: row.id,
  name: row.name,
  description: row.description,
  level: row.level,
  subjectKind: row.subject_kind,
  isDefault: row.is_default === 1,
  isOwner: row.is_owner === 1,
  extras: JSON.parse(row.extras) as Extras,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/** A role that is both counts at either level. */
export const levelsOf = (level: RoleLevel): readonly Role['level'][] => [level, 'both'];

/** What a role is called in errors. */
export const thingOf = (level: RoleLevel | undefined): string =>
  level === 'organization' ? 'organization role' : 'role';

const longestName = 128;

/** Throws `input.invalid`. Emoji and any script are fine; a name that nobody can see is not. */
export function assertRoleName(name: string): void {
  if (!/[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u.test(name) || [...name].length > longestName) {
    throw invalid('name', `A name has 1 to ${longestName} characters, one of them visible.`);
  }
}

/**
 * A name as it is compared: without what is not drawn, with single spaces, without regard to case. So no zero-width
 * twin of a name is a second role.
 */
export const roleNameKey = (name: string): string =>
  foldCase(
    name
      .normalize('NFKC')
      .replace(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
      .replace(/\p{Z}+/gu, ' ')
      .trim(),
  );
