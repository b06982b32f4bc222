/** Who is measured: our server on each engine, and the peer. */
import { createDatabase } from '../../scripts/postgres.ts';
import { temporaryFolder } from './folder.ts';
import { peerName, peerSettings, startPeer } from './peer.ts';
import { type Engine, newInstallation, startRegistered, startServer } from './server.ts';
import type { Startable } from './start.ts';
import { ours } from './summary.ts';
import type { Target } from './target.ts';

export interface Contestant extends Startable {
  /** The first start: registers what the later ones find. */
  prepare(): Promise<Target>;
}

/** Each on an empty database; nothing runs yet. `postgresUrl` is the server to make databases on. */
export async function lineup(postgresUrl: string): Promise<Contestant[]> {
  return [
    await sekisho(ours.full, { kind: 'sqlite', synchronous: 'full' }),
    await sekisho(ours.normal, { kind: 'sqlite', synchronous: 'normal' }),
    await sekisho(ours.postgres, { kind: 'postgres', url: await createDatabase(postgresUrl) }),
    await peer(),
  ];
}

async function sekisho(name: string, engine: Engine): Promise<Contestant> {
  const installation = await newInstallation(name, temporaryFolder('server'), engine);
  let client: Awaited<ReturnType<typeof startRegistered>>['client'] | undefined;
  return {
    name,
    async prepare() {
      const server = await startRegistered(installation);
      client = server.client;
      return server;
    },
    start: () => startServer(installation, client),
  };
}

async function peer(): Promise<Contestant> {
  const settings = await peerSettings();
  const start = () => startPeer(settings);
  return { name: peerName, prepare: start, start };
}
