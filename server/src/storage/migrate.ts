import type { Kysely } from 'kysely';
import type { Migration, MigrationProvider } from 'kysely/migration';
import type { Database } from './database.ts';
import { isMissingTable } from './problem.ts';
import type { Schema } from './schema.ts';
import { defineStatement } from './statement.ts';

/** Every migration ever released, in order; each runs once, forwards. */
const migrations: Record<string, () => Promise<Migration>> = {
  '0001-core': () => import('./migrations/0001-core.ts'),
  '0002-organizations': () => import('./migrations/0002-organizations.ts'),
  '0003-sign-in': () => import('./migrations/0003-sign-in.ts'),
  '0004-auth-policies': () => import('./migrations/0004-auth-policies.ts'),
};

const latest = Object.keys(migrations).at(-1);

/** Brings the database to the latest migration; Kysely's migrator holds a lock meanwhile. */
export async function migrateToLatest(db: Kysely<Schema>): Promise<void> {
  const provider: MigrationProvider = {
    async getMigrations() {
      const loaded = await Promise.all(Object.entries(migrations).map(async ([name, load]) => [name, await load()]));
      return Object.fromEntries(loaded) as Record<string, Migration>;
    },
  };
  // Loaded only when there is something to migrate: a start on an existing database does without.
  const { Migrator } = await import('kysely/migration');
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error) throw error;
}

const lastMigration = defineStatement<object, { name: string }>(
  'last_migration',
  'select name from kysely_migration order by name desc limit 1',
);

/** One read tells a database that is up to date, which is what nearly every start finds. */
export async function isMigrated(db: Pick<Database, 'run'>): Promise<boolean> {
  try {
    const [applied] = await db.run(lastMigration, {});
    return applied?.name === latest;
  } catch (error) {
    if (isMissingTable(error)) return false;
    throw error;
  }
}
