/** How the redirecting upstreams ask: by the guard, all requests of one step under one deadline. */
import type { CustomFetchOptions } from 'oauth4webapi';
import { guardedFetch, type IncomingAnswer, OutgoingError, type OutgoingRequest } from '../guarded-fetch.ts';
import { UpstreamError, type UpstreamFailure } from '../identity.ts';
import { type UpstreamServices, upstreamDeadlineMs } from '../redirect.ts';

/** Largest answer, in bytes; the largest honest ones (keys, groups of a person) have some ten thousand. */
const maximumBytes = 2 ** 19;

/** Sends one request of a step. Throws `UpstreamError`. */
export type Send = (request: Pick<OutgoingRequest, 'method' | 'url' | 'headers' | 'body'>) => Promise<IncomingAnswer>;

/** For one step: the deadline begins now. */
export function sender({ guard }: UpstreamServices): Send {
  const end = performance.now() + upstreamDeadlineMs;
  return async (request) => {
    const deadlineMs = Math.floor(end - performance.now());
    if (deadlineMs <= 0) throw new UpstreamError('unavailable', 'The provider was late.');
    try {
      return await guardedFetch(guard, { ...request, deadlineMs, maximumBytes });
    } catch (error) {
      throw error instanceof OutgoingError ? ofOutgoing(error) : error;
    }
  };
}

/** Its causes stay behind: Node's hold what was received. */
const ofOutgoing = (error: OutgoingError): UpstreamError =>
  new UpstreamError(failureOf(error), `The provider was not heard: ${error.message}.`);

function failureOf({ reason, cause }: OutgoingError): UpstreamFailure {
  const code = String((cause as { code?: unknown } | undefined)?.code);
  if (certificateErrors.test(code)) return 'untrusted';
  return notHttp.test(code) ? 'answer_invalid' : failures[reason];
}

const failures: Record<OutgoingError['reason'], UpstreamFailure> = {
  refused: 'forbidden',
  unreachable: 'unavailable',
  late: 'unavailable',
  too_large: 'answer_invalid',
};

/** OpenSSL's words for a certificate that proves nothing, and Node's for one of another name. */
const certificateErrors = /CERT|CRL|CA$|^UNABLE_TO_(GET|VERIFY)|PATH_LENGTH|HOSTNAME_MISMATCH|INVALID_PURPOSE/;

/** Node's words for an answer that is no HTTP, or whose headers have no end; for a token that fits in no header. */
const notHttp = /^HPE_|^ERR_INVALID_CHAR$/;

/** What the library calls for a request. Of the answer's headers it gets the one it needs. */
export const fetchBy =
  (send: Send) =>
  async (url: string, options: CustomFetchOptions<string, unknown>): Promise<Response> => {
    const body = options.body === undefined || options.body === null ? {} : { body: String(options.body) };
    const method = options.method === 'POST' ? 'POST' : 'GET';
    const answer = await send({ method, url, headers: { ...options.headers, 'user-agent': 'sekisho' }, ...body });
    assertAnswered(answer);
    const type = contentType(answer);
    const bytes = answer.status === 204 || answer.status === 205 || answer.status === 304 ? null : answer.body;
    return new Response(bytes as Uint8Array<ArrayBuffer> | null, {
      status: answer.status,
      headers: type === '' ? {} : { 'content-type': type },
    });
  };

/** Out of order (5xx) and too busy are the provider's trouble; a status that is none is an answer that is none. */
export function assertAnswered({ status }: IncomingAnswer): void {
  if (status === 429 || (status >= 500 && status <= 599)) {
    throw new UpstreamError('unavailable', `The provider answered ${status}.`);
  }
  if (status < 200 || status > 599) throw new UpstreamError('answer_invalid', 'The provider answered no HTTP status.');
}

/** The media type, in lower case, without parameters. */
export const contentType = ({ headers }: IncomingAnswer): string =>
  String(headers['content-type'] ?? '')
    .split(';')[0]!
    .trim()
    .toLowerCase();

export type JsonObject = Readonly<Record<string, unknown>>;

/** The answer of a successful request as a JSON object. Throws `answer_invalid`. */
export function jsonObject(answer: IncomingAnswer): JsonObject {
  const isJson = /^application\/([\w.-]+\+)?json$/.test(contentType(answer));
  if (answer.status !== 200 || !isJson) {
    throw new UpstreamError('answer_invalid', `The provider answered ${answer.status} and no JSON.`);
  }
  const value = parseObject(answer.body.toString());
  if (value === null) throw new UpstreamError('answer_invalid', 'The provider answered no JSON object.');
  return value;
}

/** Null when it is no JSON object. */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}
