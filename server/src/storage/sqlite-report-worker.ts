import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { ReportAnswer } from './sqlite-reports.ts';

const connection = new DatabaseSync((workerData as { file: string }).file, { readOnly: true, timeout: 5000 });

parentPort?.on('message', (query: { sql: string; parameters: SQLInputValue[] }) => {
  let answer: ReportAnswer;
  try {
    answer = { rows: connection.prepare(query.sql).all(...query.parameters) };
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number };
    answer = { error: { message, ...(errcode === undefined ? {} : { errcode }) } };
  }
  parentPort?.postMessage(answer);
});
