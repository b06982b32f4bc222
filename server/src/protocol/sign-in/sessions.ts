/** Sessions, as the pages and the protocol's endpoints ask for them: by what a browser's cookie holds. */
import { endSession as endSessionWithin } from '../../domain/sessions/end.ts';
import { findSession, type Session } from '../../domain/sessions/sessions.ts';
import type { ProtocolContext } from '../context.ts';
import { contextOf } from './open-session.ts';

/** The session that a cookie's value names, unless it is over or its user is not active. */
export const sessionOf = (ctx: ProtocolContext, secret: string | undefined): Promise<Session | undefined> =>
  findSession(ctx.services, ctx.site.tenantId, secret);

/** Signs a browser out: ends its session with what rests on it. Returns what ended. */
export async function endSession(ctx: ProtocolContext, secret: string | undefined): Promise<Session | undefined> {
  const session = await sessionOf(ctx, secret);
  if (session !== undefined) {
    await ctx.services.db.transact((trx) => endSessionWithin(contextOf(ctx), trx, session));
  }
  return session;
}
