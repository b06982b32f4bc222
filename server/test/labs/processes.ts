/** Servers of a lab: they live in a folder of their own, and end with this process, in whatever way it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const startTimeoutMs = 90_000;

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** It is ready when it accepts connections there. */
  readonly port: number;
  /** File for what it says, inside the folder. */
  readonly log: string;
}

export interface LabProcesses {
  readonly folder: string;
  launch(launch: Launch): Promise<ChildProcess>;
  /** Ends all that was launched and removes the folder. */
  close(): Promise<void>;
}

export async function startProcesses(name: string): Promise<LabProcesses> {
  const folder = await mkdtemp(join(tmpdir(), `sekisho-${name}-`));
  const guard = startGuard(folder);
  const children: ChildProcess[] = [];
  return {
    folder,
    launch: async (launch) => {
      const child = spawnInto(join(folder, launch.log), launch);
      children.push(child);
      guard.write(`${child.pid ?? ''}\n`);
      await whenListening(child, launch);
      return child;
    },
    close: async () => {
      await Promise.all(children.map(end));
      guard.write('done\n');
      guard.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function spawnInto(log: string, { command, args, env }: Launch): ChildProcess {
  const output = openSync(log, 'a');
  // Detached: Ctrl-C at the terminal goes to us, and we decide when it ends.
  const child = spawn(command, args, { env, stdio: ['ignore', output, output], detached: true });
  closeSync(output);
  child.once('error', () => {});
  child.unref();
  return child;
}

async function whenListening(child: ChildProcess, { command, port }: Launch): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline && child.exitCode === null && child.pid !== undefined) {
    if (await accepts(port)) return;
    await sleep(20);
  }
  throw new Error(`${command} did not start.`);
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.ref();
  // Nothing of a lab is worth a clean end, and one that is stopped (SIGSTOP) takes no other signal.
  child.kill('SIGKILL');
  await ended;
}

/** Exit hooks do not run when a process is killed; the end of its input tells this shell, which outlives us for a moment. */
function startGuard(folder: string): Socket {
  const script = `
    trap '' HUP INT TERM
    while read -r line; do
      [ "$line" = done ] && exit
      pids="$pids $line"
    done
    [ -n "$pids" ] && kill -KILL $pids 2>/dev/null
    rm -rf -- "$1"`;
  const shell = spawn('sh', ['-c', script, 'guard', folder], {
    cwd: '/',
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.unref();
  shell.once('error', () => {});
  const input = shell.stdin as Socket;
  input.on('error', () => {});
  input.unref();
  return input;
}
