import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import type { Refusal } from '../refusal.ts';
import { logRefusal } from '../refused.ts';
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
  await logRefusal(ctx, 'authorization.refused', refusal);
  return responseTo(ctx, profile, to, {}, refusal);
}
