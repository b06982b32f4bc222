/** Debian's packages, for what tests need and the machine has not: only as root, quietly. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const aptGet = '/usr/bin/apt-get';

/** Whether this machine is one that packages can be installed on: Debian or a relative, and we are root. */
export const canInstallPackages = (): boolean =>
  process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync(aptGet);

/** Installs a package, or several, with what they depend on; throws the last line that apt-get said. */
export async function installPackage(name: string | readonly string[], options: readonly string[] = []): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', UCF_FORCE_CONFFOLD: '1' };
  const names = [name].flat();
  const apt = (...args: string[]) =>
    promisify(execFile)(aptGet, ['-qq', '-y', '-o', 'DPkg::Lock::Timeout=120', ...args], { env, maxBuffer: 1 << 26 });
  try {
    await apt('update');
    await apt(...options, 'install', '--no-install-recommends', ...names);
  } catch (error) {
    const reason = String((error as { stderr?: string }).stderr || error).trim();
    throw new Error(`apt-get could not install ${names.join(' ')}: ${reason.split('\n').at(-1)}`);
  }
}
