import { median } from '../statistics.ts';
import { figure, type Section } from '../table.ts';
import { tokensPerSecond } from './beside.ts';
import type { OrganizationFigures } from './measure.ts';

const nameOf = { sqlite: 'SQLite FULL', postgres: 'PostgreSQL' } as const;

export function organizationSections(figures: readonly OrganizationFigures[]): Section[] {
  return [operationSection(figures), besideSection(figures), moveSection(figures), importSection(figures)];
}

/** The 99th percentile with the most organizations over the one with the fewest. */
export function growth(figures: OrganizationFigures, operation: string): number {
  const rows = figures.operations.filter((each) => each.operation === operation);
  return (rows.at(-1)?.p99 ?? Number.NaN) / (rows[0]?.p99 ?? Number.NaN);
}

function operationSection(figures: readonly OrganizationFigures[]): Section {
  const rows = figures.flatMap((ofEngine) =>
    ofEngine.operations.map(({ engine, operation, organizations, p50, p99 }) => [
      `${nameOf[engine]}: ${operation}`,
      String(organizations),
      figure(p50, 2),
      figure(p99, 2),
      organizations === ofEngine.operations[0]?.organizations ? '' : figure(growth(ofEngine, operation), 2),
    ]),
  );
  return {
    title: 'Organizations',
    text:
      'Trees of 1000 organizations on six levels, as many users as organizations, two memberships a user, a machine ' +
      'client at each root whose role counts below. One request after the other over HTTP, at random places, the two ' +
      'sizes in turn; milliseconds at the caller. Pages and the search are by cursor. The last column is the 99th ' +
      'percentile over that with the fewest.',
    table: { head: ['Request', 'organizations', 'p50 ms', 'p99 ms', '× fewest'], rows },
  };
}

function besideSection(figures: readonly OrganizationFigures[]): Section {
  return {
    title: 'Tokens beside lists',
    text:
      `${tokensPerSecond} tokens for an organization a second, at even times, with the most organizations: alone, and ` +
      'while four callers ask for a deep page, a search by beginning, a search by part of the name, and a first page ' +
      'with its total, each with a rest of 100 ms.',
    table: {
      head: ['Engine', 'round', 'p99 ms alone', 'p99 ms beside lists', 'lists answered'],
      rows: figures.flatMap(({ beside }) =>
        beside.map((each) => [
          nameOf[each.engine],
          String(each.round),
          figure(each.aloneP99, 1),
          figure(each.besideP99, 1),
          String(each.lists),
        ]),
      ),
    },
  };
}

function moveSection(figures: readonly OrganizationFigures[]): Section {
  return {
    title: 'Moves',
    text: 'A tree moved below another root and back, with the most organizations.',
    table: {
      head: ['Engine', 'moved', 'moves', 'median ms', 'slowest ms'],
      rows: figures.flatMap(({ moves }) =>
        moves.map(({ engine, moved, ms }) => [
          nameOf[engine],
          String(moved),
          String(ms.length),
          figure(median(ms)),
          figure(Math.max(...ms)),
        ]),
      ),
    },
  };
}

function importSection(figures: readonly OrganizationFigures[]): Section {
  return {
    title: 'Import',
    text:
      'Organizations with two members each, 1000 a request, one request after the other, into the database with the ' +
      'most organizations. Memory is that of the server process at the beginning and after each quarter.',
    table: {
      head: ['Engine', 'organizations', 'organizations/s', 'MB'],
      rows: figures.flatMap(({ imports }) =>
        imports.map(({ engine, organizations, perSecond, megabytes }) => [
          nameOf[engine],
          String(organizations),
          figure(perSecond),
          megabytes.map((each) => figure(each)).join(' → '),
        ]),
      ),
    },
  };
}
