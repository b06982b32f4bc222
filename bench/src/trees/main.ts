/**
 * Ways to store the tree of organizations, side by side on one engine; the figures of decision record 13.
 *
 *   node bench/src/trees/main.ts --engine sqlite|postgres --organizations 1000000
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDatabase, startPostgres } from '../../../scripts/postgres.ts';
import { temporaryFolder } from '../folder.ts';
import { progress } from '../progress.ts';
import { toText } from '../table.ts';
import { closureTree } from './closure.ts';
import { type Connection, connectPostgres, connectSqlite } from './connection.ts';
import { Forest, treeSize } from './forest.ts';
import { measure } from './measure.ts';
import { pathTree } from './path.ts';
import type { Tree } from './tree.ts';

const { values } = parseArgs({
  options: { engine: { type: 'string', default: 'sqlite' }, organizations: { type: 'string', default: '10000' } },
});
const forest = new Forest(Number(values.organizations) / treeSize);
if (!(Number.isInteger(forest.trees) && forest.trees >= 2))
  throw new Error('--organizations needs thousands, from 2000.');
const { trees, stop } = values.engine === 'postgres' ? await onPostgres() : onSqlite();
try {
  for (const tree of trees) {
    const begun = performance.now();
    await tree.create(forest);
    const seconds = (performance.now() - begun) / 1000;
    await tree.connection.settle();
    progress(`${tree.name}: ${forest.size} organizations in ${seconds.toFixed(1)} s`);
    progress(describeSizes(await tree.connection.sizes()));
  }
  console.log(toText(await measure(trees, forest)));
  for (const tree of trees) {
    const faults = await tree.faults();
    if (faults !== 0) throw new Error(`${tree.name}: ${faults} organizations are not where they should be.`);
  }
} finally {
  for (const { connection } of trees) await connection.close();
  await stop();
}

function onSqlite(): { trees: Tree[]; stop(): Promise<void> } {
  const folder = temporaryFolder('trees');
  const connect = (name: string) => connectSqlite(join(folder, `${name}.sqlite`));
  return { trees: treesOver(connect('closure'), connect('path'), connect('path-apart')), stop: async () => {} };
}

async function onPostgres(): Promise<{ trees: Tree[]; stop(): Promise<void> }> {
  const postgres = await startPostgres({ settings: { fsync: 'on', synchronous_commit: 'on' } });
  const connect = async () => connectPostgres(await createDatabase(postgres.url));
  return { trees: treesOver(await connect(), await connect(), await connect()), stop: postgres.stop };
}

function treesOver(first: Connection, second: Connection, third: Connection): Tree[] {
  return [closureTree(first), pathTree(second, false), pathTree(third, true)];
}

function describeSizes(sizes: Map<string, number>): string {
  const named = [...sizes].filter(([name]) => /^(organization|closure|sqlite_autoindex)/.test(name));
  return named.map(([name, bytes]) => `  ${name} ${(bytes / 1e6).toFixed(1)} MB`).join('\n');
}
