import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../statistics.ts';
import { type FilledServer, type Operation, operations } from './operations.ts';

/** Milliseconds: the 99th percentile of tokens for an organization, alone and while lists and searches run. */
export interface BesideRound {
  round: number;
  aloneP99: number;
  besideP99: number;
  /** Lists and searches that were answered meanwhile. */
  lists: number;
}

/** Tokens a second, asked for at even times whether or not the last one has come: a queue would show. */
export const tokensPerSecond = 50;
/** Each kind of list is asked for by one caller, who then rests for this long, in milliseconds. */
const restMs = 100;

/** What runs beside: pages by key, a search by beginning, a search by part of the name, a page with its total. */
const lists: readonly Operation[] = [
  operations['deep page']!,
  operations['search by beginning of the name']!,
  async ({ api }) => (await api.call('GET', '/organizations?q=00000123&page=1&page_size=20')).ms,
  async ({ api }) => (await api.call('GET', '/organizations?page=1&page_size=20')).ms,
];

/** One round: tokens alone, then the same with the lists. */
export async function tokensBeside(server: FilledServer, round: number, seconds: number): Promise<BesideRound> {
  const aloneP99 = await tokenP99(server, seconds);
  let running = true;
  let answered = 0;
  const callers = lists.map(async (list) => {
    while (running) {
      await list(server);
      answered += 1;
      await sleep(restMs);
    }
  });
  const besideP99 = await tokenP99(server, seconds);
  running = false;
  await Promise.all(callers);
  return { round, aloneP99, besideP99, lists: answered };
}

async function tokenP99(server: FilledServer, seconds: number): Promise<number> {
  const token = operations['token for an organization']!;
  const startedAt = performance.now();
  const tokens: Promise<number>[] = [];
  for (let n = 0; n < seconds * tokensPerSecond; n++) {
    await sleep(Math.max(0, startedAt + (n * 1000) / tokensPerSecond - performance.now()));
    tokens.push(token(server));
  }
  const times = (await Promise.all(tokens)).toSorted((a, b) => a - b);
  return percentile(times, 0.99);
}
