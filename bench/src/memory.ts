/** Section "memory": what a server holds after a load, on a start with a warm compile cache. */
import { flawlessLoad } from './load.ts';
import { type ResidentMemory, residentMemory } from './process.ts';
import { progress } from './progress.ts';
import type { Target } from './target.ts';

export interface MemoryMeasurement {
  target: string;
  /** Before the load, and right after it. Undefined where it can not be read. */
  idle: ResidentMemory | undefined;
  afterLoad: ResidentMemory | undefined;
  requests: number;
}

export const memoryConnections = 64;

/** Loads a server for `seconds` at 64 connections, RS256. */
export async function measureMemory(target: Target, seconds: number): Promise<MemoryMeasurement> {
  progress(`memory  ${target.name}: ${seconds} s of load`);
  const idle = residentMemory(target.pid);
  const { requests } = await flawlessLoad({
    requests: target.requests('RS256'),
    connections: memoryConnections,
    warmupSeconds: 0,
    seconds,
    algorithm: 'RS256',
    serverPid: target.pid,
  });
  return { target: target.name, idle, afterLoad: residentMemory(target.pid), requests };
}
