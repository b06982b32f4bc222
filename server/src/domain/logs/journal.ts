import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import { logText } from '../../kernel/text.ts';
import type { Database, Tx } from '../../storage/database.ts';
import type { LogEventTable } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { LogKind } from './kinds.ts';

/** One thing that happened. Strings are made well-formed, stripped of controls and capped before they are stored. */
export interface LogEvent {
  readonly tenantId: string;
  readonly kind: LogKind;
  readonly clientId?: string | undefined;
  readonly clientName?: string | undefined;
  readonly userId?: string | undefined;
  readonly audience?: string | undefined;
  readonly scope?: string | undefined;
  readonly tokenId?: string | undefined;
  readonly reason?: string | undefined;
  readonly description?: string | undefined;
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly host?: string | undefined;
  readonly occurrences?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Journal {
  /** Resolves once the event is durable; events of concurrent requests share a commit. */
  append(event: LogEvent): Promise<void>;
  /**
   * The same for an event whose tenant may not exist (any label below the base host names one); without a tenant there
   * is no log. It is asked first, so that no such event spoils the commit it would share.
   */
  appendIfTenant(event: LogEvent): Promise<void>;
  /** Writes events in the transaction of the change they tell of. */
  within(trx: Tx, ...events: readonly LogEvent[]): Promise<void>;
}

/** One row when the tenant exists. */
export const tenantExists = defineStatement<{ tenantId: string }, { id: string }>(
  'tenant_exists',
  'select id from tenants where id = :tenantId',
);

export function createJournal(db: Database, clock: Clock, random: Random): Journal {
  const nextId = eventIds(clock, random);
  const rowOf = (event: LogEvent): LogEventTable => {
    const at = clock.now();
    return {
      tenant_id: event.tenantId,
      id: nextId(at),
      at,
      kind: event.kind,
      client_id: logText(event.clientId),
      client_name: logText(event.clientName),
      user_id: logText(event.userId),
      audience: logText(event.audience),
      scope: event.scope === undefined ? null : event.scope.slice(0, 4096),
      token_id: event.tokenId ?? null,
      reason: event.reason ?? null,
      description: logText(event.description),
      ip: event.ip ?? null,
      user_agent: logText(event.userAgent),
      host: logText(event.host),
      occurrences: event.occurrences ?? 1,
      details: event.details === undefined ? null : JSON.stringify(event.details),
    };
  };
  return {
    append: (event) => db.appendLogEvent(rowOf(event)),
    async appendIfTenant(event) {
      const [tenant] = await db.run(tenantExists, { tenantId: event.tenantId });
      if (tenant !== undefined) await db.appendLogEvent(rowOf(event));
    },
    async within(trx, ...events) {
      for (let start = 0; start < events.length; start += eventsOfStatement) {
        const rows = events.slice(start, start + eventsOfStatement).map(rowOf);
        await trx.insertInto('log_events').values(rows).execute();
      }
    },
  };
}

/** Each engine bounds the parameters of a statement; an event has 16. */
const eventsOfStatement = 30;

/** Ids of 30 digits that sort by time, and by order within a process: milliseconds, a counter, the process's number. */
function eventIds(clock: Clock, random: Random): (at: number) => string {
  const node = (Buffer.from(random(4)).readUInt32BE() % 1_000_000_000).toString().padStart(9, '0');
  let last = clock.now();
  let counter = 0;
  return (at) => {
    counter = at > last ? 0 : counter + 1;
    last = Math.max(at, last);
    return `${last.toString().padStart(15, '0')}${counter.toString().padStart(6, '0')}${node}`;
  };
}
