import { organizationId, organizationsOfTree } from './fill.ts';
import type { FilledServer } from './operations.ts';

/** Trees of 1000 that are hung below one root, to be moved as one. */
const treesMovedAtOnce = 10;

/** Moves a tree of 1000, and one of 10 000 where there are enough, below another root and back, `times` times each. */
export async function measureMoves(
  { api, organizations }: FilledServer,
  times: number,
): Promise<{ moved: number; ms: number[] }[]> {
  const trees = organizations / organizationsOfTree;
  if (trees < 2) return [];
  const move = async (tree: number, below: number | null) => {
    const parentId = below === null ? null : organizationId(below, 0);
    return (await api.call('POST', `/organizations/${organizationId(tree, 0)}/move`, { parentId })).ms;
  };
  const moves = async (): Promise<number[]> => {
    const ms: number[] = [];
    for (let n = 0; n < times; n++) ms.push(await move(1, trees), await move(1, null));
    return ms;
  };
  const ofThousand = await moves();
  if (trees <= treesMovedAtOnce) return [{ moved: organizationsOfTree, ms: ofThousand }];
  for (let tree = 2; tree <= treesMovedAtOnce; tree++) await move(tree, 1);
  return [
    { moved: organizationsOfTree, ms: ofThousand },
    { moved: treesMovedAtOnce * organizationsOfTree, ms: await moves() },
  ];
}
