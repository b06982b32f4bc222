/** The browser of an app, on its way to an upstream and back. */
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { logRefusal } from '../refused.ts';
import { beginRedirect, finishRedirect, takeTicket, type UpstreamPurpose } from '../sign-in/redirect.ts';
import { appOf } from './apps.ts';
import type { AppSignedIn } from './sign-in.ts';

/** How a sign-in ended, and where the browser goes with that; null: to a page of ours. */
export type AppOutcome = { readonly endRedirectUrl: string | null } & (
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
  try {
    const client = await appOf(ctx, purpose.clientId);
    const target = { client, organizationId: null };
    return await beginRedirect(ctx, { policyId, target, purpose, browserSecret, redirectUri });
  } catch (error) {
    return refusedFor(ctx, purpose, error);
  }
}

/** Finishes. Throws `upstream_state_unknown`: then nobody knows where it began. */
export async function finishRedirectToApp(
  ctx: ProtocolContext,
  back: { readonly parameters: URLSearchParams; readonly browserSecret: string | undefined },
): Promise<AppOutcome> {
  const { purpose, entered, refusal } = await finishRedirect(ctx, back);
  // Began at a page of ours: it does not end here.
  if (purpose.kind !== 'app') throw new Refusal('upstream_state_unknown', { detail: 'it was not begun by an app' });
  if (entered === undefined) return refusedFor(ctx, purpose, refusal);
  const { userId, sessionSecret, identity } = entered;
  return { endRedirectUrl: purpose.endRedirectUrl, signedIn: { userId, sessionSecret, identity } };
}

async function refusedFor(
  ctx: ProtocolContext,
  { endRedirectUrl }: UpstreamPurpose & { kind: 'app' },
  error: unknown,
): Promise<AppOutcome> {
  if (!(error instanceof Refusal)) throw error;
  await logRefusal(ctx, 'authorization.refused', error);
  return { endRedirectUrl, refusal: error };
}
