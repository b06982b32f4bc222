/**
 * Every error has one body, `{status: "error", message}`. What the clients are to show comes with HTTP 200: with any other
 * status `$fh.auth` hands its callers the word "error" instead of the message, and fhc prints the raw body.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, type ErrorKind } from '../../kernel/errors.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { challengeFor } from '../challenge.ts';
import { type HttpServices, logRefusedByVerb } from '../request.ts';
import { codeOf, malformedSentence, sentenceOf } from './words.ts';

export const failure = (message: string) => ({ status: 'error', message }) as const;

/** The kinds that say who may call, or that nobody can just now; all others are news for whoever called. */
const statuses: { readonly [Kind in ErrorKind]?: number } = {
  unauthenticated: 401,
  forbidden: 403,
  limited: 429,
  unavailable: 503,
};

interface Answer {
  readonly status: number;
  readonly message: string;
  readonly retryAfterSeconds?: number | undefined;
}

export function rhmapErrorHandler(services: HttpServices) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    await logRefusedByVerb(services, request, error);
    const { status, message, retryAfterSeconds } = answerTo(error, request);
    if (status >= 500) services.logger.error({ err: error, url: request.routeOptions.url }, 'request failed');
    if (status === 401 || status === 403) reply.header('www-authenticate', challenge(request, error));
    if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
    void reply.code(status).send(failure(message));
  };
}

function answerTo(error: unknown, request: FastifyRequest): Answer {
  if (error instanceof Refusal) {
    // 200 also for too many tries: the app's people see the code only then; Retry-After says when to come back.
    return { status: 200, message: codeOf(error.reason), retryAfterSeconds: error.data.retryAfterSeconds };
  }
  if (error instanceof DomainError) return answerToDomain(error, request);
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 413) return { status: 413, message: 'Request body is too large' };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, message: 'The request can not be read' };
  }
  return { status: 500, message: 'Something went wrong on our side' };
}

function answerToDomain(error: DomainError, request: FastifyRequest): Answer {
  if (error.code === 'input.malformed') return { status: 400, message: malformedSentence(error.message) };
  const status = statuses[error.kind] ?? 200;
  const message = error.code === 'auth.invalid_token' ? badCredential(request) : sentenceOf(error, request.body);
  const { retryAfterSeconds } = error.data;
  if (status === 429) return { status, message, retryAfterSeconds: Number(retryAfterSeconds ?? 60) };
  return { status, message, ...(status === 503 ? { retryAfterSeconds: 1 } : {}) };
}

const badCredential = ({ headers }: FastifyRequest): string =>
  headers['x-fh-auth-user'] === undefined ? 'Invalid access token' : 'Invalid API key';

/** RFC 9110 §15.5.2: a 401 says how to authenticate; the API key has no scheme of its own. */
function challenge(request: FastifyRequest, error: unknown): string {
  const realm = `Bearer realm="${request.site.origin}/api"`;
  const { code, data } = error as DomainError;
  if (code === 'auth.missing') return realm;
  if (code === 'auth.invalid_token' || code === 'auth.dpop_proof_invalid') {
    return challengeFor(request, error, `${realm}, error="invalid_token"`);
  }
  const scopes = Array.isArray(data.scopes) ? `, scope="${data.scopes.join(' ')}"` : '';
  return challengeFor(request, error, `${realm}, error="insufficient_scope"${scopes}`);
}
