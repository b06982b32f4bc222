/** What a person grants in a session, and the event that tells of it: the same by a browser's code and by a device. */
import type { Authorization } from '../../domain/authorizations/authorization.ts';
import type { LogEvent } from '../../domain/logs/journal.ts';
import type { Session } from '../../domain/sessions/sessions.ts';
import type { IssuerName } from '../../storage/schema.ts';
import type { ClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';

/** What was asked for, and until when it waits to be fetched, in milliseconds. */
export interface Grant {
  readonly id: string;
  readonly issuer: IssuerName;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly organizationId: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** The authorization: it ends with the session, unless the person let the client stay (`offline_access`). */
export const grantedInSession = (session: Session, grant: Grant): Authorization => ({
  ...grant,
  userId: session.userId,
  amr: session.amr,
  authPolicyId: session.authPolicyId,
  sessionId: grant.scopes.includes('offline_access') ? null : session.id,
  grantedInSessionId: session.id,
  actor: null,
  authenticatedAt: session.authenticatedAt,
});

/** Its log event; `by`: what the client gets it by. */
export const grantedEvent = (
  { site, origin }: ProtocolContext,
  client: Pick<ClientFacts, 'id' | 'name'>,
  { id, userId, scopes, organizationId }: Authorization,
  by: string,
): LogEvent => ({
  tenantId: site.tenantId,
  kind: 'authorization.granted',
  clientId: client.id,
  clientName: client.name,
  userId,
  scope: scopes.join(' '),
  description: by,
  details: { target: id, ...(organizationId === null ? {} : { organization: organizationId }) },
  ...origin,
});
