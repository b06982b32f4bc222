/**
 * `npm run bench`: our server on SQLite and PostgreSQL beside the npm package `oidc-provider`, as child processes, driven
 * by one load generator on this machine.
 *
 *   options ─ PostgreSQL ─ sections (tokens, memory, start, …, upstream, kill) ─ tables: terminal and docs/benchmarks.md
 */
import { createDatabase, startPostgres } from '../../scripts/postgres.ts';
import { cleanUpOnSignals, killChildren, onInterrupt } from './child.ts';
import { killRounds } from './kill.ts';
import { type Contestant, lineup } from './lineup.ts';
import { describeMachine } from './machine.ts';
import { measureMemory } from './memory.ts';
import { type BenchOptions, readOptions, type SectionName } from './options.ts';
import { measureOrganizations } from './organizations/measure.ts';
import { progress } from './progress.ts';
import { printReport, writeReport } from './report.ts';
import { measureScale } from './scale.ts';
import type { Figures } from './sections.ts';
import { measureSignIn } from './sign-in/measure.ts';
import { measureStarts } from './start.ts';
import { measureTokens } from './tokens.ts';
import { measureUpstream } from './upstream/measure.ts';

type Section = (figures: Figures, options: BenchOptions, postgresUrl: string) => Promise<void>;

const measure: Readonly<Record<SectionName, Section>> = {
  async tokens(figures, { pace }, postgresUrl) {
    const targets = [];
    for (const contestant of await lineup(postgresUrl)) targets.push(await contestant.prepare());
    figures.tokens = await measureTokens(targets, pace);
    for (const target of targets) await target.stop();
  },

  async memory(figures, { memorySeconds }, postgresUrl) {
    figures.memory = [];
    for (const contestant of await preparedLineup(postgresUrl)) {
      // The first two starts strip types, with a WebAssembly module that the process keeps; later ones find them stripped.
      await (await contestant.start()).stop();
      const target = await contestant.start();
      figures.memory.push(await measureMemory(target, memorySeconds));
      await target.stop();
    }
  },

  async start(figures, { starts }, postgresUrl) {
    figures.starts = await measureStarts(await preparedLineup(postgresUrl), starts);
  },

  async scale(figures, { sizes, scalePace }, postgresUrl) {
    const sqlite = await measureScale(async () => ({ kind: 'sqlite', synchronous: 'full' }), sizes, scalePace);
    const postgres = await measureScale(
      async () => ({ kind: 'postgres', url: await createDatabase(postgresUrl) }),
      sizes,
      scalePace,
    );
    figures.scale = [...sqlite, ...postgres];
  },

  async organizations(figures, { organizations: pace }, postgresUrl) {
    const sqlite = await measureOrganizations(async () => ({ kind: 'sqlite', synchronous: 'full' }), pace);
    figures.organizations = [sqlite];
    const engineOf = async () => ({ kind: 'postgres' as const, url: await createDatabase(postgresUrl) });
    figures.organizations.push(await measureOrganizations(engineOf, pace));
  },

  async 'sign-in'(figures, { pace }, postgresUrl) {
    const engineOf = async () => ({ kind: 'postgres' as const, url: await createDatabase(postgresUrl) });
    figures.signIn = await measureSignIn(engineOf, pace);
  },

  async upstream(figures, { upstream: pace }, postgresUrl) {
    const engineOf = async () => ({ kind: 'postgres' as const, url: await createDatabase(postgresUrl) });
    figures.upstream = await measureUpstream(engineOf, pace);
  },

  async kill(figures, { killRounds: rounds }, postgresUrl) {
    figures.kills = [];
    for (const engine of ['sqlite', 'postgres'] as const) {
      await killRounds({
        engine,
        rounds,
        postgresUrl: await createDatabase(postgresUrl),
        onRound: (round) => {
          figures.kills?.push(round);
          const { tokens, revocations, changes, killedAfterMs } = round;
          const audited = `${tokens} tokens, ${revocations} revocations, ${changes} changes`;
          progress(`kill ${round.round}/${rounds}  ${engine}, after ${killedAfterMs} ms: ${audited} audited`);
        },
      }).catch((error: Error) => {
        figures.breach = [figures.breach, error.message].filter(Boolean).join(' ');
        throw error;
      });
    }
  },
};

/** Everybody registered on their database, and stopped again. */
async function preparedLineup(postgresUrl: string): Promise<Contestant[]> {
  const contestants = await lineup(postgresUrl);
  for (const contestant of contestants) await (await contestant.prepare()).stop();
  return contestants;
}

const options = readOptions(process.argv.slice(2));
cleanUpOnSignals();
progress(`sections: ${options.only.join(', ')}; interrupt with Ctrl-C`);
const postgres = await startPostgres({ settings: { fsync: 'on', synchronous_commit: 'on' } });
const stopPostgres = onInterrupt(() => postgres.stop());

const figures: Figures = { machine: await describeMachine(postgres.url) };
const failures: string[] = [];
for (const section of options.only) {
  // What other sections have measured is worth showing when one fails.
  await measure[section](figures, options, postgres.url).catch((error: Error) => {
    killChildren();
    failures.push(`${section}: ${error.message}`);
    progress(`${section} failed: ${error.stack}`);
  });
}
await stopPostgres();

printReport(figures);
if (options.out !== undefined && failures.length === 0) {
  writeReport(figures, options.out);
  progress(`written: ${options.out}`);
}
for (const failure of failures) process.stderr.write(`FAILED ${failure}\n`);
process.exit(failures.length === 0 ? 0 : 1);
