import type { Problem } from '@sekisho/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../../kernel/errors.ts';
import { challengeFor } from '../challenge.ts';
import { problemSentence } from '../edge/problem-sentence.ts';
import { SchemaProblem } from '../edge/schema-problem.ts';
import { STATUS_CODES } from '../node-http.ts';
import { type HttpServices, logRefusedByVerb } from '../request.ts';
import { answerTo, shapeCode } from './errors-codes.ts';

type Known = { status: number; code: string; message: string; data?: Record<string, unknown> };

/** Renders every error under `/api` as problem details (RFC 9457) with Logto's members beside. */
export function nativeErrorHandler(services: HttpServices) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    await logRefusedByVerb(services, request, error);
    const known = knownOf(error, request);
    if (known.status >= 500) services.logger.error({ err: error, url: request.routeOptions.url }, 'request failed');
    const challenge = { 401: () => bearerChallenge(request, error), 403: () => scopeChallenge(request, known) }[
      known.status
    ];
    if (challenge !== undefined) reply.header('www-authenticate', challengeFor(request, error, challenge()));
    if (known.status === 503) reply.header('retry-after', '1');
    if (known.status === 429) reply.header('retry-after', String(known.data?.retryAfterSeconds ?? 60));
    void reply
      .code(known.status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(problemOf(known));
  };
}

/** The body of one error. */
export function problemOf({ status, code, message, data }: Known): Problem {
  return {
    type: `urn:sekisho:error:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    code,
    message,
    ...(data === undefined ? {} : { data }),
  };
}

function knownOf(error: unknown, request: FastifyRequest): Known {
  if (error instanceof SchemaProblem) {
    const [first] = error.problems;
    const name = first?.kind === 'required' || first?.kind === 'unknown' ? first.name : undefined;
    const path = [first?.path, name].filter((part) => part).join('.');
    const code = shapeCode(error.part, path);
    return { status: 400, code, message: problemSentence(error), data: { path, part: error.part } };
  }
  if (error instanceof DomainError) {
    // The domain calls the beginning of a page `from`, as Auth0 does.
    const path = error.code === 'input.cursor_invalid' ? 'cursor' : error.path;
    const data = { ...error.data, ...(path === undefined ? {} : { path }) };
    const { method, headers, routeOptions } = request;
    const asked = { method, route: routeOptions.url ?? '', authorization: headers.authorization };
    const [status, code] = answerTo(error, asked);
    return { status, code, message: error.message, ...(Object.keys(data).length > 0 ? { data } : {}) };
  }
  const { statusCode } = error as { statusCode?: number };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, code: 'input.malformed', message: 'The request can not be read.' };
  }
  return { status: 500, code: 'server_error', message: 'Something went wrong on our side.' };
}

/** RFC 6750 §3: no error code when there was no token at all. */
const bearerChallenge = (request: FastifyRequest, error: unknown): string =>
  (error as DomainError).code === 'auth.missing'
    ? `Bearer realm="${request.site.origin}/api"`
    : `Bearer realm="${request.site.origin}/api", error="invalid_token"`;

const scopeChallenge = (request: FastifyRequest, known: Known): string => {
  const scopes = (known.data?.scopes as string[] | undefined) ?? [];
  return `Bearer realm="${request.site.origin}/api", error="insufficient_scope", scope="${scopes.join(' ')}"`;
};
