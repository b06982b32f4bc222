/** Programs of the machine, and of npm, that tests need. */
import { accessSync, constants } from 'node:fs';

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why npm failed: it says first what went wrong, and last where it wrote that down. */
export const npmReasonOf = (error: unknown): string =>
  /^npm error .*$/m.exec(String((error as { stderr?: string }).stderr))?.[0] ?? String(error);
