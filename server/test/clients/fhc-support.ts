/** `fhc`, RHMAP's command line, as a process of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fhc, installTool } from '../../../scripts/npm-tools.ts';

const installed = await installTool(fhc);

/** Why there is none here; false where there is one. */
export const noFhc: string | false = 'missing' in installed ? installed.missing : false;
if (noFhc !== false) console.error(noFhc);

export interface FhcRun {
  readonly code: number | null;
  /** What it prints. */
  readonly output: string;
  /** What it complains about, a line each, without its own name before it. */
  readonly errors: readonly string[];
}

export interface Fhc {
  run(...args: string[]): Promise<FhcRun>;
  close(): void;
}

/** As somebody has it who gave it a target and an API key, and never signed in. */
export function fhcFor(origin: string, key: string): Fhc {
  const home = mkdtempSync(join(tmpdir(), 'sekisho-fhc-'));
  writeFileSync(join(home, '.fhcrc'), `feedhenry = ${origin}/\nuser_api_key = ${key}\n`, { mode: 0o600 });
  return {
    run: async (...args) => {
      if ('missing' in installed) throw new Error(installed.missing);
      // Its dependencies make Node warn of what was never wrong.
      const child = spawn(process.execPath, ['--no-warnings', installed.program, ...args], {
        cwd: home,
        env: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      const lines = errors.split('\n').map((line) => line.replace(/^fhc (ERR! )?/, '').trim());
      return { code, output: output.trim(), errors: lines.filter((line) => line !== '') };
    },
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}
