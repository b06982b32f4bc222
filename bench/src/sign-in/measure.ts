/** Section "sign-in": authorization-code rounds and refreshes beside the peer, a password's cost, a page's weight. */
import { peerName } from '../peer.ts';
import { progress } from '../progress.ts';
import type { Engine } from '../server.ts';
import { median, percentile } from '../statistics.ts';
import { type OurPeople, type PageWeight, startOurPeople } from './ours.ts';
import { startPeoplePeer } from './peer.ts';
import { codeRound, type PeopleTarget, refreshRound } from './rounds.ts';

export const workloads = ['authorization code', 'refresh token'] as const;
export type Workload = (typeof workloads)[number];

export interface PeopleMeasurement {
  target: string;
  workload: Workload;
  round: number;
  perSecond: number;
  p50: number;
  p99: number;
}

export interface SignInFigures {
  measurements: PeopleMeasurement[];
  rounds: number;
  seconds: number;
  connections: number;
  /** Milliseconds of the sign-in form, one after the other. */
  signInMs: number;
  weight: PageWeight;
}

export const ourPeople = 'Sekisho, SQLite FULL';
export const ourPeopleOnPostgres = 'Sekisho, PostgreSQL';
const connections = 16;
/** How often the sign-in form is timed. */
const signIns = 15;

export async function measureSignIn(
  postgres: () => Promise<Engine>,
  pace: { rounds: number; seconds: number; warmupSeconds: number },
): Promise<SignInFigures> {
  const ours = await startOurPeople(ourPeople, { kind: 'sqlite', synchronous: 'full' });
  const onPostgres = await startOurPeople(ourPeopleOnPostgres, await postgres());
  const targets: PeopleTarget[] = [ours, onPostgres, await startPeoplePeer()];
  const measurements: PeopleMeasurement[] = [];
  for (const target of targets) for (const workload of workloads) await run(target, workload, pace.warmupSeconds);
  for (let round = 1; round <= pace.rounds; round++) {
    for (const workload of workloads) {
      for (const target of targets) {
        const measured = { target: target.name, workload, round, ...(await run(target, workload, pace.seconds)) };
        measurements.push(measured);
        progress(
          `sign-in ${round}/${pace.rounds}  ${workload}  ${target.name}: ${measured.perSecond.toFixed(0)} a second`,
        );
      }
    }
  }
  const signInMs = await timeSignIns(ours);
  for (const target of targets) {
    target.browser.close();
    await target.stop();
  }
  const { rounds, seconds } = pace;
  return { measurements, rounds, seconds, connections, signInMs, weight: ours.weight };
}

/** Keeps `connections` callers busy, each in closed loop. */
async function run(target: PeopleTarget, workload: Workload, seconds: number) {
  const { refresh_token: refreshToken } = await codeRound(target);
  const until = performance.now() + seconds * 1000;
  const startedAt = performance.now();
  const times: number[] = [];
  const caller = async () => {
    while (performance.now() < until) {
      const begun = performance.now();
      if (workload === 'refresh token') await refreshRound(target, refreshToken);
      else await codeRound(target);
      times.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: connections }, caller));
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  const sorted = times.toSorted((a, b) => a - b);
  return { perSecond: times.length / elapsedSeconds, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

async function timeSignIns(ours: OurPeople): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < signIns; n++) times.push(await ours.timeSignIn());
  return median(times);
}

/** Ours over the peer: the median of the ratios within each round. */
export function signInRatio({ measurements }: SignInFigures, target: string, workload: Workload): number {
  const of = (name: string, round: number) =>
    measurements.find((each) => each.target === name && each.workload === workload && each.round === round)
      ?.perSecond ?? Number.NaN;
  const rounds = [...new Set(measurements.map(({ round }) => round))];
  return median(rounds.map((round) => of(target, round) / of(peerName, round)));
}
