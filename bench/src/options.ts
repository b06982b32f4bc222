import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { OrganizationPace } from './organizations/measure.ts';
import { reportFile } from './report.ts';
import type { Pace } from './tokens.ts';
import type { UpstreamPace } from './upstream/measure.ts';

export const sectionNames = [
  'tokens',
  'memory',
  'start',
  'scale',
  'organizations',
  'sign-in',
  'upstream',
  'kill',
] as const;
export type SectionName = (typeof sectionNames)[number];

export interface BenchOptions {
  only: readonly SectionName[];
  pace: Pace;
  scalePace: Pace;
  /** Clients of the section "scale". */
  sizes: readonly number[];
  organizations: OrganizationPace;
  upstream: UpstreamPace;
  starts: number;
  killRounds: number;
  memorySeconds: number;
  /** Where the report is written; undefined: only printed. */
  out: string | undefined;
}

const usage = `npm run bench -- [options]
  --quick          short rounds: shows that everything works, the figures mean little
  --only SECTION   ${sectionNames.join(', ')}; several with commas
  --rounds N       rounds of the sections tokens, sign-in, upstream and scale
  --out FILE       write the report there; a complete run without --quick writes docs/benchmarks.md
`;

/** Reads the command line. Prints the usage and ends the process when it is wrong, or when asked for help. */
export function readOptions(args: string[]): BenchOptions {
  try {
    return parse(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

function parse(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  const only = values.only.flatMap((value) => value.split(',')).map(sectionName);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds needs a number.');
  const { quick } = values;
  const complete = only.length === 0 && !quick;
  const pace = quick
    ? { rounds: rounds ?? 2, seconds: 1.5, warmupSeconds: 0.5 }
    : { rounds: rounds ?? 5, seconds: 4, warmupSeconds: 1 };
  return {
    only: only.length === 0 ? sectionNames : only,
    pace,
    scalePace: { ...pace, rounds: rounds ?? (quick ? 2 : 3) },
    sizes: quick ? [10, 1_000, 100_000] : [10, 10_000, 1_000_000],
    organizations: quick
      ? { sizes: [1000, 20_000], requests: 50, rounds: 1, seconds: 2, moves: 2, imported: 4000 }
      : { sizes: [1000, 1_000_000], requests: 400, rounds: rounds ?? 5, seconds: 8, moves: 5, imported: 100_000 },
    upstream: quick
      ? { rounds: rounds ?? 1, seconds: 6, warmupSeconds: 0.5, signIns: 5 }
      : { rounds: rounds ?? 5, seconds: 12, warmupSeconds: 1, signIns: 20 },
    starts: quick ? 3 : 9,
    killRounds: quick ? 3 : 20,
    memorySeconds: quick ? 5 : 30,
    out: values.out === undefined ? (complete ? reportFile : undefined) : resolve(values.out),
  };
}

function sectionName(text: string): SectionName {
  const name = sectionNames.find((candidate) => candidate === text);
  if (name === undefined) throw new Error(`There is no section '${text}'.`);
  return name;
}
