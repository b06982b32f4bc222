/** The process that counts and searches; it ends with the server's, or is killed at the deadline. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { ReportAnswer } from './sqlite-reports.ts';

const [, , file = ''] = process.argv;
const connection = new DatabaseSync(file, { readOnly: true, timeout: 5000 });

// A terminal's Ctrl-C reaches us too, while the server still answers what is under way.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));

process.on('message', (query: { sql: string; parameters: SQLInputValue[] }) => {
  let answer: ReportAnswer;
  try {
    answer = { rows: connection.prepare(query.sql).all(...query.parameters) };
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number };
    answer = { error: { message, ...(errcode === undefined ? {} : { errcode }) } };
  }
  process.send?.(answer);
});
