/** Section "kill": SIGKILL at a random moment under load, restart, and an audit that nothing acknowledged is lost. */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditAnswers, auditDatabase } from './audit.ts';
import { keepFolder, removeFolder, temporaryFolder } from './folder.ts';
import { Ledger } from './ledger.ts';
import { newInstallation, type Server, startRegistered, startServer } from './server.ts';
import type { Credentials } from './target.ts';
import { runTraffic } from './traffic.ts';

export interface KillOptions {
  engine: 'sqlite' | 'postgres';
  rounds: number;
  /** An empty database; needed for the engine `postgres`. */
  postgresUrl?: string;
  /** Called after each round that has passed its audit. */
  onRound?: (round: KillRound) => void;
}

export interface KillRound {
  round: number;
  engine: KillOptions['engine'];
  /** Milliseconds from the start of the load to the kill. */
  killedAfterMs: number;
  /** Milliseconds from the new spawn to ready, recovery of the database included. */
  restartMs: number;
  /** Acknowledged in this round. */
  tokens: number;
  revocations: number;
  changes: number;
}

const killBetweenMs = [200, 1500] as const;

/**
 * Plays the rounds one after the other on the same database; each audits its own ledger, and the last one all of them.
 * Throws at the first breach with what was lost, in which round, and where the data is kept for a look.
 */
export async function killRounds(options: KillOptions): Promise<KillRound[]> {
  const { engine, rounds } = options;
  const folder = temporaryFolder(`kill-${engine}`);
  const installation = await newInstallation(`kill ${engine}`, folder, engineOf(options));
  const passed: KillRound[] = [];
  const ledgers: Ledger[] = [];
  const registered = await startRegistered(installation);
  const { client } = registered;
  let server: Server = registered;
  for (let round = 1; round <= rounds; round++) {
    const ledger = new Ledger();
    ledgers.push(ledger);
    const killAfterMs = randomInt(...killBetweenMs);
    try {
      await killUnderLoad(server, client, ledger, killAfterMs);
      server = await startServer(installation);
      const audited = round === rounds ? ledgers : [ledger];
      for (const each of audited) await auditAnswers(installation, client, each);
      await auditDatabase(installation, client, ledgers);
    } catch (error) {
      keepFolder(folder);
      await server.kill();
      const where = `Round ${round} of ${rounds} on ${engine}, killed after ${killAfterMs} ms`;
      throw new Error(`${where}: ${(error as Error).message} (data kept in ${folder})`, { cause: error });
    }
    const { revocations, changes, tokens } = ledger;
    const result: KillRound = {
      round,
      engine,
      killedAfterMs: killAfterMs,
      restartMs: server.readyMs,
      tokens: tokens.size,
      revocations,
      changes,
    };
    passed.push(result);
    options.onRound?.(result);
  }
  await server.stop();
  removeFolder(folder);
  return passed;
}

function engineOf(options: KillOptions) {
  if (options.engine === 'sqlite') return { kind: 'sqlite', synchronous: 'full' } as const;
  if (options.postgresUrl === undefined) throw new Error('The engine postgres needs the URL of an empty database.');
  return { kind: 'postgres', url: options.postgresUrl } as const;
}

async function killUnderLoad(server: Server, client: Credentials, ledger: Ledger, afterMs: number): Promise<void> {
  const killed = new AbortController();
  const traffic = runTraffic(server.installation, client, ledger, killed.signal);
  // A refusal ends the load early; it is reported at once and not after the wait.
  await Promise.race([sleep(afterMs), traffic]);
  killed.abort();
  await server.kill();
  await traffic;
}
