import type { LogKind } from '../../domain/logs/kinds.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import type { Refusal } from '../refusal.ts';
import type { AuthorizationResponse } from './request.ts';

/** Where an answer goes. */
export interface ResponseTarget {
  readonly redirectUri: string;
  readonly responseMode: 'query' | 'form_post';
  readonly state?: string | null | undefined;
}

/** The answer to a client: every one names its issuer (RFC 9207) and repeats the state. */
export const responseTo = (
  ctx: ProtocolContext,
  profile: IssuerProfile,
  to: ResponseTarget,
  parameters: Record<string, string>,
  refusal?: Refusal,
): AuthorizationResponse => ({
  mode: to.responseMode,
  redirectUri: to.redirectUri,
  parameters: { ...parameters, ...(to.state == null ? {} : { state: to.state }), iss: profile.issuer(ctx.site) },
  issuer: profile.name,
  refusal,
});

/** The answer that tells the client of a refusal, logged. */
export async function refusedTo(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  to: ResponseTarget,
  refusal: Refusal,
): Promise<AuthorizationResponse> {
  await logRefused(ctx, refusal);
  return responseTo(ctx, profile, to, {}, refusal);
}

/** Logs the refusal of a request that a browser brought; too many of one address are counted in one row. */
export async function logRefused(
  ctx: ProtocolContext,
  refusal: Refusal,
  kind: LogKind = 'authorization.refused',
): Promise<void> {
  const { limits, journal } = ctx.services;
  const { clientId, userId, audience, detail } = refusal.data;
  if (refusal.reason === 'tenant_unknown') return;
  if (!limits.refusalHasRow(ctx.site.tenantId, clientId, ctx.origin.ip ?? '')) return;
  await journal.append({
    tenantId: ctx.site.tenantId,
    kind,
    clientId,
    userId,
    audience,
    reason: refusal.reason,
    description: detail ?? refusal.reason.replaceAll('_', ' '),
    ...ctx.origin,
  });
}
