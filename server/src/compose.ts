/** The one wiring list: from settings to a server that is ready to listen. */
import { mkdirSync } from 'node:fs';
import { pino } from 'pino';
import { makeMasterKey, readMasterKeys } from './config/master-key.ts';
import { baseUrl, ConfigError } from './config/read.ts';
import type { Settings } from './config/settings.ts';
import { LastUse } from './domain/clients/last-use.ts';
import type { Services } from './domain/context.ts';
import { Housekeeping } from './domain/housekeeping.ts';
import { createKeyStore } from './domain/keys/key-store.ts';
import { createJournal } from './domain/logs/journal.ts';
import { firstStart, keyCheckFits, type Started, storedKeyCheck } from './domain/tenants/first-start.ts';
import { createSites, defaultTenantId } from './domain/tenants/sites.ts';
import { auth0ManagementApi } from './http/auth0/system-api.ts';
import { trustedProxies } from './http/edge/address.ts';
import { nativeManagementApi } from './http/native/system-api.ts';
import type { HttpServices } from './http/request.ts';
import { createServer, type HttpServer } from './http/server.ts';
import { createCipher } from './kernel/cipher.ts';
import { type Clock, systemClock } from './kernel/clock.ts';
import { createCursors } from './kernel/cursor.ts';
import { DomainError } from './kernel/errors.ts';
import { type Random, systemRandom } from './kernel/random.ts';
import { RequestLimits } from './protocol/limits.ts';
import { connect } from './storage/connect.ts';
import type { Database } from './storage/database.ts';

export interface Composed {
  readonly server: HttpServer;
  readonly services: HttpServices;
  readonly started: Started;
  /** Path of the local certificate authority, with SEKISHO_HTTPS=local. */
  readonly caPath: string | undefined;
  /** Drains what is under way and lets go of the database. */
  close(): Promise<void>;
}

/** Time and chance can be replaced; nothing else can. */
export interface Replaceable {
  clock?: Clock;
  random?: Random;
}

