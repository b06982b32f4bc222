import type { LogEventTable } from '../../storage/schema.ts';
import type { LogKind } from './kinds.ts';

/** One thing that happened, as it is read back. */
export interface StoredLogEvent {
  /** Digits; sorts by time. */
  id: string;
  at: number;
  kind: LogKind;
  clientId: string | null;
  clientName: string | null;
  userId: string | null;
  audience: string | null;
  scope: string | null;
  tokenId: string | null;
  reason: string | null;
  description: string | null;
  ip: string | null;
  userAgent: string | null;
  host: string | null;
  occurrences: number;
  details: Record<string, unknown> | null;
}

export const logEventOf = (row: LogEventTable): StoredLogEvent => ({
  id: row.id,
  at: row.at,
  kind: row.kind as LogKind,
  clientId: row.client_id,
  clientName: row.client_name,
  userId: row.user_id,
  audience: row.audience,
  scope: row.scope,
  tokenId: row.token_id,
  reason: row.reason,
  description: row.description,
  ip: row.ip,
  userAgent: row.user_agent,
  host: row.host,
  occurrences: row.occurrences,
  details: row.details === null ? null : (JSON.parse(row.details) as Record<string, unknown>),
});
