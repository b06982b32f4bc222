/** Section "tokens": what each server answers, side by side in interleaved rounds. */
import { type LoadResult, load } from './load.ts';
import { progress } from './progress.ts';
import { measureSignature, type SignatureCost } from './signature.ts';
import type { Target } from './target.ts';
import { type Algorithm, algorithms, verifySignature } from './token.ts';

export const connectionCounts = [1, 16, 64] as const;

export interface Pace {
  rounds: number;
  seconds: number;
  warmupSeconds: number;
}

export interface TokenMeasurement extends LoadResult {
  round: number;
  target: string;
  algorithm: Algorithm;
  connections: number;
}

export interface TokenFigures {
  pace: Pace;
  measurements: TokenMeasurement[];
  /** One for each round. */
  signatures: Record<Algorithm, SignatureCost[]>;
}

/**
 * In every round each server is measured at the same algorithm and number of connections right after the other, so that
 * a machine that gets slower or faster meanwhile does so for all; ratios are taken within a round.
 */
export async function measureTokens(targets: readonly Target[], pace: Pace): Promise<TokenFigures> {
  const figures: TokenFigures = { pace, measurements: [], signatures: { RS256: [], ES256: [] } };
  await warmUp(targets, pace);
  for (let round = 1; round <= pace.rounds; round++) {
    for (const algorithm of algorithms) {
      const signature = await measureSignature(algorithm, pace.seconds / 2);
      figures.signatures[algorithm].push(signature);
      progress(`tokens ${round}/${pace.rounds}  ${algorithm} signature  ${signature.cpuMicros.toFixed(0)} µs CPU`);
      for (const connections of connectionCounts) {
        for (const target of targets) {
          const result = await measure(target, algorithm, connections, pace);
          figures.measurements.push({ ...result, round, target: target.name, algorithm, connections });
          const rate = `${result.tokensPerSecond.toFixed(0)} tokens/s${mishaps(result)}`;
          progress(`tokens ${round}/${pace.rounds}  ${algorithm} × ${connections}  ${target.name}: ${rate}`);
        }
      }
    }
  }
  return figures;
}

const mishaps = ({ errors, firstError }: LoadResult): string =>
  errors === 0 ? '' : `, ${errors} errors, the first: ${firstError}`;

function measure(target: Target, algorithm: Algorithm, connections: number, pace: Pace): Promise<LoadResult> {
  const { seconds, warmupSeconds } = pace;
  const requests = target.requests(algorithm);
  return load({ requests, connections, warmupSeconds, seconds, algorithm, serverPid: target.pid });
}

/** Lets every server compile its hot code, and proves once that its tokens are signed as they say. */
async function warmUp(targets: readonly Target[], pace: Pace): Promise<void> {
  for (const target of targets) {
    progress(`tokens  warming up ${target.name}`);
    for (const algorithm of algorithms) {
      const { sample } = await measure(target, algorithm, 16, { ...pace, seconds: pace.seconds / 2 });
      await verifySignature(sample, algorithm, target.jwksUrl);
    }
  }
}
