import type { OrganizationFigures } from './organizations/measure.ts';
import { growth } from './organizations/section.ts';
import type { Figures } from './sections.ts';
import { ourPeople, type SignInFigures, signInRatio, workloads } from './sign-in/measure.ts';
import { median } from './statistics.ts';
import { ours, ratio, ratioToPeer, scaleRatio, summarise } from './summary.ts';
import { figure, type Table } from './table.ts';
import type { TokenFigures } from './tokens.ts';
import { crowdSize, longestRefusal, ourApps, tokenRatio, type UpstreamFigures } from './upstream/measure.ts';

/** What the project wants to reach, and what was measured. */
interface Goal {
  text: string;
  bound: 'at least' | 'at most';
  wanted: number;
  unit: '×' | 'MB' | 'ms' | 'lost' | 'kB';
  /** NaN or undefined: not measured. */
  measured: number | undefined;
}

const busy = [16, 64] as const;

/** Every target, with its verdict, as a table. */
export function goalTable(figures: Figures): Table {
  return {
    head: ['Target', 'wanted', 'measured', 'verdict'],
    rows: goals(figures).map((goal) => [
      goal.text,
      `${goal.bound === 'at least' ? '≥' : '≤'} ${amount(goal.wanted, goal.unit)}`,
      amount(goal.measured, goal.unit),
      verdict(goal),
    ]),
  };
}

function goals(figures: Figures): Goal[] {
  return [
    ...rateGoals(figures.tokens),
    ...costGoals(figures.tokens),
    ...footprintGoals(figures),
    ...scaleGoals(figures),
    ...organizationGoals(figures.organizations ?? []),
    ...signInGoals(figures.signIn),
    ...upstreamGoals(figures.upstream),
  ];
}

function signInGoals(figures: SignInFigures | undefined): Goal[] {
  const rounds = workloads.map(
    (workload): Goal => ({
      text: `Rounds of ${workload} a second, ${ourPeople}, over oidc-provider`,
      bound: 'at least',
      wanted: 1.2,
      unit: '×',
      measured: figures && signInRatio(figures, ourPeople, workload),
    }),
  );
  const weight: Goal = {
    text: 'Weight of the sign-in page with its style sheets',
    bound: 'at most',
    wanted: 30,
    unit: 'kB',
    measured: figures && (figures.weight.page + figures.weight.styles) / 1000,
  };
  return [...rounds, weight];
}

function upstreamGoals(figures: UpstreamFigures | undefined): Goal[] {
  return ourApps.flatMap((target): Goal[] => [
    {
      text: `Tokens/s while ${crowdSize} people sign in with a hung directory over nobody, ${target}`,
      bound: 'at least',
      wanted: 0.9,
      unit: '×',
      measured: figures && tokenRatio(figures, target, 'hung'),
    },
    {
      text: `Longest wait until a sign-in with a hung directory is refused, ${target}`,
      bound: 'at most',
      wanted: 5000,
      unit: 'ms',
      measured: figures && longestRefusal(figures, target),
    },
  ]);
}

function rateGoals(tokens: TokenFigures | undefined): Goal[] {
  const overPeer = (target: string, algorithm: 'RS256' | 'ES256', wanted: number): Goal[] =>
    busy.map((connections) => ({
      text: `${algorithm} tokens/s at ${connections} connections, ${target}, over oidc-provider`,
      bound: 'at least',
      wanted,
      unit: '×',
      measured: tokens && ratioToPeer(tokens, target, algorithm, connections),
    }));
  const overSqlite = (algorithm: 'RS256' | 'ES256'): Goal[] =>
    busy.map((connections) => ({
      text: `${algorithm} tokens/s at ${connections} connections, PostgreSQL over SQLite FULL`,
      bound: 'at least',
      wanted: 0.75,
      unit: '×',
      measured: tokens && ratio(tokens, [ours.postgres, ours.full], algorithm, connections),
    }));
  return [
    ...overPeer(ours.full, 'RS256', 1.15),
    ...overPeer(ours.normal, 'RS256', 1.25),
    ...overPeer(ours.full, 'ES256', 1.5),
    ...overSqlite('RS256'),
    ...overSqlite('ES256'),
  ];
}

