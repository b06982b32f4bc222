/** The domain's entities in this dialect's words. */
import type { Account, AccountMember, ApplicationUser } from '@sekisho/contract';
import { type Member, nameOf } from '../../domain/memberships/member-subjects.ts';
import type { HeldRole } from '../../domain/memberships/membership.ts';
import type { Organization } from '../../domain/organizations/organization.ts';
import type { User } from '../../domain/users/user.ts';

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

export const accountBody = (organization: Organization): Account => ({
  id: organization.id,
  name: organization.name,
  parent_account_id: organization.parentId,
  status: organization.status,
  metadata: organization.metadata,
  created_at: timeOf(organization.createdAt),
  updated_at: timeOf(organization.updatedAt),
});

/** The member as it counts in the account that was asked about. */
export function memberBody(accountId: string, { membership: member, subject }: Member): AccountMember {
  const roles = strongestFirst(member.roles);
  const isHidden = subject.kind === 'hidden';
  return {
    id: member.id,
    account_id: accountId,
    user_id: subject.kind === 'user' ? subject.user.id : null,
    client_id: subject.kind === 'client' ? subject.client.id : null,
    name: nameOf(subject),
    role: roles[0] ?? null,
    roles,
    inherited: member.inherited,
    inherited_from: member.inheritedFrom,
    created_at: isHidden ? null : timeOf(member.createdAt),
    updated_at: isHidden ? null : timeOf(member.updatedAt),
  };
}

/** Owners' roles, then others, then member, then viewer; those of a rank stay in order of their names. */
const strongestFirst = (roles: readonly HeldRole[]): string[] =>
  roles.toSorted((a, b) => rankOf(a) - rankOf(b)).map(({ name }) => name);

function rankOf({ name, isOwner }: HeldRole): number {
  if (isOwner) return 0;
  return { member: 2, viewer: 3 }[name.toLowerCase()] ?? 1;
}

export const applicationUserBody = (applicationId: string, user: User): ApplicationUser => ({
  id: user.id,
  application_id: applicationId,
  status: user.status,
  name: user.name,
  email: user.email,
  created_at: timeOf(user.createdAt),
  updated_at: timeOf(user.updatedAt),
});
