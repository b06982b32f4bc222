import { join } from 'node:path';
import type { Database } from './database.ts';

export interface ConnectOptions {
  /** `postgres://…`, `sqlite:<path>`, `sqlite::memory:`; undefined: a SQLite file in the data folder. */
  url: string | undefined;
  /** Folder of the default SQLite file. */
  dataFolder: string;
  sqliteSynchronous: 'full' | 'normal';
  postgresConnections: number;
}

/** Opens the engine that the URL names. Only the engine in use is loaded. */
export async function connect(options: ConnectOptions): Promise<Database> {
  const { url, dataFolder, sqliteSynchronous: synchronous, postgresConnections: connections } = options;
  if (url !== undefined && /^postgres(ql)?:/.test(url)) {
    return (await import('./postgres.ts')).openPostgres({ url, connections });
  }
  const { openSqlite } = await import('./sqlite.ts');
  const file = url === undefined ? join(dataFolder, 'sekisho.sqlite') : url.slice('sqlite:'.length);
  return openSqlite({ file, synchronous });
}