function costGoals(tokens: TokenFigures | undefined): Goal[] {
  const cpu = busy.map(
    (connections): Goal => ({
      text: `RS256 CPU a token at ${connections} connections, ${ours.full}, over one signature`,
      bound: 'at most',
      wanted: 1.45,
      unit: '×',
      measured: tokens && summarise(tokens, ours.full, 'RS256', connections).signatures,
    }),
  );
  const latency = (['RS256', 'ES256'] as const).map(
    (algorithm): Goal => ({
      text: `${algorithm} p99 at 16 connections, ${ours.full}, over oidc-provider`,
      bound: 'at most',
      wanted: 1,
      unit: '×',
      measured: tokens && ratio(tokens, [ours.full, 'oidc-provider'], algorithm, 16, (round) => round.p99),
    }),
  );
  return [...cpu, ...latency];
}

function footprintGoals({ memory, starts }: Figures): Goal[] {
  const startsOf = (starts ?? []).filter((start) => start.target === ours.full);
  return [
    {
      text: `Memory after load, ${ours.full}`,
      bound: 'at most',
      wanted: 150,
      unit: 'MB',
      measured: memory?.find((each) => each.target === ours.full)?.afterLoad?.nowMegabytes,
    },
    {
      text: 'Start to ready, existing SQLite database, warm compile cache',
      bound: 'at most',
      wanted: 500,
      unit: 'ms',
      measured: median(startsOf.map((start) => start.readyMs)),
    },
    {
      text: 'Start to first token, existing SQLite database, warm compile cache',
      bound: 'at most',
      wanted: 500,
      unit: 'ms',
      measured: median(startsOf.map((start) => start.firstTokenMs)),
    },
  ];
}

function scaleGoals({ scale, kills, breach }: Figures): Goal[] {
  const million = 1_000_000;
  const cost = (['sqlite', 'postgres'] as const).flatMap((engine) =>
    (['RS256', 'ES256'] as const).map(
      (algorithm): Goal => ({
        text: `${algorithm} CPU a token with 1 000 000 clients over 10, ${engine === 'sqlite' ? 'SQLite' : 'PostgreSQL'}`,
        bound: 'at most',
        wanted: 1.15,
        unit: '×',
        measured: scale && scaleRatio(scale, engine, algorithm, million),
      }),
    ),
  );
  const rounds = kills?.length ?? 0;
  return [
    ...cost,
    {
      text: `Acknowledged and lost in ${rounds} rounds of SIGKILL under load`,
      bound: 'at most',
      wanted: 0,
      unit: 'lost',
      measured: breach !== undefined ? 1 : rounds > 0 ? 0 : undefined,
    },
  ];
}

function organizationGoals(figures: readonly OrganizationFigures[]): Goal[] {
  return figures.flatMap((ofEngine) => {
    const engine = ofEngine.operations[0]?.engine === 'postgres' ? 'PostgreSQL' : 'SQLite';
    const growths = [...new Set(ofEngine.operations.map(({ operation }) => operation))].map(
      (operation): Goal => ({
        text: `${operation}: p99 with the most organizations over the fewest, ${engine}`,
        bound: 'at most',
        wanted: 1.5,
        unit: '×',
        measured: growth(ofEngine, operation),
      }),
    );
    const largest = ofEngine.moves.at(-1);
    return [
      ...growths,
      {
        text: `p99 of tokens for an organization beside lists and searches over alone, ${engine}`,
        bound: 'at most',
        wanted: 1.2,
        unit: '×',
        measured: median(ofEngine.beside.map(({ aloneP99, besideP99 }) => besideP99 / aloneP99)),
      },
      {
        text: `Moving ${largest?.moved ?? 0} organizations, ${engine}`,
        bound: 'at most',
        wanted: 1000,
        unit: 'ms',
        measured: largest && median(largest.ms),
      },
    ];
  });
}

function amount(value: number | undefined, unit: Goal['unit']): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (unit === '×') return `${figure(value, 2)} ×`;
  return unit === 'lost' ? figure(value) : `${figure(value)} ${unit}`;
}

function verdict({ bound, wanted, measured }: Goal): string {
  if (measured === undefined || Number.isNaN(measured)) return 'not measured';
  if (bound === 'at least' ? measured >= wanted : measured <= wanted) return 'reached';
  return wanted === 0 ? 'missed' : `missed by ${figure((Math.abs(measured - wanted) / wanted) * 100, 1)} %`;
}
