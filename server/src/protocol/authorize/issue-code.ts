import { codeLifetimeMs, insertAuthorization } from '../../domain/authorizations/authorizations.ts';
import type { Session } from '../../domain/sessions/sessions.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import type { ClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { grantedEvent, grantedInSession } from './granted.ts';
import type { AuthorizationRequest, AuthorizationResponse } from './request.ts';
import { responseTo } from './respond.ts';

/** Keeps what the person let the client do, and answers with its code; both when the log event is durable. */
export async function issueCode(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  client: Pick<ClientFacts, 'id' | 'name'>,
  request: AuthorizationRequest,
  who: { session: Session; organizationId: string | null },
): Promise<AuthorizationResponse> {
  const { random, clock, journal } = ctx.services;
  const { tenantId } = ctx.site;
  const { session, organizationId } = who;
  const now = clock.now();
  const code = randomBase64Url(random, 32);
  const authorization = grantedInSession(session, {
    id: randomBase64Url(random, 12),
    issuer: profile.name,
    clientId: client.id,
    scopes: request.scopes,
    audiences: request.audiences,
    organizationId,
    createdAt: now,
    expiresAt: now + codeLifetimeMs,
  });
  await Promise.all([
    insertAuthorization(ctx.services, tenantId, authorization, {
      code,
      redirectUri: request.redirectUri,
      codeChallenge: request.codeChallenge,
      nonce: request.nonce,
      dpopThumbprint: request.dpopThumbprint,
    }),
    journal.append(grantedEvent(ctx, client, authorization, 'authorization code')),
  ]);
  return responseTo(ctx, profile, request, { code });
}
