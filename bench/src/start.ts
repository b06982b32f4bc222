/** Section "start": how long from the spawn of a server to its first token. */
import { progress } from './progress.ts';
import { fetchToken, type Target } from './target.ts';

export interface StartMeasurement {
  target: string;
  /** Milliseconds from the spawn to the server's word that it is ready. */
  readyMs: number;
  /** Milliseconds from the spawn to a token in the caller's hands. */
  firstTokenMs: number;
}

/** Something that can be started again and again on the data it has. */
export interface Startable {
  name: string;
  start(): Promise<Target>;
}

/** Two starts that are not counted fill the compile cache; then `starts` in turns. Every one is stopped again. */
export async function measureStarts(startables: readonly Startable[], starts: number): Promise<StartMeasurement[]> {
  const measurements: StartMeasurement[] = [];
  for (let i = -1; i <= starts; i++) {
    for (const startable of startables) {
      const measurement = await measureStart(startable);
      if (i < 1) continue;
      measurements.push(measurement);
      progress(`start ${i}/${starts}  ${startable.name}: ${measurement.firstTokenMs.toFixed(0)} ms to the first token`);
    }
  }
  return measurements;
}

async function measureStart(startable: Startable): Promise<StartMeasurement> {
  const target = await startable.start();
  await fetchToken(target.requests('RS256'));
  const firstTokenMs = performance.now() - target.spawnedAt;
  await target.stop();
  return { target: startable.name, readyMs: target.readyMs, firstTokenMs };
}
