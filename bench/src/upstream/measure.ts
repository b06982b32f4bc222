/**
 * Section "upstream": what client credentials cost while people sign in with a directory, one that answers and one that
 * hangs; how long a sign-in waits for the latter; how long one takes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { flawlessLoad } from '../load.ts';
import { progress } from '../progress.ts';
import type { Engine } from '../server.ts';
import { median } from '../statistics.ts';
import { type Directory, oneOfRealm, startDirectory } from './directory.ts';
import { type OurApp, type Policy, startOurApp } from './ours.ts';
import { type Crowd, startCrowd } from './people.ts';

/** In the order of a round: what is compared stands side by side. */
export const states = ['healthy', 'nobody', 'hung'] as const;
/** `nobody` signs in; 64 people do, at a directory that is `healthy` or `hung`. */
export type State = (typeof states)[number];

export const ourApps = ['Sekisho, SQLite FULL', 'Sekisho, PostgreSQL'] as const;
export type AppName = (typeof ourApps)[number];

/** Each in closed loop, as the connections that ask for tokens. */
export const crowdSize = 64;
export const tokenConnections = 16;

export interface UpstreamMeasurement {
  target: AppName;
  round: number;
  state: State;
  tokensPerSecond: number;
  /** Milliseconds. */
  p99: number;
  /** Of the server, in microseconds a token, with all that it does besides; undefined where it can not be read. */
  cpuMicros: number | undefined;
  signedInPerSecond: number;
  refusedPerSecond: number;
  /** Milliseconds; 0 when nobody was refused. */
  longestRefusal: number;
}

export interface UpstreamPace {
  rounds: number;
  /** Of each state; a hung directory refuses nobody before its deadline. */
  seconds: number;
  warmupSeconds: number;
  /** One after the other, of each way to sign in. */
  signIns: number;
}

export interface UpstreamFigures {
  pace: UpstreamPace;
  measurements: UpstreamMeasurement[];
  /** Milliseconds: the median, alone on the server. */
  signIns: { target: AppName; policy: Policy; ms: number }[];
}

/** Undefined where OpenLDAP is missing. */
export async function measureUpstream(
  postgres: () => Promise<Engine>,
  pace: UpstreamPace,
): Promise<UpstreamFigures | undefined> {
  const directory = await startDirectory(crowdSize);
  if (directory === undefined) {
    progress('upstream  left out');
    return undefined;
  }
  const figures: UpstreamFigures = { pace, measurements: [], signIns: [] };
  const apps: Record<AppName, OurApp> = {
    'Sekisho, SQLite FULL': await startOurApp(ourApps[0], { kind: 'sqlite', synchronous: 'full' }, directory),
    'Sekisho, PostgreSQL': await startOurApp(ourApps[1], await postgres(), directory),
  };
  for (const target of ourApps) {
    // The first time everybody becomes a user here.
    for (const person of directory.people) await untilSignedIn(() => apps[target].signIn(person, 'ldap'));
    figures.signIns.push(...(await timeSignIns(target, apps[target], pace.signIns)));
  }
  for (let round = 1; round <= pace.rounds; round++) {
    for (const target of ourApps) {
      for (const state of states) {
        const measured = await measureState(apps[target], directory, state, pace);
        figures.measurements.push({ target, round, state, ...measured });
        progress(`upstream ${round}/${pace.rounds}  ${state}  ${target}: ${described(measured)}`);
      }
    }
  }
  for (const target of ourApps) await apps[target].server.stop();
  await directory.close();
  return figures;
}

type Measured = Omit<UpstreamMeasurement, 'target' | 'round' | 'state'>;

const described = ({ tokensPerSecond, p99, signedInPerSecond, refusedPerSecond, longestRefusal }: Measured): string =>
  `${tokensPerSecond.toFixed(0)} tokens/s, p99 ${p99.toFixed(1)} ms; a second ${signedInPerSecond.toFixed(0)} signed in, ` +
  `${refusedPerSecond.toFixed(0)} refused (the longest wait ${longestRefusal.toFixed(0)} ms)`;

async function measureState(app: OurApp, directory: Directory, state: State, pace: UpstreamPace): Promise<Measured> {
  if (state === 'hung') directory.stop();
  const crowd = state === 'nobody' ? undefined : startCrowd(app, directory.people);
  try {
    const { tokensPerSecond, p99, serverCpuMicros: cpuMicros } = await tokens(app, pace);
    return { tokensPerSecond, p99, cpuMicros, ...(await end(crowd, state)) };
  } finally {
    await crowd?.end();
    directory.resume();
    if (state === 'hung') await untilSignedIn(() => app.signIn(directory.people[0]!, 'ldap'));
  }
}

const tokens = ({ server }: OurApp, { seconds, warmupSeconds }: UpstreamPace) =>
  flawlessLoad({
    requests: server.requests('RS256'),
    connections: tokenConnections,
    warmupSeconds,
    seconds,
    algorithm: 'RS256',
    serverPid: server.pid,
  });

async function end(crowd: Crowd | undefined, state: State) {
  const ended = (await crowd?.end()) ?? { signedInPerSecond: 0, refusedPerSecond: 0, longestRefusal: 0 };
  if (state === 'hung' && ended.signedInPerSecond > 0)
    throw new Error('A directory that was stopped signed people in.');
  return ended;
}

const patienceMs = 30_000;

/** A directory that goes on has much to do at first. */
async function untilSignedIn(signIn: () => ReturnType<OurApp['signIn']>): Promise<number> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const { isSignedIn, ms } = await signIn();
    if (isSignedIn) return ms;
    await sleep(100);
  }
  throw new Error('The directory signs nobody in.');
}

async function timeSignIns(target: AppName, app: OurApp, count: number): Promise<UpstreamFigures['signIns']> {
  const figures: UpstreamFigures['signIns'] = [];
  for (const policy of app.policies) {
    const times: number[] = [];
    for (let n = 0; n <= count; n++) times.push(await untilSignedIn(() => app.signIn(oneOfRealm, policy)));
    // The first one makes the user.
    const ms = median(times.slice(1));
    figures.push({ target, policy, ms });
    progress(`upstream  ${target}: a sign-in by ${policy} ${ms.toFixed(1)} ms`);
  }
  return figures;
}

/** Tokens a second over those while nobody signs in: the median of the ratios within each round. */
export function tokenRatio({ measurements }: UpstreamFigures, target: AppName, state: State): number {
  const of = (wanted: State, round: number) =>
    measurements.find((each) => each.target === target && each.state === wanted && each.round === round)
      ?.tokensPerSecond ?? Number.NaN;
  const rounds = [...new Set(measurements.map(({ round }) => round))];
  return median(rounds.map((round) => of(state, round) / of('nobody', round)));
}

/** Milliseconds, of all rounds. */
export const longestRefusal = ({ measurements }: UpstreamFigures, target: AppName): number =>
  Math.max(
    ...measurements
      .filter((each) => each.target === target && each.state === 'hung')
      .map(({ longestRefusal }) => longestRefusal),
  );
