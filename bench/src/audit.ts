/** Compares a ledger with what a restarted server answers, and with what its database holds. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { Ledger } from './ledger.ts';
import { Management } from './management.ts';
import type { Installation } from './server.ts';
import { audiences, type Credentials, fetchToken, tokenForm, tokenPath } from './target.ts';
import { readJwt } from './token.ts';
import { postForm } from './traffic.ts';

const atOnce = 8;
/** Of the tokens that nobody revoked; that some are alive shows that introspection does not refuse all alike. */
const aliveSample = 50;

/** Throws, naming the thing, when the server answers otherwise than it acknowledged. */
export async function auditAnswers(installation: Installation, client: Credentials, ledger: Ledger): Promise<void> {
  const management = await Management.open(installation);
  await forEach(ledger.clients.values(), async ({ id, names, state }) => {
    if (state === 'unsure') return;
    const found = await management.find(`clients/${id}`);
    if (state === 'gone' && found !== undefined) throw new Error(`Client ${id} was deleted and is there.`);
    if (state === 'there' && found === undefined) throw new Error(`Client ${id} was created and is not there.`);
    if (state === 'there' && !names.includes(String(found?.name))) {
      throw new Error(`Client ${id} has the name '${found?.name}' and not '${names.join("' or '")}'.`);
    }
  });
  await forEach(ledger.grants.values(), async ({ id, state }) => {
    if (state === 'unsure') return;
    const found = await management.find(`client-grants/${id}`);
    if (state === 'gone' && found !== undefined) throw new Error(`Grant ${id} was deleted and is there.`);
    if (state === 'there' && found === undefined) throw new Error(`Grant ${id} was created and is not there.`);
  });
  const isActive = async (token: string) =>
    (await postForm(installation, '/oauth/introspect', client, token)).active === true;
  const tokens = [...ledger.tokens.values()];
  await forEach(tokens, async ({ jti, token, state }) => {
    if (state === 'revoked' && (await isActive(token))) throw new Error(`Token ${jti} was revoked and is active.`);
  });
  // The management tokens are another client's, who alone may introspect them.
  const alive = tokens.filter(
    ({ token, state }) => state === 'alive' && readJwt(token).payload.aud === audiences.ES256,
  );
  await forEach(alive.slice(0, aliveSample), async ({ jti, token }) => {
    if (!(await isActive(token))) throw new Error(`Token ${jti} was issued, not revoked, and is not active.`);
  });
}

/** Throws when the database is damaged, or an issued token has no log event of its issue. */
export async function auditDatabase(
  installation: Installation,
  client: Credentials,
  ledgers: readonly Ledger[],
): Promise<void> {
  const { port } = installation;
  const probe = await fetchToken({ port, path: tokenPath, form: tokenForm(client, audiences.ES256) });
  const events =
    installation.databaseUrl === undefined
      ? readSqlite(join(installation.dataFolder, 'sekisho.sqlite'))
      : await readPostgres(installation.databaseUrl);
  // Revoking a token is an event of the same token: only events of the kind that the probe has count.
  const kinds = events.filter((event) => event.token_id === readJwt(probe).payload.jti).map((event) => event.kind);
  if (kinds.length !== 1) throw new Error(`A token just issued has ${kinds.length} log events.`);
  const logged = new Set(events.filter((event) => event.kind === kinds[0]).map((event) => event.token_id));
  for (const ledger of ledgers) {
    for (const jti of ledger.tokens.keys()) {
      if (!logged.has(jti)) throw new Error(`Token ${jti} was issued and has no log event.`);
    }
  }
}

interface TokenEvent {
  token_id: string;
  kind: string;
}

const eventQuery = 'select token_id, kind from log_events where token_id is not null';

function readSqlite(file: string): TokenEvent[] {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  try {
    const integrity = db
      .prepare('pragma integrity_check')
      .all()
      .map((row) => row.integrity_check);
    if (integrity.join() !== 'ok') throw new Error(`PRAGMA integrity_check: ${integrity.join('; ')}`);
    const orphans = db.prepare('pragma foreign_key_check').all();
    if (orphans.length > 0) throw new Error(`PRAGMA foreign_key_check: ${JSON.stringify(orphans[0])}`);
    return db.prepare(eventQuery).all() as unknown as TokenEvent[];
  } finally {
    db.close();
  }
}

/** PostgreSQL has no check of the whole; at least every row of every table can be read. */
async function readPostgres(url: string): Promise<TokenEvent[]> {
  const db = new pg.Client({ connectionString: url });
  await db.connect();
  try {
    const tables = await db.query('select tablename from pg_tables where schemaname = current_schema()');
    for (const { tablename } of tables.rows) await db.query(`select * from "${tablename}"`);
    return (await db.query(eventQuery)).rows;
  } finally {
    await db.end();
  }
}

async function forEach<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
