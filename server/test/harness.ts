/**
 * Drives the real server through its front door: real HTTP, the real engines; only clock and chance are replaced.
 * `eachEngine` runs a suite on SQLite in memory and on a real PostgreSQL.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import { sql } from 'kysely';
import { freePort } from '../../scripts/ports.ts';
import { createDatabase, dropDatabase, startPostgres } from '../../scripts/postgres.ts';
import { type Composed, compose } from '../src/compose.ts';
import { readSettings } from '../src/config/read.ts';
import type { Clock } from '../src/kernel/clock.ts';

export { freePort };

export type Engine = 'sqlite' | 'postgres';
export const engines: readonly Engine[] = ['sqlite', 'postgres'];

/** Declares the same suite once for each engine. */
export function eachEngine(name: string, suite: (engine: Engine) => void): void {
  for (const engine of engines) describe(`${name} [${engine}]`, () => suite(engine));
}

/** A clock that stands where it is put, or runs with the system's plus an offset. */
export class TestClock implements Clock {
  offsetMs = 0;
  #standsAtMs: number | undefined;
  now(): number {
    return (this.#standsAtMs ?? Date.now()) + this.offsetMs;
  }
  /** Moves the clock forwards (or back). */
  advance(milliseconds: number): void {
    this.offsetMs += milliseconds;
  }
  /** Stands still during `work`: what is a second away stays a second away, however slow the machine is. */
  async standingStill(work: () => Promise<void>): Promise<void> {
    this.#standsAtMs = Date.now();
    await work().finally(() => {
      this.#standsAtMs = undefined;
    });
  }
}

export const admin = {
  clientId: 'admin',
  clientSecret: 'MRK-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX',
};

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON, or the text when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
  body: any;
  text: string;
}

export interface StartOptions {
  engine?: Engine;
  /** Further `SEKISHO_…` variables. */
  env?: Record<string, string>;
  clock?: Clock;
  /** An existing database, so that several nodes share it (`postgres://…` or `sqlite:<path>`). */
  databaseUrl?: string;
}

let ownPostgres: Promise<string> | undefined;

/** The throw-away PostgreSQL of this run; a test file run by hand starts one of its own. */
export function postgresServer(): Promise<string> {
  const url = process.env.SEKISHO_TEST_POSTGRES_URL;
  if (url !== undefined) return Promise.resolve(url);
  ownPostgres ??= startPostgres().then((server) => server.url);
  return ownPostgres;
}

/** A new, empty database on the throw-away PostgreSQL. */
export const newPostgresDatabase = async (): Promise<string> => createDatabase(await postgresServer());

const masterKey = 'a1'.repeat(32);

/** Starts a server in this process on a free port. Call `close` when done. */
export async function startServer(options: StartOptions = {}): Promise<TestServer> {
  const { engine = 'sqlite', env = {}, clock } = options;
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-test-'));
  const ownDatabase =
    options.databaseUrl === undefined && engine === 'postgres' ? await newPostgresDatabase() : undefined;
  for (let attempt = 1; ; attempt += 1) {
    const { settings } = readSettings({
      SEKISHO_PORT: String(await freePort()),
      SEKISHO_DATA_DIR: folder,
      SEKISHO_DATABASE_URL: options.databaseUrl ?? ownDatabase ?? 'sqlite::memory:',
      SEKISHO_MASTER_KEY: masterKey,
      SEKISHO_ADMIN_CLIENT_ID: admin.clientId,
      SEKISHO_ADMIN_CLIENT_SECRET: admin.clientSecret,
      SEKISHO_LOG_LEVEL: 'silent',
      SEKISHO_POSTGRES_CONNECTIONS: '4',
      ...env,
    });
    const composed = await compose(settings, clock === undefined ? {} : { clock });
    try {
      await composed.server.app.listen({ host: settings.host, port: settings.port });
    } catch (error) {
      await composed.close();
      // Another program of the machine may have taken the free port meanwhile.
      if ((error as { code?: string }).code === 'EADDRINUSE' && attempt < 5) continue;
      throw error;
    }
    await stopTimers(composed);
    return new TestServer(composed, settings.port, folder, ownDatabase);
  }
}

/**
 * What a server writes by itself after 10 s, 60 s or an hour, it writes here only when a test asks (`housekeeping.run()`,
 * `flush()`): else a file that is slow enough would find rows gone, or more of them, in the middle of a test.
 */
async function stopTimers({ housekeeping, services }: Composed): Promise<void> {
  housekeeping.close();
  await Promise.all([services.limits.close(), services.lastUse.close()]);
}

export class TestServer {
  readonly composed: Composed;
  readonly port: number;
  /** `http://localhost:<port>` */
  readonly origin: string;
  readonly issuer: string;
  /** Audience of the Auth0 dialect. */
  readonly managementAudience: string;
  /** Audience of the native API. */
  readonly nativeAudience: string;
  readonly folder: string;
  readonly #ownDatabase: string | undefined;

  constructor(composed: Composed, port: number, folder: string, ownDatabase: string | undefined) {
    this.composed = composed;
    this.port = port;
    this.origin = composed.services.sites.ofTenant('default').origin;
    this.issuer = `${this.origin}/`;
    this.managementAudience = `${this.origin}/api/v2/`;
    this.nativeAudience = `${this.origin}/api`;
    this.folder = folder;
    this.#ownDatabase = ownDatabase;
  }

