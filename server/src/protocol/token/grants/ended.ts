import type { Authorization } from '../../../domain/authorizations/authorization.ts';
import type { ProtocolContext } from '../../context.ts';
import type { RefusalReason } from '../../refusal.ts';

/** Logs that an authorization has ended, and why. */
export const ended = (
  ctx: ProtocolContext,
  { userId, clientId, id }: Pick<Authorization, 'userId' | 'clientId' | 'id'>,
  reason: RefusalReason | 'revoked',
): Promise<void> =>
  ctx.services.journal.append({
    tenantId: ctx.site.tenantId,
    kind: 'authorization.ended',
    clientId,
    userId,
    reason,
    description: reason.replaceAll('_', ' '),
    details: { target: id },
    ...ctx.origin,
  });
