import { codeLifetimeMs, insertAuthorization } from '../../domain/authorizations/authorizations.ts';
import type { Session } from '../../domain/sessions/sessions.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import type { ClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
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
  const id = randomBase64Url(random, 12);
  await Promise.all([
    insertAuthorization(
      ctx.services,
      tenantId,
      {
        id,
        issuer: profile.name,
        userId: session.userId,
        clientId: client.id,
        scopes: request.scopes,
        audiences: request.audiences,
        amr: session.amr,
        sessionId: request.scopes.includes('offline_access') ? null : session.id,
        grantedInSessionId: session.id,
        organizationId,
        actor: null,
        authenticatedAt: session.authenticatedAt,
        createdAt: now,
        expiresAt: now + codeLifetimeMs,
      },
      {
        code,
        redirectUri: request.redirectUri,
        codeChallenge: request.codeChallenge,
        nonce: request.nonce,
        dpopThumbprint: request.dpopThumbprint,
      },
    ),
    journal.append({
      tenantId,
      kind: 'authorization.granted',
      clientId: client.id,
      clientName: client.name,
      userId: session.userId,
      scope: request.scopes.join(' '),
      description: 'authorization code',
      details: { target: id, ...(organizationId === null ? {} : { organization: organizationId }) },
      ...ctx.origin,
    }),
  ]);
  return responseTo(ctx, profile, request, { code });
}
