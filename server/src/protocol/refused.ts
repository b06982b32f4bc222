import type { LogKind } from '../domain/logs/kinds.ts';
import { logText } from '../kernel/text.ts';
import type { PresentedCredentials } from './client-auth/presented.ts';
import type { ProtocolContext } from './context.ts';
import { Refusal } from './refusal.ts';

/** What becomes known while a request is worked on, for its log event. */
export interface About {
  clientName?: string | undefined;
  audience?: string | undefined;
  userId?: string | undefined;
}

/**
 * Runs one request of a client at a protocol endpoint under the failure limits, and logs its refusal with the real
 * reason; the refusal leaves when its event is durable.
 */
export async function guarded<T>(
  ctx: ProtocolContext,
  refusedKind: LogKind,
  request: {
    credentials: PresentedCredentials;
    audience?: string | undefined;
    scopes?: readonly string[] | undefined;
    organization?: string | undefined;
  },
  work: (about: About) => Promise<T>,
): Promise<T> {
  const { limits, journal } = ctx.services;
  const { tenantId } = ctx.site;
  const { clientId } = request.credentials;
  const ip = ctx.origin.ip ?? '';
  const about: About = { audience: request.audience };
  try {
    const blocked = limits.blocked(tenantId, clientId, ip);
    if (blocked !== undefined) throw new Refusal('rate_limited', blocked);
    return await work(about);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.reason === 'rate_limited') {
      limits.countRefused(tenantId, clientId, ip);
      throw error;
    }
    // A device that waits asks every few seconds: that is no event, and asking too often is counted.
    if (error.reason === 'slow_down') limits.countRefused(tenantId, clientId, ip);
    if (error.reason === 'authorization_pending' || error.reason === 'slow_down') throw error;
    if (error.isAuthenticationFailure) limits.countFailure(tenantId, clientId, ip);
    if (error.isAnonymous) limits.countFailure(tenantId, undefined, ip);
    // There is no tenant whose log this could be.
    if (error.reason === 'tenant_unknown') throw error;
    await journal.append({
      tenantId,
      kind: refusedKind,
      clientId,
      clientName: about.clientName,
      userId: about.userId ?? error.data.userId,
      audience: about.audience,
      scope: request.scopes?.join(' '),
      reason: error.reason,
      description: error.data.detail ?? error.reason.replaceAll('_', ' '),
      ...(request.organization === undefined ? {} : { details: { organization: logText(request.organization) } }),
      ...ctx.origin,
    });
    throw error;
  }
}

/** Logs the refusal of a request that a browser or a page brought; too many of one address are counted in one row. */
export async function logRefusal(ctx: ProtocolContext, kind: LogKind, { reason, data }: Refusal): Promise<void> {
  const { limits, journal } = ctx.services;
  const { tenantId } = ctx.site;
  if (reason === 'tenant_unknown') return;
  if (!limits.refusalHasRow(tenantId, data.clientId, ctx.origin.ip ?? '')) return;
  await journal.appendIfTenant({
    tenantId,
    kind,
    clientId: data.clientId,
    userId: data.userId,
    audience: data.audience,
    reason,
    description: data.detail ?? reason.replaceAll('_', ' '),
    ...ctx.origin,
  });
}

/** Does the work, and logs the refusal it throws. */
export async function loggingRefusal<T>(ctx: ProtocolContext, kind: LogKind, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) await logRefusal(ctx, kind, error);
    throw error;
  }
}
