/**
 * Tells clients that a session ended (OpenID Connect Back-Channel Logout §2.5). A notice is a row, so that it outlives the
 * process; whoever takes it by a conditional write makes the next try.
 *
 *   due? → take it → logout token → POST ──► 2xx: done
 *                                      └──► else: again later, in the end given up; either end is logged
 */
import {
  claimNotice,
  dropNotice,
  dueNotices,
  type LogoutNotice,
  postponeNotice,
} from '../../domain/logout-notices/notices.ts';
import type { ProtocolServices } from '../context.ts';

/** How often it is looked for notices, in milliseconds. */
const everyMs = 1000;
/** How many are sent at once. */
const atOnce = 32;

/** Sends what is due, again and again until it is closed. */
export class LogoutSender {
  readonly #services: ProtocolServices;
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(services: ProtocolServices) {
    this.#services = services;
    this.#timer = setInterval(() => void this.run(), everyMs);
    this.#timer.unref();
  }

  /** Sends what is due; one round at a time. */
  run(): Promise<void> {
    this.#round ??= this.#sendAll()
      .catch((error) => this.#services.logger.error({ err: error }, 'logout notices can not be sent'))
      .finally(() => {
        this.#round = undefined;
      });
    return this.#round;
  }

  /** Waits for those on their way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  async #sendAll(): Promise<void> {
    while (!this.#closed) {
      const due = await dueNotices(this.#services, atOnce);
      if (due.length === 0) return;
      await Promise.all(due.map((notice) => this.#send(notice)));
    }
  }

  async #send(notice: LogoutNotice): Promise<void> {
    if (!(await claimNotice(this.#services, notice))) return;
    const { deliver } = await import('./deliver.ts');
    const failure = await deliver(this.#services, this.#services.outgoing, notice);
    if (failure !== undefined && !failure.final && (await postponeNotice(this.#services, notice))) return;
    await this.#log(notice, failure?.why);
    await dropNotice(this.#services, notice);
  }

  #log({ tenantId, clientId, userId, sessionId, uri }: LogoutNotice, why: string | undefined): Promise<void> {
    return this.#services.journal.appendIfTenant({
      tenantId,
      kind: why === undefined ? 'logout_notice.delivered' : 'logout_notice.failed',
      clientId,
      userId,
      description: why ?? 'logout token delivered',
      details: { uri, ...(sessionId === null ? {} : { sessionId }) },
    });
  }
}
