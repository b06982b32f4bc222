import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import type { LogEvent } from './journal.ts';
import type { LogKind } from './kinds.ts';

/** The audit row of a change, written in the change's own transaction. `target` is the id of what changed. */
export function recordChange(
  ctx: Context,
  trx: Tx,
  kind: LogKind,
  target: string,
  more: Partial<Pick<LogEvent, 'userId' | 'audience' | 'scope' | 'details'>> = {},
): Promise<void> {
  return ctx.journal.within(trx, {
    tenantId: ctx.site.tenantId,
    kind,
    ...actorOf(ctx),
    ...ctx.origin,
    ...more,
    description: kind.replace('.', ' ').replaceAll('_', ' '),
    details: { target, ...more.details },
  });
}

/** The acting client, as log events name it. */
export const actorOf = (ctx: Context): Pick<LogEvent, 'clientId' | 'tokenId'> =>
  ctx.actor.kind === 'client' ? { clientId: ctx.actor.clientId, tokenId: ctx.actor.tokenId } : {};
