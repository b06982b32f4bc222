import { readFileSync } from 'node:fs';

/** What a process used is read from /proc, which only Linux has; elsewhere these functions answer undefined. */
export const processFiguresNote =
  process.platform === 'linux' ? '' : 'CPU and memory of the servers are measured on Linux only.';

/** Linux reports times in hundredths of a second (USER_HZ) to user space on every platform Node runs on. */
const ticksPerSecond = 100;

/** User and system CPU seconds that a process has used so far, all its threads together. */
export function cpuSeconds(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the name in parentheses and may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export interface ResidentMemory {
  nowMegabytes: number;
  peakMegabytes: number;
}

/** Resident memory of a process, now and at its highest. Megabytes of 1 048 576 bytes. */
export function residentMemory(pid: number): ResidentMemory | undefined {
  const status = read(`/proc/${pid}/status`);
  if (status === undefined) return undefined;
  const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { nowMegabytes: megabytes('VmRSS'), peakMegabytes: megabytes('VmHWM') };
}

function read(path: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
