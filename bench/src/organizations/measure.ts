/**
 * Section "organizations": pages, searches, changes, decisions and tokens with few and with very many organizations;
 * moves of large subtrees, an import, and tokens while lists run beside them.
 */
import { join } from 'node:path';
import { temporaryFolder } from '../folder.ts';
import { Management } from '../management.ts';
import { progress } from '../progress.ts';
import { type Engine, newInstallation, type Server, startServer } from '../server.ts';
import { percentile } from '../statistics.ts';
import { NativeApi } from './api.ts';
import { type BesideRound, tokensBeside } from './beside.ts';
import { fillOrganizations } from './fill.ts';
import { type Import, importOrganizations } from './import.ts';
import { measureMoves } from './moves.ts';
import { type FilledServer, findDeepPage, operations } from './operations.ts';

export interface OperationFigures {
  engine: Engine['kind'];
  operation: string;
  organizations: number;
  p50: number;
  p99: number;
}

export interface OrganizationFigures {
  operations: OperationFigures[];
  moves: { engine: Engine['kind']; organizations: number; moved: number; ms: number[] }[];
  beside: (BesideRound & { engine: Engine['kind'] })[];
  imports: (Import & { engine: Engine['kind'] })[];
}

export interface OrganizationPace {
  /** Numbers of organizations, the fewest first. */
  sizes: readonly number[];
  /** Requests of each operation at each size. */
  requests: number;
  /** Rounds of tokens beside lists, and their length. */
  rounds: number;
  seconds: number;
  moves: number;
  /** Organizations that are imported. */
  imported: number;
}

/** Requests of one operation in a row, before the other size has its turn. */
const blockSize = 25;

export async function measureOrganizations(
  engineOf: () => Promise<Engine>,
  pace: OrganizationPace,
): Promise<OrganizationFigures> {
  const figures: OrganizationFigures = { operations: [], moves: [], beside: [], imports: [] };
  const servers: (FilledServer & { process: Server; kind: Engine['kind'] })[] = [];
  for (const organizations of pace.sizes) {
    const engine = await engineOf();
    servers.push({ ...(await startFilled(engine, organizations)), kind: engine.kind });
  }
  const largest = servers.at(-1)!;
  const { kind } = largest;
  for (const name of Object.keys(operations)) {
    for (const measured of await interleaved(name, servers, pace.requests)) {
      figures.operations.push({ engine: kind, operation: name, ...measured });
      const { organizations, p50, p99 } = measured;
      progress(`organizations  ${kind}, ${organizations}: ${name} ${p50.toFixed(2)} / ${p99.toFixed(2)} ms`);
    }
  }
  for (let round = 1; round <= pace.rounds; round++) {
    const beside = await tokensBeside(largest, round, pace.seconds);
    figures.beside.push({ ...beside, engine: kind });
    progress(
      `organizations  ${kind}: token p99 ${beside.aloneP99.toFixed(1)} ms, beside lists ${beside.besideP99.toFixed(1)} ms`,
    );
  }
  for (const { moved, ms } of await measureMoves(largest, pace.moves)) {
    figures.moves.push({ engine: kind, organizations: largest.organizations, moved, ms });
    progress(`organizations  ${kind}: ${moved} moved in ${ms.map((each) => each.toFixed(0)).join(', ')} ms`);
  }
  const imported = await importOrganizations(largest.api, largest.process.pid, pace.imported);
  figures.imports.push({ ...imported, engine: kind });
  progress(`organizations  ${kind}: ${imported.perSecond.toFixed(0)} imported a second`);
  for (const server of servers) await server.process.stop();
  return figures;
}

/** One operation at each size, in turn, so that what the machine does besides meets them alike. */
async function interleaved(name: string, servers: readonly FilledServer[], requests: number) {
  const operation = operations[name]!;
  const times = servers.map((): number[] => []);
  for (let done = -blockSize; done < requests; done += blockSize) {
    for (const [index, server] of servers.entries()) {
      for (let n = 0; n < blockSize; n++) {
        const ms = await operation(server);
        // The first block warms up.
        if (done >= 0) times[index]!.push(ms);
      }
    }
  }
  return servers.map(({ organizations }, index) => {
    const sorted = times[index]!.toSorted((a, b) => a - b);
    return { organizations, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
  });
}

const audience = 'https://organizations.bench.example/';

/** Registers an API, the roles and one machine client the proper way, stops, fills the database, and starts again. */
async function startFilled(engine: Engine, organizations: number): Promise<FilledServer & { process: Server }> {
  const dataFolder = temporaryFolder('organizations');
  const name = `${engine.kind} with ${organizations} organizations`;
  const installation = await newInstallation(name, dataFolder, engine);
  const first = await startServer(installation);
  const management = await Management.open(installation);
  await management.createResourceServer(audience, 'RS256', ['read:items']);
  const { clientId } = await management.createClient('Benchmark');
  // It denies organizations: what the client has in one comes from its role alone.
  await management.createGrant(clientId, audience, ['read:items']);
  const roles = await makeRoles(await NativeApi.open(installation));
  await first.stop();
  progress(`organizations  filling ${name}`);
  await fillOrganizations(
    engine.kind === 'sqlite' ? { file: join(dataFolder, 'sekisho.sqlite') } : { url: engine.url },
    organizations,
    { ...roles, template: clientId },
  );
  const process = await startServer(installation);
  const api = await NativeApi.open(installation);
  const deepPage = await findDeepPage(api, organizations);
  return { port: process.port, process, api, organizations, audience, deepPage };
}

async function makeRoles(api: NativeApi): Promise<{ userRole: string; machineRole: string }> {
  const { body: resources } = await api.call('GET', '/resources?includeScopes=true');
  // biome-ignore lint/suspicious/noExplicitAny: a body of the native API
  const resource = resources.find(({ indicator }: any) => indicator === audience);
  const { body: scope } = await api.call('POST', '/organization-scopes', { name: 'read:data' });
  const { body: machine } = await api.call('POST', '/organization-roles', {
    name: 'machine',
    type: 'MachineToMachine',
    organizationScopeIds: [scope.id],
    resourceScopeIds: [resource.scopes[0].id],
  });
  const { body: user } = await api.call('POST', '/organization-roles', {
    name: 'reader',
    organizationScopeIds: [scope.id],
  });
  return { userRole: user.id, machineRole: machine.id };
}
