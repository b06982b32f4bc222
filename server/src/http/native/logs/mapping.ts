import type { LogEntry, LogQuery } from '@sekisho/contract';
import type { StoredLogEvent } from '../../../domain/logs/log-event.ts';
import type { LogSearch, LogTerm } from '../../../domain/logs/read.ts';
import { keyOf, kindsOfKey } from './keys.ts';

/** The query of the list in the domain's words. */
export function searchOf({ userId, applicationId, logKey, start_time, end_time }: LogQuery): LogSearch {
  const terms: LogTerm[] = [];
  if (userId !== undefined) terms.push({ field: 'userId', value: userId });
  if (applicationId !== undefined) terms.push({ field: 'clientId', value: applicationId });
  if (logKey !== undefined) terms.push({ field: 'kind', among: kindsOfKey(logKey) });
  const range = {
    ...(start_time === undefined ? {} : { atLeast: start_time }),
    ...(end_time === undefined ? {} : { below: end_time + 1 }),
  };
  // Without any term everything: a range that is open at both ends.
  return { all: [...terms, { field: 'at', range } as const].map((term) => ({ term })) };
}

export function logEntryBody(tenantId: string, event: StoredLogEvent): LogEntry {
  const key = keyOf(event.kind);
  const { reason, description } = event;
  return {
    tenantId,
    id: event.id,
    key,
    payload: {
      key,
      result: reason === null ? 'Success' : 'Error',
      ...(reason === null ? {} : { error: { code: reason, message: description ?? reason } }),
      ...given({
        ip: event.ip,
        userAgent: event.userAgent,
        userId: event.userId,
        applicationId: event.clientId,
        applicationName: event.clientName,
      }),
      params: {
        ...event.details,
        ...given({
          kind: event.kind,
          audience: event.audience,
          scope: event.scope,
          tokenId: event.tokenId,
          host: event.host,
          occurrences: event.occurrences === 1 ? null : event.occurrences,
        }),
      },
    },
    createdAt: event.at,
  };
}

/** The fields that are not null. */
const given = <T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as never;
