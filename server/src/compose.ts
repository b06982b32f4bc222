/** The one wiring list: from settings to a server that is ready to listen. */
import { mkdirSync } from 'node:fs';
import { pino } from 'pino';
import { readClientAuthorities } from './config/client-authorities.ts';
import { makeMasterKey, masterKeyFile, readMasterKeys } from './config/master-key.ts';
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
import { type Cipher, createCipher } from './kernel/cipher.ts';
import { type Clock, systemClock } from './kernel/clock.ts';
import { createCursors } from './kernel/cursor.ts';
import { type Random, systemRandom } from './kernel/random.ts';
import { LogoutSender } from './protocol/end-session/sender.ts';
import { RequestLimits } from './protocol/limits.ts';
import { connect } from './storage/connect.ts';
import type { Database } from './storage/database.ts';
import { databaseProblem, isMissingTable } from './storage/problem.ts';

export interface Composed {
  readonly server: HttpServer;
  readonly services: HttpServices;
  readonly started: Started;
  /** Runs by itself; here so that it can be asked to. */
  readonly housekeeping: Housekeeping;
  /** The same. */
  readonly logoutSender: LogoutSender;
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
  // What can be wrong with the settings comes to light before anything is written: a first start that failed half-way
  // would have made a client whose secret nobody ever saw.
  const trusted = proxies(settings);
  const masterKeys = givenMasterKeys(settings);
  const clientAuthorities = readClientAuthorities(settings);
  const files = await tlsFiles(settings);
  prepareDataFolder(settings);
  const db = await openDatabase(settings);
  try {
    const check = await storedCheck(settings, db);
    const cipher = openCipher(settings, masterKeys ?? newMasterKeys(settings, db, check, random), check, random);
    await db.migrate().catch((error) => {
      throw databaseError(settings, error);
    });
    const clientCa = settings.tlsClientCa === undefined ? undefined : clientAuthorities.map(String).join('');
    const tls = files ?? (await localCertificates(settings, sites, { clock, random, clientCa }));
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
      outgoing: { privateTargets: settings.allowPrivateTargets },
    };
    const { adminClientId: clientId, adminClientSecret: clientSecret } = settings;
    const admin = clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret };
    const started = await firstStart(base, admin);
    // Another process may have been faster with the first start, and have another key.
    if (check === undefined) assertKeyFits(settings, cipher, await storedCheck(settings, db));
    const services: HttpServices = {
      ...base,
      limits: new RequestLimits(settings, clock, journal),
      lastUse: new LastUse(db, clock),
      trustedProxies: trusted,
      certificateSource: { header: settings.clientCertificateHeader, asked: asksForCertificates(settings) },
      clientAuthorities,
      takesCertificates: asksForCertificates(settings) || settings.clientCertificateHeader !== undefined,
    };
    const housekeeping = new Housekeeping(db, clock, settings.logRetentionDays, (error) =>
      logger.error({ err: error }, 'housekeeping failed'),
    );
    let warmed = warmUp(services);
    const readiness = {
      async missing() {
        await db.ping();
        // The database may have been away when the keys were asked for.
        if (!(await warmed)) warmed = warmUp(services);
        return (await warmed) ? [] : ['signing keys'];
      },
    };
    const asking = asksForCertificates(settings) ? { ...askingForCertificates, ...(clientCa && { ca: clientCa }) } : {};
    const server = await createServer(services, readiness, tls && { ...tls.options, ...asking });
    const logoutSender = new LogoutSender(services);
    return {
      server,
      services,
      started,
      housekeeping,
      logoutSender,
      caPath: tls?.caPath,
      async close() {
        await server.close();
        housekeeping.close();
        await logoutSender.close();
        await Promise.all([services.limits.close(), services.lastUse.close()]);
        await db.close();
      },
    };
  } catch (error) {
    // A database that does not answer would have us wait for its connections too.
    await within(200, db.close()).catch(() => {});
    throw error;
  }
}

/** The folder is made unless nothing will be in it: a process over PostgreSQL runs on a read-only file system too. */
function prepareDataFolder(settings: Settings): void {
  if (!isEmbedded(settings) && settings.https !== 'local') return;
  try {
    mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError(
      'SEKISHO_DATA_DIR',
      `${settings.dataDir} can not be made (${codeOf(error)}): choose a folder you can write to.`,
    );
  }
}

