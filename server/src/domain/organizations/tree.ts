/**
 * The tree as it is stored: each organization keeps its parent, to walk up, and a path, the labels of its ancestors and
 * its own, each followed by `/`. A subtree is one range of paths, so that it is read, listed by key, moved and deleted
 * by an index (decision 0013).
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** Most organizations on the way from a root to a leaf, both counted. */
export const maximumDepth = 32;

const prefix = 'org_';
const labelLength = 16;

/** An organization's id without its prefix. */
const labelOf = (id: string): string => id.slice(prefix.length);

/** The path of an organization below this parent, or of a root. */
export const pathBelow = (parentPath: string | undefined, id: string): string => `${parentPath ?? ''}${labelOf(id)}/`;

/** Of a root 1. */
export const depthOf = (path: string): number => path.length / (labelLength + 1);

/** The ids on the way from the root to the organization itself. */
export const idsOfPath = (path: string): string[] =>
  path
    .split('/')
    .slice(0, -1)
    .map((label) => `${prefix}${label}`);

/** Whether a path lies in the subtree of `top`, the top itself included. */
export const isWithin = (path: string, top: string): boolean => path.startsWith(top);

/**
 * Whether a path column lies in the subtree of `top`, the top itself included: `0` is what follows `/`. Of a page that
 * goes on after a cursor (`continued`) the lower end is written so that no index takes it: SQLite uses one lower bound of
 * a column, and with this one it would walk over all that the pages before had.
 */
export const withinSubtree = (column: string, top: string, { continued = false } = {}): RawBuilder<SqlBool> => {
  const lower = continued ? sql`(${sql.ref(column)} || '')` : sql.ref(column);
  return sql<SqlBool>`(${lower} >= ${top} and ${sql.ref(column)} < ${`${top.slice(0, -1)}0`})`;
};
