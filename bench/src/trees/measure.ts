/** Each operation on each tree in turn, with the same organizations, so that what disturbs one disturbs the other. */
import { progress } from '../progress.ts';
import { median, percentile } from '../statistics.ts';
import { figure, type Table } from '../table.ts';
import { type Forest, idOf } from './forest.ts';
import { children, type Tree } from './tree.ts';

interface Operation {
  name: string;
  times: number;
  /** Chooses the organizations; what it returns is timed on each tree. */
  choose(time: number): (tree: Tree) => Promise<unknown>;
}

/** A row for each operation: median and 99th percentile in milliseconds, tree by tree. */
export async function measure(trees: readonly Tree[], forest: Forest): Promise<Table> {
  const rows: string[][] = [];
  for (const { name, times, choose } of operations(forest)) {
    const taken = trees.map(() => [] as number[]);
    for (let time = 0; time < times; time += 1) {
      const run = choose(time);
      // Whoever comes second may find the processor's caches warm.
      const order = time % 2 === 0 ? trees : trees.toReversed();
      for (const tree of order) taken[trees.indexOf(tree)]!.push(await timed(() => run(tree)));
    }
    const figures = taken.flatMap((values) => {
      const p99 = percentile(
        values.toSorted((a, b) => a - b),
        0.99,
      );
      return [figure(median(values), 3), figure(p99, 3)];
    });
    rows.push([`${name} (${times})`, ...figures]);
    progress(rows.at(-1)!.join('  '));
  }
  return { head: ['ms', ...trees.flatMap(({ name }) => [`${name} p50`, 'p99'])], rows };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function operations(forest: Forest): Operation[] {
  const large = forest.root(forest.trees);
  const write = (work: (tree: Tree) => Promise<void>) => (tree: Tree) => tree.connection.transact(() => work(tree));
  const leaf = (time: number) => idOf(forest.size + time);
  const read = (name: string, choose: () => (tree: Tree) => Promise<unknown>) => ({ name, times: 1000, choose });
  const move = (name: string, times: number, id: string): Operation => ({
    name,
    times,
    choose() {
      const parent = forest.randomMiddle();
      return write((tree) => tree.move(id, parent));
    },
  });
  return [
    read('ancestors of a deep node', () => {
      const id = forest.randomDeep();
      return async (tree) => expect((await tree.ancestors(id)).length === 5);
    }),
    read('subtree of 1000: first page', () => {
      const id = forest.randomRoot();
      return async (tree) => expect((await tree.subtree(id, undefined)).length === 20);
    }),
    read('subtree of 10 000: first page', () => (tree) => tree.subtree(large, undefined)),
    read('subtree of 10 000: deep page', () => {
      const after = forest.randomOfLargeTree();
      return (tree) => tree.subtree(large, after);
    }),
    read('children page', () => {
      const id = forest.randomMiddle();
      return async (tree) => expect((await children(tree, id)).length === 4);
    }),
    read('is X below Y', () => {
      const [id, root, other] = [forest.randomDeep(), forest.randomRoot(), forest.randomMiddle()];
      const ancestor = Math.random() < 0.5 ? root : other;
      return (tree) => tree.isBelow(id, ancestor);
    }),
    {
      name: 'create a leaf',
      times: 300,
      choose(time) {
        const parent = forest.randomDeep();
        return write((tree) => tree.add(leaf(time), parent));
      },
    },
    { name: 'delete a leaf', times: 300, choose: (time) => write((tree) => tree.remove(leaf(time))) },
    // From a third level to another; only the first move begins at the top.
    move('move 1000', 100, forest.root(0)),
    move('move 10 000', 20, large),
  ];
}

function expect(holds: boolean): void {
  if (!holds) throw new Error('A tree answered wrongly.');
}
