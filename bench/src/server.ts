import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/ports.ts';
import { startChild } from './child.ts';
import { projectFolder } from './folder.ts';
import { Management } from './management.ts';
import type { RequestSource } from './requests.ts';
import { audiences, type Credentials, newCredentials, scopes, type Target, tokenForm, tokenPath } from './target.ts';
import { type Algorithm, algorithms } from './token.ts';

/** What one of our servers is started with; the same installation may be started several times. */
export interface Installation {
  name: string;
  port: number;
  dataFolder: string;
  /** Absent: SQLite, a file in the data folder. */
  databaseUrl?: string;
  synchronous: 'full' | 'normal';
  masterKey: string;
  administrator: Credentials;
  /** Further settings, and what else its process finds in its environment. */
  environment?: NodeJS.ProcessEnv;
}

export type Engine = { kind: 'sqlite'; synchronous: 'full' | 'normal' } | { kind: 'postgres'; url: string };

/** A new installation on an empty data folder and, for PostgreSQL, an empty database. */
export async function newInstallation(name: string, dataFolder: string, engine: Engine): Promise<Installation> {
  const installation: Installation = {
    name,
    port: await freePort(),
    dataFolder,
    synchronous: engine.kind === 'sqlite' ? engine.synchronous : 'full',
    masterKey: randomBytes(32).toString('hex'),
    administrator: newCredentials(),
  };
  if (engine.kind === 'postgres') installation.databaseUrl = engine.url;
  return installation;
}

/** A running server of ours. */
export interface Server extends Target {
  installation: Installation;
}

/** Starts our server. `client` is who asks for tokens; without one, `requests` has nobody to ask for. */
export async function startServer(installation: Installation, client?: Credentials): Promise<Server> {
  const { nodeOptions, file } = startCommand();
  const child = await startChild(file, ['--json'], environment(installation), ['issuer', 'startMs'], nodeOptions);
  const { port } = installation;
  return {
    ...child,
    installation,
    name: installation.name,
    port,
    jwksUrl: `http://localhost:${port}/.well-known/jwks.json`,
    requests(algorithm) {
      if (client === undefined) throw new Error(`${installation.name} has no client yet.`);
      return tokenRequests(port, client, algorithm);
    },
  };
}

/** What `npm start` runs: node, its options, the file. */
function startCommand(): { nodeOptions: string[]; file: string } {
  const { scripts } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const [, ...words] = scripts.start.split(' ');
  return { nodeOptions: words.slice(0, -1), file: join(projectFolder, words.at(-1) as string) };
}

/** Registers the API of each algorithm and one client with a grant for each, by the management API. */
export async function register(installation: Installation): Promise<Credentials> {
  const management = await Management.open(installation);
  for (const algorithm of algorithms) {
    await management.createResourceServer(audiences[algorithm], algorithm, scopes);
  }
  const client = await management.createClient('Benchmark');
  for (const algorithm of algorithms) {
    await management.createGrant(client.clientId, audiences[algorithm], scopes);
  }
  return client;
}

/** Starts a new installation and registers a client, who then asks for the tokens. */
export async function startRegistered(installation: Installation): Promise<Server & { client: Credentials }> {
  const server = await startServer(installation);
  const client = await register(installation);
  return { ...server, client, requests: (algorithm) => tokenRequests(installation.port, client, algorithm) };
}

function tokenRequests(port: number, client: Credentials, algorithm: Algorithm): RequestSource {
  return { port, path: tokenPath, form: tokenForm(client, audiences[algorithm]) };
}

function environment(installation: Installation): NodeJS.ProcessEnv {
  const { administrator, databaseUrl } = installation;
  return {
    NODE_ENV: 'production',
    SEKISHO_PORT: String(installation.port),
    SEKISHO_DATA_DIR: installation.dataFolder,
    SEKISHO_MASTER_KEY: installation.masterKey,
    SEKISHO_ADMIN_CLIENT_ID: administrator.clientId,
    SEKISHO_ADMIN_CLIENT_SECRET: administrator.clientSecret,
    SEKISHO_SQLITE_SYNCHRONOUS: installation.synchronous,
    ...(databaseUrl === undefined ? {} : { SEKISHO_DATABASE_URL: databaseUrl }),
    ...installation.environment,
  };
}
