import type { Context } from '../../domain/context.ts';
import { DomainError } from '../../kernel/errors.ts';

/** For what only some requests of a route need: throws `auth.insufficient_scope` without the scope. */
export function assertScope({ actor }: Context, scope: string): void {
  if (actor.kind === 'server' || actor.scopes.has(scope)) return;
  throw new DomainError('auth.insufficient_scope', `The token needs the scope ${scope}.`, {
    data: { scopes: [scope] },
  });
}
