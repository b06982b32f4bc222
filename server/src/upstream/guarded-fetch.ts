/**
 * The one way out: requests of this server to addresses that others chose. https only; the address is looked up once,
 * checked, and the one that is connected to, so that a name can't change its mind in between; no redirect is followed; no
 * proxy, no cookie, no credential of ours goes along; answers are bounded in time and size.
 */
import { lookup } from 'node:dns';
import type { RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isLoopback } from '../kernel/urls.ts';
import { isAllowedAddress } from './targets.ts';

// Not imported: that would load all that the module exports, a whole HTTP client (undici) among it.
const { request: httpRequest } = process.getBuiltinModule('node:http');

export interface GuardSettings {
  /** Loopback and private networks too, and http on loopback. */
  readonly privateTargets: boolean;
}

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the lookup to the last byte, in milliseconds. */
  readonly deadlineMs: number;
  /** Largest answer, in bytes. */
  readonly maximumBytes: number;
}

export interface IncomingAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Why there is no answer. `refused`: by our own rules, so that to ask again is of no use. */
export class OutgoingError extends Error {
  readonly reason: 'refused' | 'unreachable' | 'late' | 'too_large';

  constructor(reason: OutgoingError['reason'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'OutgoingError';
    this.reason = reason;
  }
}

/** Sends a request to a target that others chose, and reads its answer, whatever its status. Throws `OutgoingError`. */
export async function guardedFetch(settings: GuardSettings, outgoing: OutgoingRequest): Promise<IncomingAnswer> {
  const url = targetOf(settings, outgoing.url);
  const signal = AbortSignal.timeout(outgoing.deadlineMs);
  try {
    return await exchange(settings, url, outgoing, signal);
  } catch (error) {
    if (error instanceof OutgoingError) throw error;
    if (signal.aborted) throw new OutgoingError('late', `no answer within ${outgoing.deadlineMs} ms`);
    throw new OutgoingError('unreachable', (error as { code?: string }).code ?? (error as Error).message, error);
  }
}

/** The target, when its scheme, and its host where that is an address, are allowed. */
function targetOf({ privateTargets }: GuardSettings, text: string): URL {
  const refuse = (why: string) => new OutgoingError('refused', why);
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') throw refuse('not an absolute URL');
  const isClear = url.protocol === 'http:' && privateTargets && isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !isClear) throw refuse('only https is possible');
  const address = url.hostname.replace(/^\[|\]$/g, '');
  // Node looks names up, addresses not: these are checked here.
  if (isIP(address) !== 0 && !isAllowedAddress(address, { privateTargets })) throw refuse('the address is not public');
  return url;
}

function exchange(
  settings: GuardSettings,
  url: URL,
  { method, headers, body, maximumBytes }: OutgoingRequest,
  signal: AbortSignal,
): Promise<IncomingAnswer> {
  const options: RequestOptions = {
    method,
    headers: {
      'user-agent': 'sekisho',
      ...headers,
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    },
    lookup: lookupAllowed(settings),
    signal,
    // A connection of its own, closed after: none that was made for another name or before a change of the settings.
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maximumBytes) return void chunks.push(chunk);
        reject(new OutgoingError('too_large', `the answer has more than ${maximumBytes} bytes`));
        request.destroy();
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.end(body);
  });
}

/** Looks a name up for the connection itself; one answer that is not allowed spoils them all. */
export const lookupAllowed =
  (settings: GuardSettings): LookupFunction =>
  (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, '', 0);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isAllowedAddress(address, settings))) {
        return done(new OutgoingError('refused', 'the name has an address that is not public'), '', 0);
      }
      if (options.all === true) return done(null, addresses);
      done(null, first.address, first.family);
    });
  };
