/** The people and clients behind memberships, as far as the caller may see them. */
import { sql } from 'kysely';
import { chunksOf } from '../chunks.ts';
import { type Client, type ClientRow, clientOf } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { isDelegated, organizationInReach } from '../organizations/reach.ts';
import { introducedUser, type User, userOf } from '../users/user.ts';
import { userColumns } from '../users/user-columns.ts';
import type { Membership } from './membership.ts';

/** Who a member is. Of one that is inherited from above the caller's reach the name is all that is told. */
export type MemberSubject =
  | { readonly kind: 'user'; readonly user: User }
  | { readonly kind: 'client'; readonly client: Client }
  | { readonly kind: 'hidden'; readonly name: string | null };

/** A membership with who it is of. */
export interface Member {
  readonly membership: Membership;
  readonly subject: MemberSubject;
}

/** Memberships with their users and clients; one whose subject was deleted since the page was read is left out. */
export async function withSubjects(ctx: Context, memberships: readonly Membership[]): Promise<Member[]> {
  const users = await usersOf(ctx, idsOf(memberships, 'user'));
  const clients = await clientsOf(ctx, idsOf(memberships, 'client'));
  return memberships.flatMap((membership): Member[] => {
    const subject = subjectOf(users.get(membership.subjectId), clients.get(membership.subjectId));
    if (subject === undefined) return [];
    const isHidden = membership.inherited && membership.inheritedFrom === null;
    return [{ membership, subject: isHidden ? { kind: 'hidden', name: nameOf(subject) } : subject }];
  });
}

function subjectOf(user: User | undefined, client: Client | undefined): MemberSubject | undefined {
  if (user !== undefined) return { kind: 'user', user };
  return client === undefined ? undefined : { kind: 'client', client };
}

/** What the user or client is called. */
export function nameOf(subject: MemberSubject): string | null {
  if (subject.kind === 'hidden') return subject.name;
  return subject.kind === 'user' ? subject.user.name : subject.client.name;
}

const idsOf = (memberships: readonly Membership[], kind: Membership['kind']): string[] => [
  ...new Set(memberships.filter((membership) => membership.kind === kind).map(({ subjectId }) => subjectId)),
];

async function usersOf(ctx: Context, ids: readonly string[]): Promise<Map<string, User>> {
  const users = new Map<string, User>();
  for (const part of chunksOf(ids)) {
    const rows = await ctx.db.read
      .selectFrom('users')
      .select(userColumns)
      .select(sql<number>`case when ${organizationInReach(ctx, 'owner_organization_id')} then 1 else 0 end`.as('own'))
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .execute();
    for (const row of rows) users.set(row.id, own(ctx, row) ? userOf(row) : introducedUser(row));
  }
  return users;
}

async function clientsOf(ctx: Context, ids: readonly string[]): Promise<Map<string, Client>> {
  const clients = new Map<string, Client>();
  for (const part of chunksOf(ids)) {
    const rows = await ctx.db.read
      .selectFrom('clients')
      .selectAll()
      .select(sql<number>`case when ${organizationInReach(ctx, 'owner_organization_id')} then 1 else 0 end`.as('own'))
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .execute();
    for (const row of rows) clients.set(row.id, own(ctx, row) ? clientOf(row) : named(row));
  }
  return clients;
}

const own = (ctx: Context, row: { own: number }): boolean => !isDelegated(ctx) || Number(row.own) === 1;

/** The same of a client. */
const named = (row: ClientRow): Client =>
  clientOf({
    ...row,
    metadata: '{}',
    extras: '{}',
    sign_in: '{}',
    resource_server_id: null,
    owner_organization_id: null,
  });
