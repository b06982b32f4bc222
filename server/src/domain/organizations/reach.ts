/**
 * How far a caller reaches. A caller whose token carries an organization acts inside that organization's subtree; what
 * lies outside answers as if it were not there. Every loader of `domain/` asks here, so that no verb can forget it.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { DomainError } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { isWithin, withinSubtree } from './tree.ts';

/** The organization a caller is bound to; undefined: the whole tenant is open to it. */
export const ownOrganization = (ctx: Pick<Context, 'actor'>): { id: string; path: string } | undefined =>
  ctx.actor.kind === 'client' ? ctx.actor.organization : undefined;

/** Whether the caller is a delegated one: bound to an organization's subtree. */
export const isDelegated = (ctx: Pick<Context, 'actor'>): boolean => ownOrganization(ctx) !== undefined;

/** Whether the caller reaches the organization with this path. */
export function reachesPath(ctx: Pick<Context, 'actor'>, path: string): boolean {
  const own = ownOrganization(ctx);
  return own === undefined || isWithin(path, own.path);
}

/** The condition that a path column is in reach; `continued`: on a page in order of that column, after a cursor. */
export function pathInReach(
  ctx: Pick<Context, 'actor'>,
  column: string,
  page: { continued?: boolean } = {},
): RawBuilder<SqlBool> {
  const own = ownOrganization(ctx);
  return own === undefined ? sql<SqlBool>`1 = 1` : withinSubtree(column, own.path, page);
}

/** The condition that a column names an organization in reach, as `owner_organization_id` does; null is the tenant's. */
export function organizationInReach(ctx: Pick<Context, 'actor' | 'site'>, column: string): RawBuilder<SqlBool> {
  const own = ownOrganization(ctx);
  if (own === undefined) return sql<SqlBool>`1 = 1`;
  return sql<SqlBool>`${sql.ref(column)} in (select id from organizations
    where tenant_id = ${ctx.site.tenantId} and ${withinSubtree('path', own.path)})`;
}

/** Refuses what only a caller of the whole tenant may do; throws `auth.organization_token`. */
export function assertWholeTenant(ctx: Pick<Context, 'actor'>, what: string): void {
  if (!isDelegated(ctx)) return;
  throw new DomainError('auth.organization_token', `A token for an organization can not ${what}.`);
}
