import { numberedClient } from '../fill.ts';
import { flawlessLoad, type LoadResult } from '../load.ts';
import type { Server } from '../server.ts';
import { clientForm, tokenPath } from '../target.ts';
import { organizationId, organizationsOfTree } from './fill.ts';
import { type FilledServer, operations } from './operations.ts';

/** Milliseconds: the 99th percentile of tokens for an organization, alone and while lists and searches run. */
export interface BesideRound {
  round: number;
  aloneP99: number;
  besideP99: number;
  /** Lists and searches that were answered meanwhile. */
  lists: number;
}

const connections = 16;

/** What runs beside: pages by key, a search by beginning, a search by part, totals; one caller each, in a loop. */
const beside: readonly ((server: FilledServer) => Promise<unknown>)[] = [
  operations['deep page']!,
  operations['search by beginning of the name']!,
  ({ api }) => api.call('GET', '/organizations?q=00000123&page=1&page_size=20'),
  ({ api }) => api.call('GET', '/organizations?page=1&page_size=20'),
];

/** One round: alone, then with the lists. */
export async function tokensBeside(
  server: FilledServer,
  process: Server,
  round: number,
  seconds: number,
): Promise<BesideRound> {
  const alone = await load(server, process, seconds);
  let running = true;
  let lists = 0;
  const loops = beside.map(async (ask) => {
    while (running) {
      await ask(server);
      lists += 1;
    }
  });
  const busy = await load(server, process, seconds);
  running = false;
  await Promise.all(loops);
  return { round, aloneP99: alone.p99, besideP99: busy.p99, lists };
}

/** Tokens for a leaf of each client's own tree. */
function load(server: FilledServer, process: Server, seconds: number): Promise<LoadResult> {
  const form = clientForm(numberedClient('{n}'), {
    audience: server.audience,
    organization: organizationId('{n}', organizationsOfTree - 1),
  }).replaceAll('%7Bn%7D', '{n}');
  return flawlessLoad({
    requests: { port: server.port, path: tokenPath, form, count: server.organizations / organizationsOfTree },
    connections,
    warmupSeconds: 1,
    seconds,
    algorithm: 'RS256',
    serverPid: process.pid,
  });
}
