import type { LogEventTable } from './schema.ts';
import { defineStatement } from './statement.ts';

/** Columns of a log event, in the order the inserts name them. */
export const logEventColumns = [
  'tenant_id',
  'id',
  'at',
  'kind',
  'client_id',
  'client_name',
  'user_id',
  'audience',
  'scope',
  'token_id',
  'reason',
  'description',
  'ip',
  'user_agent',
  'host',
  'occurrences',
  'details',
] as const satisfies readonly (keyof LogEventTable)[];

/** Adds one log event. */
export const insertLogEvent = defineStatement<LogEventTable>(
  'log_event_insert',
  `insert into log_events (${logEventColumns.join(', ')}) values (${logEventColumns.map((column) => `:${column}`).join(', ')})`,
);