  /** One request; `json` and `form` set body and content type. Never throws on a status. */
  async request(
    method: string,
    path: string,
    options: {
      token?: string;
      json?: unknown;
      form?: Record<string, string>;
      headers?: Record<string, string>;
      body?: string | Uint8Array<ArrayBuffer>;
    } = {},
  ): Promise<Answer> {
    const headers: Record<string, string> = { ...options.headers };
    let body: string | Uint8Array<ArrayBuffer> | URLSearchParams | undefined = options.body;
    if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
    if (options.json !== undefined) {
      headers['content-type'] ??= 'application/json';
      body = JSON.stringify(options.json);
    }
    if (options.form !== undefined) body = new URLSearchParams(options.form);
    const response = await fetch(`${this.origin}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text), text };
  }

  /** A token request by form; `client_credentials` unless told. */
  token(parameters: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('POST', '/oauth/token', { form: { grant_type: 'client_credentials', ...parameters }, headers });
  }

  /** An access token of the first management client for the Auth0 dialect (or another audience). */
  async managementToken(audience = this.managementAudience): Promise<string> {
    const answer = await this.token({ client_id: admin.clientId, client_secret: admin.clientSecret, audience });
    if (answer.status !== 200) throw new Error(`no management token: ${answer.status} ${answer.text}`);
    return answer.body.access_token as string;
  }

  /** Calls the Auth0 dialect as the first management client; throws unless the status is 2xx. */
  async manage(method: string, path: string, json?: unknown): Promise<Answer['body']> {
    this.#token ??= this.managementToken();
    const options = json === undefined ? { token: await this.#token } : { token: await this.#token, json };
    const answer = await this.request(method, `/api/v2${path}`, options);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }
  #token: Promise<string> | undefined;

  /** Makes an API, a client and a grant between them. */
  async machine(
    options: {
      identifier?: string;
      scopes?: readonly string[];
      granted?: readonly string[];
      api?: Record<string, unknown>;
      client?: Record<string, unknown>;
    } = {},
  ): Promise<{ audience: string; clientId: string; clientSecret: string; grantId: string; apiId: string }> {
    const { scopes = ['read:orders', 'write:orders'] } = options;
    const identifier = options.identifier ?? `https://api-${Math.random().toString(36).slice(2)}.example`;
    const api = await this.manage('POST', '/resource-servers', {
      identifier,
      name: 'Orders',
      scopes: scopes.map((value) => ({ value })),
      ...options.api,
    });
    const client = await this.manage('POST', '/clients', {
      name: 'Machine',
      app_type: 'non_interactive',
      ...options.client,
    });
    const grant = await this.manage('POST', '/client-grants', {
      client_id: client.client_id,
      audience: identifier,
      scope: options.granted ?? scopes,
    });
    return {
      audience: identifier,
      clientId: client.client_id,
      clientSecret: client.client_secret,
      grantId: grant.id,
      apiId: api.id,
    };
  }

  /** Rows of a table, for assertions on what was written. */
  // biome-ignore lint/suspicious/noExplicitAny: any table
  async rows(table: string): Promise<any[]> {
    const { rows } = await sql`select * from ${sql.table(table)}`.execute(this.composed.services.db.read);
    return rows as never;
  }

  /** Log events, oldest first. */
  // biome-ignore lint/suspicious/noExplicitAny: rows are compared, not typed
  async logEvents(): Promise<any[]> {
    return (await this.rows('log_events')).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** A hash over all rows but log events and times of last use: a refusal must leave it as it was. */
  async stateHash(): Promise<string> {
    await this.composed.services.lastUse.flush();
    const hash = createHash('sha256');
    for (const table of stateTables) {
      const rows = (await this.rows(table)).map((row) => JSON.stringify({ ...row, last_used_at: undefined })).sort();
      hash.update(table).update(rows.join('\n'));
    }
    return hash.digest('hex');
  }

  async close(): Promise<void> {
    await this.composed.close();
    rmSync(this.folder, { recursive: true, force: true });
    if (this.#ownDatabase !== undefined) await dropDatabase(this.#ownDatabase);
  }
}

const stateTables = [
  'tenants',
  'signing_keys',
  'resource_servers',
  'scopes',
  'clients',
  'client_origins',
  'credentials',
  'client_grants',
  'client_grant_scopes',
  'users',
  'user_terms',
  'revoked_tokens',
  'organizations',
  'organization_scopes',
  'roles',
  'role_scopes',
  'role_organization_scopes',
  'role_assignments',
  'memberships',
  'membership_roles',
  'organization_client_grants',
  'organization_invitations',
  'organization_invitation_roles',
  'organization_email_domains',
  'organization_jit_roles',
  'resource_server_aliases',
  'sessions',
  'authorizations',
  'refresh_tokens',
  'opaque_tokens',
  'consents',
  'device_authorizations',
  'subject_tokens',
  'client_registrations',
  'auth_policies',
  'auth_policy_domains',
  'auth_policy_users',
  'identities',
  'upstream_requests',
  'api_keys',
];

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
