/**
 * The organizations of the benchmark, by number, so that none is kept in memory: trees of 1000 with depth 6 (each node
 * has up to four children), and behind them one tree of 10 000 with depth 6 (up to seven).
 */
import { createHash } from 'node:crypto';

export const treeSize = 1_000;
export const largeTreeSize = 10_000;
const fanOut = 4;
const largeFanOut = 7;
/** Within a tree of 1000: the first node of the deepest level, and of the fourth. */
const firstOfLevel6 = 341;
const firstOfLevel4 = 21;

export interface Organization {
  number: number;
  id: string;
  parentId: string | null;
  path: string;
}

/** `trees` trees of 1000 and the one of 10 000. */
export class Forest {
  readonly trees: number;

  constructor(trees: number) {
    this.trees = trees;
  }

  get size(): number {
    return this.trees * treeSize + largeTreeSize;
  }

  /** The root of tree `tree`; tree number `trees` is the large one. */
  root(tree: number): string {
    return idOf(tree * treeSize);
  }

  /** A node of the deepest level of a tree of 1000, never of the first tree: that one is moved about. */
  randomDeep(): string {
    return idOf(this.#randomTree() * treeSize + between(firstOfLevel6, treeSize));
  }

  /** A node of the third level of such a tree. */
  randomMiddle(): string {
    return idOf(this.#randomTree() * treeSize + between(fanOut + 1, firstOfLevel4));
  }

  randomRoot(): string {
    return this.root(this.#randomTree());
  }

  randomOfLargeTree(): string {
    return idOf(this.trees * treeSize + between(1, largeTreeSize));
  }

  /** All of them, each after its parent, in blocks of 1000. */
  *blocks(): Generator<Organization[]> {
    const paths = new Map<number, string>();
    for (let start = 0; start < this.size; start += treeSize) {
      if (start <= this.trees * treeSize) paths.clear();
      const block: Organization[] = [];
      for (let number = start; number < start + treeSize; number += 1) {
        const parent = this.#parentOf(number);
        const path = `${parent === undefined ? '' : paths.get(parent)}${labelOf(idOf(number))}/`;
        paths.set(number, path);
        block.push({ number, id: idOf(number), parentId: parent === undefined ? null : idOf(parent), path });
      }
      yield block;
    }
  }

  #parentOf(number: number): number | undefined {
    const tree = Math.min(Math.floor(number / treeSize), this.trees);
    const root = tree * treeSize;
    if (number === root) return undefined;
    return root + Math.floor((number - root - 1) / (tree === this.trees ? largeFanOut : fanOut));
  }

  #randomTree(): number {
    return between(1, this.trees);
  }
}

/** As random as real ids, but the same in every run. */
export const idOf = (number: number): string =>
  `org_${createHash('sha256').update(String(number)).digest('hex').slice(0, 16)}`;

/** What stands for an organization in a path: 16 characters, none of them `/`. */
export const labelOf = (id: string): string => id.slice(4);

/** A random integer, `end` excluded. */
const between = (start: number, end: number): number => start + Math.floor(Math.random() * (end - start));
