import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectFolder } from './folder.ts';
import { goalTable } from './goals.ts';
import type { Machine } from './machine.ts';
import { processFiguresNote } from './process.ts';
import { type Figures, sections } from './sections.ts';
import { type Table, toMarkdown, toText } from './table.ts';

/** Where a complete run is written to. */
export const reportFile = join(projectFolder, 'docs', 'benchmarks.md');

/** What a person has to say about the figures, such as what was tried where one is missed; taken over as it is. */
const notesFile = join(projectFolder, 'bench', 'notes.md');

/** Prints all tables to stdout. */
export function printReport(figures: Figures): void {
  const blocks = [toText(machineTable(figures.machine))];
  for (const { title, table } of sections(figures)) blocks.push(`${title}\n${toText(table)}`);
  blocks.push(`Targets\n${toText(goalTable(figures))}`);
  if (processFiguresNote !== '') blocks.push(processFiguresNote);
  process.stdout.write(`\n${blocks.join('\n\n')}\n`);
}

/** Writes the same as Markdown, with what each table means. */
export function writeReport(figures: Figures, file: string): void {
  const blocks = [
    '# Benchmarks',
    'Written by `npm run bench`; the next run replaces it. Figures are of one machine on one day: compare rows with each other, not with other machines.',
    toMarkdown(machineTable(figures.machine)),
  ];
  if (processFiguresNote !== '') blocks.push(processFiguresNote);
  blocks.push('## Targets', toMarkdown(goalTable(figures)));
  for (const { title, text, table } of sections(figures)) blocks.push(`## ${title}`, text, toMarkdown(table));
  if (existsSync(notesFile)) blocks.push('## Notes', readFileSync(notesFile, 'utf8').trim());
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${blocks.join('\n\n')}\n`);
}

function machineTable(machine: Machine): Table {
  return {
    head: ['Run', ''],
    rows: [
      ['Date', machine.date],
      ['Commit', machine.commit],
      ['CPU', `${machine.cpu}, ${machine.cores} cores`],
      ['Memory', `${machine.memoryGigabytes.toFixed(1)} GiB`],
      ['System', machine.kernel],
      ['Node', machine.node],
      ['PostgreSQL', machine.postgres],
      ['fdatasync of 4 KiB', `${machine.syncMs.toFixed(2)} ms`],
    ],
  };
}
