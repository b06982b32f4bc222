/** The session of somebody who proved who it is, in the transaction that found it active. */
import type { Context } from '../../domain/context.ts';
import { type AppOfSession, type BegunSession, beginSession } from '../../domain/sessions/begin.ts';
import type { Tx } from '../../storage/database.ts';
import type { ProtocolContext } from '../context.ts';

/** The domain's view of a request that nobody is signed in for yet: the server itself acts. */
export const contextOf = ({ services, site, origin }: ProtocolContext): Context => ({
  ...services,
  site,
  origin,
  actor: { kind: 'server' },
});

/** How it was begun, and who holds it. */
export interface Opening {
  readonly amr: readonly string[];
  /** By which policy. */
  readonly authPolicyId: string;
  /** For the log: how. */
  readonly by: string;
  /** What the browser's cookie held. */
  readonly presented?: string | undefined;
  /** The app that holds it, where it is not a browser's. */
  readonly app?: AppOfSession | undefined;
}

/** Begins the session and counts the login. */
export async function openSession(
  ctx: ProtocolContext,
  trx: Tx,
  userId: string,
  { amr, authPolicyId, by, presented, app }: Opening,
): Promise<BegunSession> {
  await trx
    .updateTable('users')
    .set((eb) => ({
      logins_count: eb('logins_count', '+', 1),
      last_login_at: ctx.services.clock.now(),
      last_ip: ctx.origin.ip ?? null,
    }))
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', userId)
    .execute();
  const held = app === undefined ? { presented } : { app };
  const begun = await beginSession(contextOf(ctx), trx, userId, { amr, authPolicyId, ...held });
  await ctx.services.journal.within(trx, {
    tenantId: ctx.site.tenantId,
    kind: 'user.signed_in',
    userId,
    ...(app === undefined ? {} : { clientId: app.clientId }),
    description: `signed in by ${by}`,
    details: { target: userId, sessionId: begun.sessionId, amr, authPolicy: authPolicyId },
    ...ctx.origin,
  });
  return begun;
}