const isPostgres = ({ databaseUrl }: Settings): boolean => /^postgres/.test(databaseUrl ?? '');
const isEmbedded = (settings: Settings): boolean => !isPostgres(settings) && settings.databaseUrl !== 'sqlite::memory:';

async function tlsFiles(settings: Settings) {
  if (settings.https !== 'files') return undefined;
  const { fileTls } = await import('./http/tls.ts');
  const options = await fileTls({ certPath: settings.tlsCert as string, keyPath: settings.tlsKey as string });
  return { options, caPath: undefined };
}

const asksForCertificates = (settings: Settings): boolean => settings.tlsClientCertificates === 'ask';

/** Whether a certificate is good is decided request by request; a client may come without one. */
const askingForCertificates = { requestCert: true, rejectUnauthorized: false };

async function localCertificates(
  settings: Settings,
  sites: Services['sites'],
  { clock, random, clientCa }: { clock: Clock; random: Random; clientCa: string | undefined },
) {
  if (settings.https !== 'local') return undefined;
  const { localTls } = await import('./http/tls.ts');
  try {
    return await localTls({
      folder: settings.dataDir,
      hosts: sites.hostNames,
      isKnownHost: (host) => sites.isKnownHostName(host),
      clock,
      random,
      clientCa,
    });
  } catch (error) {
    throw new ConfigError(
      'SEKISHO_DATA_DIR',
      `${settings.dataDir} can not keep the local certificates (${codeOf(error)}): choose a folder you can write to.`,
    );
  }
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
    throw databaseError(settings, error);
  }
}

/** Names the setting that chose the database, what is wrong with it and the cure. */
function databaseError(settings: Settings, error: unknown): ConfigError {
  const setting = settings.databaseUrl === undefined ? 'SEKISHO_DATA_DIR' : 'SEKISHO_DATABASE_URL';
  return new ConfigError(setting, `names a database that ${databaseProblem(error)}`);
}

function givenMasterKeys(settings: Settings): Buffer[] | undefined {
  const keys = readMasterKeys(settings);
  if (keys === undefined && isPostgres(settings)) {
    throw new ConfigError(
      'SEKISHO_MASTER_KEY',
      'is required for postgres://: set it, the same for every process (openssl rand -hex 32).',
    );
  }
  return keys;
}

/** A master key for a database that has no data; never for another. */
function newMasterKeys(settings: Settings, db: Database, check: string | undefined, random: Random): Buffer[] {
  if (check !== undefined) {
    throw new ConfigError(
      'SEKISHO_MASTER_KEY_FILE',
      `${masterKeyFile(settings)} is missing, and the database was made with a key: restore it, or set SEKISHO_MASTER_KEY.`,
    );
  }
  return makeMasterKey(settings, random, db.location !== 'memory');
}

function openCipher(settings: Settings, keys: Buffer[], check: string | undefined, random: Random): Cipher {
  const cipher = createCipher(keys, random);
  assertKeyFits(settings, cipher, check);
  return cipher;
}

function assertKeyFits(settings: Settings, cipher: Cipher, check: string | undefined): void {
  if (check === undefined || keyCheckFits({ cipher }, check)) return;
  const [setting, key] =
    settings.masterKey === undefined
      ? ['SEKISHO_MASTER_KEY_FILE', `${masterKeyFile(settings)} holds`]
      : ['SEKISHO_MASTER_KEY', 'is'];
  throw new ConfigError(
    setting,
    `${key} not the key this database was made with: set the right key, or another database.`,
  );
}

/** How long a start waits for the first answer of a database, in milliseconds. */
const firstAnswerWithinMs = 2000;

async function storedCheck(settings: Settings, db: Database): Promise<string | undefined> {
  try {
    return await within(firstAnswerWithinMs, storedKeyCheck(db));
  } catch (error) {
    // A database without our tables is a new one.
    if (isMissingTable(error)) return undefined;
    throw databaseError(settings, error);
  }
}

/** Rejects with an `Error` when the work takes longer (milliseconds); the work itself goes on. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Loads the signing key that most tokens need, so that the first token does not wait for it. */
async function warmUp(services: HttpServices): Promise<boolean> {
  try {
    await services.keys.warmUp(defaultTenantId);
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
