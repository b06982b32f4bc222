/**
 * The package `kerberos`, which GSSAPI needs: an optional one, because it is compiled when it is installed. `npm test`
 * installs it beside our own packages, where only tests find it (NODE_PATH), and goes on without it where that can't be.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { canInstallPackages, installPackage } from './apt.ts';
import { npmReasonOf } from './programs.ts';

const version = '7.0.0';
const folder = join(import.meta.dirname, '..', 'node_modules', '.cache', `kerberos-${version}`);
const packages = join(folder, 'node_modules');
const built = join(packages, 'kerberos', 'build', 'Release', 'kerberos.node');
/** What its compilation takes, and the file that shows that it is there. */
const buildFiles = ['/usr/include/gssapi/gssapi_krb5.h', '/usr/bin/g++', '/usr/bin/make', '/usr/bin/python3'];
const buildPackages = ['libkrb5-dev', 'g++', 'make', 'python3'];

/** How to get it, for whoever reads that tests were skipped. */
export const kerberosMissing = `The package kerberos is missing, so nobody signs in by GSSAPI: npm test builds it (Debian: apt-get install ${buildPackages.join(' ')}).`;

/** Sees to it that it is there, and returns the folder for NODE_PATH; says so, and returns undefined, when it can't be. */
export async function installKerberos(): Promise<string | undefined> {
  if (existsSync(built)) return packages;
  try {
    if (!buildFiles.every((file) => existsSync(file)) && canInstallPackages()) await installPackage(buildPackages);
    console.error(`The package kerberos is missing: building ${version} in ${folder}.`);
    await build();
    return packages;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    console.error(`${kerberosMissing} (${npmReasonOf(error)})`);
    return undefined;
  }
}

async function build(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const manifest = {
    private: true,
    dependencies: { kerberos: version },
    // npm runs no install script that nobody has named.
    allowScripts: { [`kerberos@${version}`]: true },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const env = {
    ...process.env,
    // Compiled here, against this Node's own headers: no binary and no header is fetched.
    npm_config_build_from_source: 'true',
    ...(existsSync(join(nodeFolder(), 'include', 'node')) ? { npm_config_nodedir: nodeFolder() } : {}),
  };
  await promisify(execFile)('npm', ['install', '--prefix', folder, '--ignore-scripts=false'], {
    cwd: folder,
    env,
    maxBuffer: 1 << 26,
  });
  if (!existsSync(built)) throw new Error('npm installed it without building it');
}

const nodeFolder = (): string => dirname(dirname(realpathSync(process.execPath)));

/** What is added to the environment of tests. */
export const kerberosEnvironment = (path: string | undefined): NodeJS.ProcessEnv =>
  path === undefined ? {} : { NODE_PATH: [path, process.env.NODE_PATH].filter((part) => part).join(delimiter) };
