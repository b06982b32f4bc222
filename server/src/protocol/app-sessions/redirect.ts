/** The browser of an app, on its way to an upstream and back. */
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { logRefusal } from '../refused.ts';
import { beginRedirect, finishRedirect, takeTicket, type UpstreamPurpose } from '../sign-in/redirect.ts';
import { appOf, assertEnd } from './apps.ts';
import { revokeAppSession } from './sessions.ts';
import type { AppSignedIn } from './sign-in.ts';

type AppPurpose = UpstreamPurpose & { kind: 'app' };

/** How a sign-in ended, and where the browser goes with that; null: to a page of ours. */
export type AppOutcome = { readonly endUrl: string | null } & (
  | { readonly signedIn: AppSignedIn }
  | { readonly refusal: Refusal }
);

/** The browser that opened a ticket. */
export interface OpenedTicket {
  readonly ticket: string;
  readonly browserSecret: string;
  /** Where the upstream sends the browser back to. */
  readonly redirectUri: string;
}

/**
 * Begins in a browser; from now on it is this browser's alone. What goes wrong is told where the app waits for it.
 * Throws `upstream_state_unknown` (the ticket).
 */
export async function beginRedirectToApp(
  ctx: ProtocolContext,
  { ticket, browserSecret, redirectUri }: OpenedTicket,
): Promise<{ location: string } | AppOutcome> {
  const { policyId, purpose } = await takeTicket(ctx, ticket);
  const changed = await changeSince(ctx, purpose);
  if (changed !== undefined) return refusedFor(ctx, null, changed);
  try {
    const target = { client: await appOf(ctx, purpose.clientId), organizationId: null };
    return await beginRedirect(ctx, { policyId, target, purpose, browserSecret, redirectUri });
  } catch (error) {
    return refusedFor(ctx, purpose.end?.url ?? null, error);
  }
}

/** The browser is back. */
export interface BackToApp {
  readonly parameters: URLSearchParams;
  readonly browserSecret: string | undefined;
  /** Where it came back to. */
  readonly redirectUri: string;
}

/** Finishes. Throws `upstream_state_unknown`: then nobody knows where it began. */
export async function finishRedirectToApp(ctx: ProtocolContext, back: BackToApp): Promise<AppOutcome> {
  const { purpose, entered, refusal } = await finishRedirect(ctx, back);
  // Its address is another one, so that this can not be.
  if (purpose.kind !== 'app') throw new Refusal('upstream_state_unknown', { detail: 'it was not begun by an app' });
  const changed = await changeSince(ctx, purpose);
  if (changed !== undefined) {
    if (entered !== undefined) await revokeAppSession(ctx, entered.sessionSecret);
    return refusedFor(ctx, null, changed);
  }
  if (entered === undefined) return refusedFor(ctx, purpose.end?.url ?? null, refusal);
  const { userId, sessionSecret, identity } = entered;
  return { endUrl: purpose.end?.url ?? null, signedIn: { userId, sessionSecret, identity } };
}

/** Why the browser must not be sent to the app's address any more, if so: it would get a session there. */
async function changeSince(ctx: ProtocolContext, purpose: AppPurpose): Promise<Refusal | undefined> {
  try {
    const client = await appOf(ctx, purpose.clientId);
    if (purpose.end !== null) assertEnd(client, purpose.end);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

async function refusedFor(ctx: ProtocolContext, endUrl: string | null, error: unknown): Promise<AppOutcome> {
  if (!(error instanceof Refusal)) throw error;
  await logRefusal(ctx, 'authorization.refused', error);
  return { endUrl, refusal: error };
}
