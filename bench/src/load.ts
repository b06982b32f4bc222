import { fork } from 'node:child_process';
import { join } from 'node:path';
import { track } from './child.ts';
import type { RequestSource } from './requests.ts';
import type { Algorithm } from './token.ts';

/** A load in closed loop: each connection sends its next request when its last one is answered. */
export interface LoadOptions {
  requests: RequestSource;
  connections: number;
  /** Answered before the measurement begins; not counted. */
  warmupSeconds: number;
  seconds: number;
  /** What the first token of the run must be signed with. */
  algorithm: Algorithm;
  /** The process whose CPU is read at both ends of the measurement. */
  serverPid: number;
}

export interface LoadResult {
  /** Answers within the measurement: 200, with an access token in the body. */
  requests: number;
  errors: number;
  firstError?: string;
  seconds: number;
  tokensPerSecond: number;
  /** Milliseconds from sending a request to the end of its answer. */
  p50: number;
  p99: number;
  max: number;
  /** CPU of the server process, all threads, in microseconds a token; undefined where it can not be read. */
  serverCpuMicros?: number;
  /** CPU of the load generator itself, in microseconds a token. */
  generatorCpuMicros: number;
  /** The first token of the run. */
  sample: string;
}

/** What the generator sends back. */
export type LoadMessage = { result: LoadResult } | { failure: string };

/** Runs one load in a process of its own. Throws when the first answer is no token, or the generator fails. */
export function load(options: LoadOptions): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'generator.ts'), { execArgv: [], serialization: 'advanced' });
    track(child);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The load generator ended with code ${code}.`)));
    child.once('message', (message: LoadMessage) => {
      if ('result' in message) resolve(message.result);
      else reject(new Error(message.failure));
    });
    child.send(options);
  });
}

/** The same for loads in which every answer must be a token. Throws at the first that is not. */
export async function flawlessLoad(options: LoadOptions): Promise<LoadResult> {
  const result = await load(options);
  if (result.errors > 0) throw new Error(`${result.errors} requests failed, the first with: ${result.firstError}`);
  return result;
}
