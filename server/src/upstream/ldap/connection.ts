/**
 * One short-lived connection to a directory: a request, its answer, the next request. What comes is bounded in time and
 * size, and whatever breaks the framing of RFC 4511 ends it.
 *
 *   openConnection ─ TCP ─┬─ TLS (ldaps) ──────────┬─ ask … ask ─ close
 *                         └─ ask StartTLS ─ secure ┘
 */
import type { Socket } from 'node:net';
import type { Element } from '../../kernel/der.ts';
import type { GuardSettings } from '../guarded-fetch.ts';
import { UpstreamError } from '../identity.ts';
import { expect, integer, malformed, messageLength, octets, read, readInteger, sequence, tags } from './ber.ts';
import { late, openSocket, secureSocket } from './socket.ts';
import type { LdapTarget } from './target.ts';

/** Most that a directory may say on one connection, in bytes. */
const maximumBytes = 1 << 20;
const unbindRequest = octets('', 0x42);

export class LdapConnection {
  readonly host: string;
  readonly #signal: AbortSignal;
  #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #size = 0;
  #lastId = 0;
  #failure: UpstreamError | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket, host: string, signal: AbortSignal) {
    this.host = host;
    this.#signal = signal;
    this.#socket = socket;
    signal.addEventListener('abort', this.#onAbort);
    this.#listen();
  }

  /**
   * Sends a request and reads the operations that answer it, up to the one with the tag `last`; before it only such with a
   * tag of `others` may come. Throws `answer_invalid`, `unavailable`.
   */
  async ask(request: Buffer, last: number, others: readonly number[] = []): Promise<Element[]> {
    this.#lastId += 1;
    this.#socket.write(sequence(integer(this.#lastId), request));
    const answer: Element[] = [];
    for (;;) {
      const operation = operationOf(await this.#nextMessage(), this.#lastId);
      answer.push(operation);
      if (operation.tag === last) return answer;
      if (!others.includes(operation.tag)) throw malformed('an operation that was not asked for');
    }
  }

  /** Goes on under TLS. What came before it may be anybody's, so there must be nothing. Throws `untrusted`. */
  async secure(caCertificates: string | null): Promise<void> {
    this.#socket.off('data', this.#onData).off('error', this.#onError).off('close', this.#onClose);
    if (this.#received.length > 0) throw new UpstreamError('untrusted', 'the directory speaks on before TLS');
    this.#socket = await secureSocket(this.#socket, this.host, caCertificates, this.#signal);
    this.#listen();
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    const socket = this.#socket;
    if (this.#failure !== undefined || !socket.writable) socket.destroy();
    else socket.write(sequence(integer(this.#lastId + 1), unbindRequest), () => socket.destroy());
  }

  #listen(): void {
    this.#socket.on('data', this.#onData).on('error', this.#onError).on('close', this.#onClose);
    if (this.#socket.destroyed) this.#onClose();
  }

  readonly #onAbort = () => this.#fail(late());
  readonly #onError = (error: Error) => this.#fail(new UpstreamError('unavailable', 'the connection broke', error));
  readonly #onClose = () => this.#fail(new UpstreamError('unavailable', 'the directory closed the connection'));
  readonly #onData = (chunk: Buffer) => {
    this.#size += chunk.length;
    if (this.#size > maximumBytes) return this.#fail(malformed(`it has more than ${maximumBytes} bytes`));
    this.#received = Buffer.concat([this.#received, chunk]);
    this.#wake();
  };

  #fail(failure: UpstreamError): void {
    this.#failure ??= failure;
    this.#socket.destroy();
    this.#wake();
  }

  async #nextMessage(): Promise<Buffer> {
    for (;;) {
      const length = messageLength(this.#received);
      if (length !== undefined && length > maximumBytes) throw malformed(`it announces ${length} bytes`);
      if (length !== undefined && this.#received.length >= length) {
        const message = this.#received.subarray(0, length);
        this.#received = this.#received.subarray(length);
        return message;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** The operation inside a message (RFC 4511 §4.1.1). */
function operationOf(message: Buffer, expectedId: number): Element {
  const [id, operation] = read(expect(read(message)[0], tags.sequence));
  const messageId = readInteger(id);
  // Unsolicited, and the only kind there is announces the end (RFC 4511 §4.4.1).
  if (messageId === 0) throw new UpstreamError('unavailable', 'the directory takes its leave');
  if (messageId !== expectedId || operation === undefined) throw malformed('an answer to what was not asked');
  return operation;
}

/** Connects, with TLS from the first byte on where the URL says so. Throws `forbidden`, `unavailable`, `untrusted`. */
export async function openConnection(
  guard: GuardSettings,
  { host, port, isTls }: LdapTarget,
  caCertificates: string | null,
  signal: AbortSignal,
): Promise<LdapConnection> {
  const socket = await openSocket(guard, { host, port }, signal);
  const secured = isTls ? await secureSocket(socket, host, caCertificates, signal) : socket;
  return new LdapConnection(secured, host, signal);
}
