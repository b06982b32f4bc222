import { logText } from '../../kernel/text.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import type { LogEvent } from './journal.ts';
import type { LogKind } from './kinds.ts';

type More = Partial<Pick<LogEvent, 'userId' | 'audience' | 'scope' | 'details'>>;

/** One thing that changed: `target` is its id. */
export interface Change extends More {
  readonly kind: LogKind;
  readonly target: string;
}

/** The audit row of a change, written in the change's own transaction. */
export const recordChange = (ctx: Context, trx: Tx, kind: LogKind, target: string, more: More = {}): Promise<void> =>
  recordChanges(ctx, trx, [{ kind, target, ...more }]);

/** The audit rows of many changes at once. */
export const recordChanges = (ctx: Context, trx: Tx, changes: readonly Change[]): Promise<void> =>
  ctx.journal.within(
    trx,
    ...changes.map(({ kind, target, ...more }) => ({
      tenantId: ctx.site.tenantId,
      kind,
      ...actorOf(ctx),
      ...ctx.origin,
      ...more,
      description: kind.replace('.', ' ').replaceAll('_', ' '),
      details: { target, ...personOf(ctx), ...requestOf(ctx), ...more.details },
    })),
  );

/** Which request made the change, where its surface says it. */
const requestOf = ({ origin: { request } }: Context): { request?: string } =>
  request === undefined ? {} : { request: logText(request) ?? '' };

/** Who acts, as log events name it; a change of a user is an event of that user. */
const actorOf = ({ actor }: Context): Pick<LogEvent, 'clientId' | 'tokenId' | 'userId'> =>
  actor.kind === 'client' ? { clientId: actor.clientId, tokenId: actor.tokenId, userId: actor.userId } : {};

/** The person who acts, whomever the change is about. */
const personOf = ({ actor }: Context): { byUserId?: string } =>
  actor.kind === 'client' && actor.userId !== undefined ? { byUserId: actor.userId } : {};
