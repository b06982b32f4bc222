/** What the holder of an app's session may ask of it. Whoever asks proves nothing but that it has the secret. */
import { type AppSession, endAppSession, findAppSession } from '../../domain/sessions/app-sessions.ts';
import type { ProtocolContext } from '../context.ts';
import { contextOf } from '../sign-in/open-session.ts';

/** What a secret looks like; anything else is looked for all the same, as one that is unknown. */
const longestSecret = 256;

/**
 * The session, when it counts now. One that does not is counted for the address, and an address with far too many of
 * them is told so (`rate_limited`); a good one is never refused for what others asked from there.
 */
export async function verifyAppSession(ctx: ProtocolContext, secret: string): Promise<AppSession | undefined> {
  const session = await findAppSession(ctx.services, ctx.site.tenantId, secret.slice(0, longestSecret));
  if (session === undefined) ctx.services.limits.signIn.countBegun(ctx.site.tenantId, ctx.origin.ip ?? '');
  return session;
}

/** Ends the session with every token that rests on it; nothing when there is none. */
export const revokeAppSession = (ctx: ProtocolContext, secret: string): Promise<void> =>
  endAppSession(contextOf(ctx), secret.slice(0, longestSecret));
