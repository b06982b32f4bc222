/** Section "scale": what a token costs with few and with very many clients and grants. */
import { join } from 'node:path';
import { fill, numberedForm } from './fill.ts';
import { temporaryFolder } from './folder.ts';
import { flawlessLoad, type LoadResult } from './load.ts';
import { Management } from './management.ts';
import { progress } from './progress.ts';
import { type Engine, newInstallation, type Server, startServer } from './server.ts';
import { scopes, tokenPath } from './target.ts';
import { type Algorithm, algorithms } from './token.ts';
import type { Pace } from './tokens.ts';

const audience = 'https://scale.bench.example/';
export const scaleConnections = 16;

export interface ScaleMeasurement extends LoadResult {
  round: number;
  engine: Engine['kind'];
  clients: number;
  algorithm: Algorithm;
}

/** One engine at each size, in interleaved rounds, requests spread evenly over all clients. */
export async function measureScale(
  engineOf: (clients: number) => Promise<Engine>,
  sizes: readonly number[],
  pace: Pace,
): Promise<ScaleMeasurement[]> {
  const measurements: ScaleMeasurement[] = [];
  const servers: { clients: number; engine: Engine; server: Server }[] = [];
  for (const clients of sizes) {
    const engine = await engineOf(clients);
    servers.push({ clients, engine, server: await startFilled(engine, clients) });
  }
  for (const algorithm of algorithms) {
    for (const { server } of servers) {
      const management = await Management.open(server.installation);
      await management.setSigningAlgorithm(audience, algorithm);
    }
    for (let round = 1; round <= pace.rounds; round++) {
      for (const { clients, engine, server } of servers) {
        const result = await measure(server, clients, algorithm, pace);
        measurements.push({ ...result, round, engine: engine.kind, clients, algorithm });
        const figure = `${result.serverCpuMicros?.toFixed(0) ?? '–'} µs CPU a token`;
        progress(`scale ${round}/${pace.rounds}  ${server.name}  ${algorithm}: ${figure}`);
      }
    }
  }
  for (const { server } of servers) await server.stop();
  return measurements;
}

function measure(server: Server, clients: number, algorithm: Algorithm, pace: Pace): Promise<LoadResult> {
  return flawlessLoad({
    requests: { port: server.port, path: tokenPath, form: numberedForm(audience), count: clients },
    connections: scaleConnections,
    warmupSeconds: pace.warmupSeconds,
    seconds: pace.seconds,
    algorithm,
    serverPid: server.pid,
  });
}

/** Registers one client properly, stops, copies it `clients` times, and starts again. */
async function startFilled(engine: Engine, clients: number): Promise<Server> {
  const dataFolder = temporaryFolder('scale');
  const installation = await newInstallation(`${engine.kind} with ${clients} clients`, dataFolder, engine);
  const first = await startServer(installation);
  const management = await Management.open(installation);
  await management.createResourceServer(audience, 'RS256', scopes);
  const { clientId } = await management.createClient('Benchmark');
  await management.createGrant(clientId, audience, scopes);
  await first.stop();
  progress(`scale  filling ${installation.name}`);
  await fill(
    engine.kind === 'sqlite' ? { file: join(dataFolder, 'sekisho.sqlite') } : { url: engine.url },
    clientId,
    clients,
  );
  return startServer(installation);
}
