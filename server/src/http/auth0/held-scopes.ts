import type { Context } from '../../domain/context.ts';
import { DomainError } from '../../kernel/errors.ts';

/** The scopes the caller may use now. */
export const scopesOf = (context: Context): ReadonlySet<string> =>
  context.actor.kind === 'client' ? context.actor.scopes : new Set();

/** For what only some requests of a route need: throws `auth.insufficient_scope` without one of the scopes. */
export function assertScope(context: Context, ...anyOf: string[]): void {
  if (anyOf.some((scope) => scopesOf(context).has(scope))) return;
  throw new DomainError('auth.insufficient_scope', `The token needs one of ${anyOf.join(', ')}.`, {
    data: { scopes: anyOf },
  });
}