export async function compose(settings: Settings, replace: Replaceable = {}): Promise<Composed> {
  const clock = replace.clock ?? systemClock;
  const random = replace.random ?? systemRandom;
  const logger = pino({ level: settings.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  const sites = createSites(baseUrl(settings), settings.extraHosts);
  prepareDataFolder(settings);
  const tlsReady = prepareTls(settings, sites, clock, random);
  const db = await openDatabase(settings);
  try {
    const cipher = await openCipher(settings, db, random);
    const journal = createJournal(db, clock, random);
    const base: Services = {
      db,
      clock,
      random,
      cipher,
      logger,
      sites,
      journal,
      keys: createKeyStore(db, cipher),
      cursors: createCursors(cipher.deriveKey('paging cursors')),
      systemApis: [auth0ManagementApi, nativeManagementApi],
    };
    const { adminClientId: clientId, adminClientSecret: clientSecret } = settings;
    const admin = clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret };
    const started = await firstStart(base, admin);
    const services: HttpServices = {
      ...base,
      limits: new RequestLimits(settings, clock, journal),
      lastUse: new LastUse(db, clock),
      trustedProxies: proxies(settings),
    };
    const warmed = warmUp(services);
    const housekeeping = new Housekeeping(db, clock, settings.logRetentionDays, (error) =>
      logger.error({ err: error }, 'housekeeping failed'),
    );
    const tls = await tlsReady;
    const readiness = {
      async missing() {
        await db.ping();
        return (await warmed) ? [] : ['signing keys'];
      },
    };
    const server = await createServer(services, readiness, tls?.options);
    return {
      server,
      services,
      started,
      caPath: tls?.caPath,
      async close() {
        await server.close();
        housekeeping.close();
        await Promise.all([services.limits.close(), services.lastUse.close()]);
        await db.close();
      },
    };
  } catch (error) {
    await db.close().catch(() => {});
    throw error;
  }
}

function prepareDataFolder(settings: Settings): void {
  try {
    mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError(
      'SEKISHO_DATA_DIR',
      `${settings.dataDir} can not be made (${codeOf(error)}): choose a folder you can write to.`,
    );
  }
}

async function prepareTls(settings: Settings, sites: Services['sites'], clock: Clock, random: Random) {
  if (settings.https === 'off') return undefined;
  const { fileTls, localTls } = await import('./http/tls.ts');
  if (settings.https === 'files') {
    const options = await fileTls({ certPath: settings.tlsCert as string, keyPath: settings.tlsKey as string });
    return { options, caPath: undefined };
  }
  return localTls({
    folder: settings.dataDir,
    hosts: sites.hostNames,
    isKnownHost: (host) => sites.isKnownHostName(host),
    clock,
    random,
  });
}

async function openDatabase(settings: Settings): Promise<Database> {
  try {
    return await connect({
      url: settings.databaseUrl,
      dataFolder: settings.dataDir,
      sqliteSynchronous: settings.sqliteSynchronous,
      postgresConnections: settings.postgresConnections,
    });
  } catch (error) {
    const detail = error instanceof DomainError ? (error.cause as Error).message : (error as Error).message;
    const setting = settings.databaseUrl === undefined ? 'SEKISHO_DATA_DIR' : 'SEKISHO_DATABASE_URL';
    throw new ConfigError(setting, `names a database that can not be opened: ${oneLine(detail)}`);
  }
}

/** Finds the master key that fits the database, or makes one for a database that has no data. Then migrates. */
async function openCipher(settings: Settings, db: Database, random: Random) {
  const isPostgres = db.location.startsWith('postgres:');
  const check = await storedCheck(db);
  const keys = readMasterKeys(settings);
  if (keys === undefined && isPostgres) {
    throw new ConfigError(
      'SEKISHO_MASTER_KEY',
      'is required for postgres://: set it, the same for every process (openssl rand -hex 32).',
    );
  }
  if (keys === undefined && check !== undefined) {
    throw new ConfigError(
      'SEKISHO_MASTER_KEY',
      'is missing, and the database was made with one: restore the key file or set the key.',
    );
  }
  const cipher = createCipher(keys ?? makeMasterKey(settings, random, db.location !== 'memory'), random);
  if (check !== undefined && !keyCheckFits({ cipher }, check)) {
    throw new ConfigError(
      'SEKISHO_MASTER_KEY',
      'is not the key this database was made with: set the right key, or another database.',
    );
  }
  await db.migrate();
  return cipher;
}

async function storedCheck(db: Database): Promise<string | undefined> {
  try {
    return await storedKeyCheck(db);
  } catch (error) {
    // A database without our tables is a new one; one that does not answer is not.
    if (
      error instanceof DomainError ||
      (/authentication|does not exist|role|database "/.test((error as Error).message) &&
        !/relation/.test((error as Error).message))
    ) {
      const cause = error instanceof DomainError ? (error.cause as Error) : (error as Error);
      throw new ConfigError(
        'SEKISHO_DATABASE_URL',
        `names a database that does not answer: ${oneLine(cause.message || codeOf(cause))}`,
      );
    }
    return undefined;
  }
}

/** Loads the signing key that most tokens need, so that the first token does not wait for it. */
async function warmUp(services: HttpServices): Promise<boolean> {
  try {
    const key = await services.db.read
      .selectFrom('signing_keys')
      .select('kid')
      .where('tenant_id', '=', defaultTenantId)
      .where('state', '=', 'current')
      .executeTakeFirstOrThrow();
    await services.keys.privateKey(defaultTenantId, key.kid);
    return true;
  } catch (error) {
    services.logger.error({ err: error }, 'the signing keys can not be loaded');
    return false;
  }
}

function proxies(settings: Settings) {
  try {
    return trustedProxies(settings.trustedProxies);
  } catch (error) {
    throw new ConfigError('SEKISHO_TRUSTED_PROXIES', oneLine((error as Error).message));
  }
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? (error as Error).message;
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
