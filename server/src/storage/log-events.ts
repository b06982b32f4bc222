import type { LogEventTable } from './schema.ts';
import { defineStatement } from './statement.ts';

/** Columns of a log event, in the order PostgreSQL's batch insert names them. */
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
export const insertLogEvent = defineStatement<LogEventTable>()('log_event_insert', (q, arg) =>
  q.insertInto('log_events').values({
    tenant_id: arg('tenant_id'),
    id: arg('id'),
    at: arg('at'),
    kind: arg('kind'),
    client_id: arg('client_id'),
    client_name: arg('client_name'),
    user_id: arg('user_id'),
    audience: arg('audience'),
    scope: arg('scope'),
    token_id: arg('token_id'),
    reason: arg('reason'),
    description: arg('description'),
    ip: arg('ip'),
    user_agent: arg('user_agent'),
    host: arg('host'),
    occurrences: arg('occurrences'),
    details: arg('details'),
  }),
);
