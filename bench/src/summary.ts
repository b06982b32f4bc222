import { peerName } from './peer.ts';
import type { ScaleMeasurement } from './scale.ts';
import { median } from './statistics.ts';
import type { Algorithm } from './token.ts';
import type { TokenFigures, TokenMeasurement } from './tokens.ts';

/** Our three targets of the section "tokens"; the fourth is the peer. */
export const ours = {
  full: 'Sekisho, SQLite FULL',
  normal: 'Sekisho, SQLite NORMAL',
  postgres: 'Sekisho, PostgreSQL',
} as const;

/** Medians over the rounds of one server at one algorithm and number of connections. NaN where nothing was measured. */
export interface TokenSummary {
  tokensPerSecond: number;
  p50: number;
  p99: number;
  /** The worst of all rounds. */
  max: number;
  /** The sum of all rounds. */
  errors: number;
  serverCpuMicros: number;
  generatorCpuMicros: number;
  /** CPU a token divided by the CPU of one signature, measured in the same round. */
  signatures: number;
}

export function summarise(
  figures: TokenFigures,
  target: string,
  algorithm: Algorithm,
  connections: number,
): TokenSummary {
  const rounds = roundsOf(figures, target, algorithm, connections);
  const of = (value: (round: TokenMeasurement) => number | undefined) =>
    median(rounds.map((round) => value(round) ?? Number.NaN));
  return {
    tokensPerSecond: of((round) => round.tokensPerSecond),
    p50: of((round) => round.p50),
    p99: of((round) => round.p99),
    max: Math.max(...rounds.map((round) => round.max)),
    errors: rounds.reduce((sum, round) => sum + round.errors, 0),
    serverCpuMicros: of((round) => round.serverCpuMicros),
    generatorCpuMicros: of((round) => round.generatorCpuMicros),
    signatures: of((round) => {
      const signature = figures.signatures[algorithm][round.round - 1]?.cpuMicros;
      return round.serverCpuMicros === undefined ? undefined : round.serverCpuMicros / (signature ?? Number.NaN);
    }),
  };
}

/** One server's figure divided by another one's, within each round; the median of these. */
export function ratio(
  figures: TokenFigures,
  [target, base]: readonly [string, string],
  algorithm: Algorithm,
  connections: number,
  value: (round: TokenMeasurement) => number = (round) => round.tokensPerSecond,
): number {
  const bases = roundsOf(figures, base, algorithm, connections);
  const ratios = roundsOf(figures, target, algorithm, connections).map((round) => {
    const other = bases.find((candidate) => candidate.round === round.round);
    return other === undefined ? Number.NaN : value(round) / value(other);
  });
  return median(ratios);
}

/** A server's tokens per second over the peer's. */
export const ratioToPeer = (figures: TokenFigures, target: string, algorithm: Algorithm, connections: number) =>
  ratio(figures, [target, peerName], algorithm, connections);

/** CPU a token with `clients` clients over the CPU with the fewest, within each round; the median. */
export function scaleRatio(
  measurements: readonly ScaleMeasurement[],
  engine: ScaleMeasurement['engine'],
  algorithm: Algorithm,
  clients: number,
): number {
  const same = measurements.filter((each) => each.engine === engine && each.algorithm === algorithm);
  const fewest = Math.min(...same.map((each) => each.clients));
  const ratios = same
    .filter((each) => each.clients === clients)
    .map((each) => {
      const base = same.find((other) => other.clients === fewest && other.round === each.round);
      return (each.serverCpuMicros ?? Number.NaN) / (base?.serverCpuMicros ?? Number.NaN);
    });
  return median(ratios);
}

function roundsOf(figures: TokenFigures, target: string, algorithm: Algorithm, connections: number) {
  return figures.measurements.filter(
    (each) => each.target === target && each.algorithm === algorithm && each.connections === connections,
  );
}
