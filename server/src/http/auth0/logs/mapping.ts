import type { StoredLogEvent } from '../../../domain/logs/log-event.ts';
import { withoutUnset } from '../envelope.ts';
import { shownUserId } from '../users/ids.ts';
import { logTypes } from './types.ts';

/** A log event as this dialect shows it. What Auth0 has no field for stands in `details`. */
export function bodyOf(event: StoredLogEvent, tenant: string): Record<string, unknown> {
  const details = withoutUnset({
    ...event.details,
    kind: event.kind,
    reason: event.reason,
    token_id: event.tokenId,
    occurrences: event.occurrences === 1 ? undefined : event.occurrences,
  });
  return withoutUnset({
    _id: event.id,
    log_id: event.id,
    date: new Date(event.at).toISOString(),
    type: logTypes[event.kind],
    description: event.description,
    client_id: event.clientId,
    client_name: event.clientName,
    user_id: event.userId === null ? undefined : shownUserId(event.userId),
    audience: event.audience,
    scope: event.scope,
    ip: event.ip,
    user_agent: event.userAgent,
    hostname: event.host,
    isMobile: false,
    tenant_name: tenant,
    details,
  });
}
