/**
 * Command lines that tests run and nothing else needs: npm puts each into a folder of its own below `node_modules`, the
 * first time a test asks, so that their old dependencies never are ours. None of their install scripts runs.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { npmReasonOf } from './programs.ts';

const cache = join(import.meta.dirname, '..', 'node_modules', '.cache', 'sekisho');

/** How long npm may take, in milliseconds. */
const patienceMs = 120_000;

/** A package of npm, in one version, and the program in it. */
export interface NpmTool {
  readonly name: string;
  readonly version: string;
  /** Path inside the package. */
  readonly program: string;
}

/** RHMAP's command line. */
export const fhc: NpmTool = { name: 'fh-fhc', version: '7.2.0', program: 'bin/fhc.js' };

export type InstalledTool = { readonly program: string } | { readonly missing: string };

/** Path of the program, or why it can't be had: no registry, no npm. */
export async function installTool(tool: NpmTool): Promise<InstalledTool> {
  const folder = join(cache, `${tool.name}-${tool.version}`);
  const program = join(folder, 'node_modules', tool.name, tool.program);
  if (existsSync(program)) return { program };
  try {
    await install(tool, folder);
    return { program };
  } catch (error) {
    return { missing: `${tool.name} ${tool.version} can not be installed, so it is not tested: ${npmReasonOf(error)}` };
  }
}

/** Next to where it is to be, and then there as a whole: a half-done one is never taken for it. */
async function install({ name, version, program }: NpmTool, folder: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const made = mkdtempSync(`${folder}-`);
  try {
    const quick = ['--fetch-retries=0', '--fetch-timeout=30000', '--no-audit', '--no-fund'];
    const args = ['install', '--prefix', made, '--ignore-scripts', ...quick, `${name}@${version}`];
    await promisify(execFile)('npm', args, { cwd: made, timeout: patienceMs, maxBuffer: 1 << 26 });
    if (!existsSync(join(made, 'node_modules', name, program))) throw new Error(`it has no ${program}`);
    renameSync(made, folder);
  } catch (error) {
    // Another run was faster.
    if (existsSync(join(folder, 'node_modules', name, program))) return;
    throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
