import type { KillRound } from './kill.ts';
import type { Machine } from './machine.ts';
import { type MemoryMeasurement, memoryConnections } from './memory.ts';
import type { OrganizationFigures } from './organizations/measure.ts';
import { organizationSections } from './organizations/section.ts';
import { peerName } from './peer.ts';
import { type ScaleMeasurement, scaleConnections } from './scale.ts';
import type { SignInFigures } from './sign-in/measure.ts';
import { signInSections } from './sign-in/section.ts';
import type { StartMeasurement } from './start.ts';
import { median } from './statistics.ts';
import { ours, ratioToPeer, scaleRatio, summarise } from './summary.ts';
import { figure, type Section } from './table.ts';
import { type Algorithm, algorithms } from './token.ts';
import { connectionCounts, type TokenFigures } from './tokens.ts';
import type { UpstreamFigures } from './upstream/measure.ts';
import { upstreamSections } from './upstream/section.ts';

/** All that one run of the benchmark measured; a section that did not run is absent. */
export interface Figures {
  machine: Machine;
  tokens?: TokenFigures;
  memory?: MemoryMeasurement[];
  starts?: StartMeasurement[];
  scale?: ScaleMeasurement[];
  /** Of each engine. */
  organizations?: OrganizationFigures[];
  signIn?: SignInFigures;
  /** Undefined also where OpenLDAP is missing. */
  upstream?: UpstreamFigures | undefined;
  kills?: KillRound[];
  /** What the kill section found lost; it ends there. */
  breach?: string;
}

export function sections(figures: Figures): Section[] {
  const { tokens, memory, starts, scale, organizations, signIn, upstream, kills } = figures;
  return [
    ...(tokens ? algorithms.map((algorithm) => tokenSection(tokens, algorithm)) : []),
    ...(memory ? [memorySection(memory)] : []),
    ...(starts ? [startSection(starts)] : []),
    ...(scale ? [scaleSection(scale)] : []),
    ...(organizations ? organizationSections(organizations) : []),
    ...(signIn ? signInSections(signIn) : []),
    ...(upstream ? upstreamSections(upstream) : []),
    ...(kills ? [killSection(kills, figures.breach)] : []),
  ];
}

function tokenSection(figures: TokenFigures, algorithm: Algorithm): Section {
  const { rounds, seconds } = figures.pace;
  const signature = median(figures.signatures[algorithm].map((cost) => cost.cpuMicros));
  const rows = connectionCounts.flatMap((connections) =>
    [...Object.values(ours), peerName].map((target) => {
      const sum = summarise(figures, target, algorithm, connections);
      return [
        target,
        String(connections),
        figure(sum.tokensPerSecond),
        figure(ratioToPeer(figures, target, algorithm, connections), 2),
        figure(sum.p50, 2),
        figure(sum.p99, 2),
        figure(sum.max, 1),
        String(sum.errors),
        figure(sum.serverCpuMicros),
        figure(sum.signatures, 2),
      ];
    }),
  );
  const generator = median(figures.measurements.map((each) => each.generatorCpuMicros));
  return {
    title: `Tokens, ${algorithm}`,
    text:
      `Client credentials over HTTP/1.1 with keep-alive, each connection in closed loop. Medians of ${rounds} interleaved ` +
      `rounds of ${seconds} s; max is the worst of all rounds. "× peer" is the median of the ratios within each round. ` +
      `Our servers answer after the token's log event is committed; ${peerName} keeps its client in memory and writes ` +
      `nothing. CPU is that of the server process (for PostgreSQL: without the database's own). One ${algorithm} signature ` +
      `by crypto.sign on the thread pool cost ${figure(signature)} µs CPU in the same run. The load generator shares the ` +
      `cores and used ${figure(generator)} µs CPU a token.`,
    table: {
      head: [
        'Server',
        'connections',
        'tokens/s',
        '× peer',
        'p50 ms',
        'p99 ms',
        'max ms',
        'errors',
        'CPU µs/token',
        '÷ signature',
      ],
      rows,
    },
  };
}

function memorySection(memory: readonly MemoryMeasurement[]): Section {
  return {
    title: 'Memory',
    text: `Resident memory of the server process before and right after ${memoryConnections} connections of RS256 load, on the third start of each.`,
    table: {
      head: ['Server', 'idle MB', 'after load MB', 'peak MB', 'tokens'],
      rows: memory.map(({ target, idle, afterLoad, requests }) => [
        target,
        figure(idle?.nowMegabytes),
        figure(afterLoad?.nowMegabytes),
        figure(afterLoad?.peakMegabytes),
        String(requests),
      ]),
    },
  };
}

function startSection(starts: readonly StartMeasurement[]): Section {
  const rows = [...new Set(starts.map((start) => start.target))].map((target) => {
    const own = starts.filter((start) => start.target === target);
    const first = own.map((start) => start.firstTokenMs);
    return [
      target,
      String(own.length),
      figure(median(own.map((start) => start.readyMs))),
      figure(median(first)),
      figure(Math.max(...first)),
    ];
  });
  return {
    title: 'Start',
    text: 'From the spawn of the process, on an existing database and with a warm compile cache, to ready and to the first token in the hands of a caller.',
    table: { head: ['Server', 'starts', 'ready ms', 'first token ms', 'slowest ms'], rows },
  };
}

function scaleSection(scale: readonly ScaleMeasurement[]): Section {
  const rows: string[][] = [];
  for (const engine of ['sqlite', 'postgres'] as const) {
    for (const algorithm of algorithms) {
      const same = scale.filter((each) => each.engine === engine && each.algorithm === algorithm);
      for (const clients of new Set(same.map((each) => each.clients))) {
        const rounds = same.filter((each) => each.clients === clients);
        rows.push([
          `${engine === 'sqlite' ? 'SQLite FULL' : 'PostgreSQL'}, ${algorithm}`,
          String(clients),
          figure(median(rounds.map((round) => round.tokensPerSecond))),
          figure(median(rounds.map((round) => round.p99)), 2),
          figure(median(rounds.map((round) => round.serverCpuMicros ?? Number.NaN))),
          figure(scaleRatio(scale, engine, algorithm, clients), 2),
        ]);
      }
    }
  }
  return {
    title: 'Scale',
    text:
      `${scaleConnections} connections, each request by a client drawn at random; every client has a secret and one grant ` +
      'with two scopes on the same API. The last column is the median of the ratios within each round.',
    table: { head: ['Engine', 'clients', 'tokens/s', 'p99 ms', 'CPU µs/token', '× fewest'], rows },
  };
}

function killSection(kills: readonly KillRound[], breach: string | undefined): Section {
  const rows = (['sqlite', 'postgres'] as const).map((engine) => {
    const own = kills.filter((kill) => kill.engine === engine);
    const sum = (value: (kill: KillRound) => number) => String(own.reduce((total, kill) => total + value(kill), 0));
    return [
      engine === 'sqlite' ? 'SQLite FULL' : 'PostgreSQL',
      String(own.length),
      sum((kill) => kill.tokens),
      sum((kill) => kill.revocations),
      sum((kill) => kill.changes),
      figure(median(own.map((kill) => kill.restartMs))),
    ];
  });
  return {
    title: 'Kill',
    text:
      'SIGKILL at a random moment under tokens, revocations and changes, restart, audit: every acknowledged change and ' +
      'the log event of every issued token is there, nothing acknowledged as revoked is active, the database is sound. ' +
      (breach === undefined ? 'Every round passed.' : `A round failed. ${breach}`),
    table: { head: ['Engine', 'rounds passed', 'tokens', 'revocations', 'clients and grants', 'restart ms'], rows },
  };
}
