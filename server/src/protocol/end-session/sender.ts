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
/** How many are on their way at most. */
const atOnce = 32;

/** Sends what is due, again and again until it is closed. A client that is slow holds up no other one's notices. */
export class LogoutSender {
  readonly #services: ProtocolServices;
  readonly #timer: NodeJS.Timeout;
  /** Looks for notices just now. */
  #round: Promise<void> | undefined;
  readonly #onTheirWay = new Set<Promise<void>>();
  #closed = false;

  constructor(services: ProtocolServices) {
    this.#services = services;
    this.#timer = setInterval(() => void (this.#round ?? this.#startRound()), everyMs);
    this.#timer.unref();
  }

  /** Sends what is due by now; over when it is sent. */
  async run(): Promise<void> {
    // A round that goes on may have looked before the latest notice was there.
    await this.#round;
    await (this.#round ?? this.#startRound());
    await Promise.all(this.#onTheirWay);
  }

  /** Waits for those on their way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#round;
    await Promise.all(this.#onTheirWay);
  }

  #startRound(): Promise<void> {
    this.#round = this.#logged(this.#takeAll()).finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Takes all that is due, as places come free, and does not wait for what it sends. */
  async #takeAll(): Promise<void> {
    while (!this.#closed) {
      const places = atOnce - this.#onTheirWay.size;
      if (places === 0) {
        await Promise.race(this.#onTheirWay);
        continue;
      }
      const due = await dueNotices(this.#services, places);
      if (due.length === 0) return;
      await Promise.all(due.map((notice) => this.#take(notice)));
    }
  }

  async #take(notice: LogoutNotice): Promise<void> {
    if (!(await claimNotice(this.#services, notice))) return;
    const sent = this.#logged(this.#send(notice)).finally(() => this.#onTheirWay.delete(sent));
    this.#onTheirWay.add(sent);
  }

  /** Settles well: what goes wrong on our side leaves the notice for another try, when its lease is over. */
  #logged(work: Promise<void>): Promise<void> {
    return work.catch((error) => this.#services.logger.error({ err: error }, 'logout notices can not be sent'));
  }

  async #send(notice: LogoutNotice): Promise<void> {
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
