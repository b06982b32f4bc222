import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LogKind } from '../../domain/logs/kinds.ts';
import { DomainError } from '../../kernel/errors.ts';
import { dpopAlgorithms } from '../../protocol/binding/dpop.ts';
import { Refusal } from '../../protocol/refusal.ts';
import type { HttpServices } from '../request.ts';
import { statusOf } from '../status.ts';
import type { OAuthAnswer } from './error-table.ts';
import type { Issuer } from './issuer.ts';

/** Renders every error of an issuer's endpoints in its shape; what is not ours to tell is logged only. */
export function oauthErrorHandler(services: HttpServices, issuer: Issuer) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const answer = answerOf(issuer, error);
    if (!(error instanceof Refusal) && answer.status < 500) {
      const kind = isTokenEndpoint(issuer, request) ? 'token.refused' : 'endpoint.refused';
      await logUnreadable(services, kind, request, error);
    }
    if (answer.status >= 500) services.logger.error({ err: error, url: request.routeOptions.url }, 'request failed');
    if (answer.status === 401 && /^basic/i.test(request.headers.authorization ?? '')) {
      reply.header('www-authenticate', 'Basic realm="sekisho"');
    }
    if (isOfUserinfo(error)) reply.header('www-authenticate', challengeOf(answer));
    if (answer.status === 503) reply.header('retry-after', '1');
    if (error instanceof Refusal && error.data.retryAfterSeconds !== undefined) {
      const { limit, retryAfterSeconds } = error.data;
      reply.header('retry-after', String(retryAfterSeconds));
      reply.header('x-ratelimit-limit', String(limit));
      reply.header('x-ratelimit-remaining', '0');
      reply.header('x-ratelimit-reset', String(Math.ceil(services.clock.now() / 1000) + retryAfterSeconds));
    }
    void reply
      .code(answer.status)
      .header('content-type', 'application/json; charset=utf-8')
      .send(issuer.errorBody(answer, request));
  };
}

const isOfUserinfo = (error: unknown): boolean => error instanceof Refusal && /^userinfo_/.test(error.reason);

/** RFC 6750 §3, RFC 9449 §7.1. */
const challengeOf = ({ error, scope }: OAuthAnswer): string => {
  const parameters = `error="${error}"${scope === undefined ? '' : `, scope="${scope}"`}`;
  return `Bearer ${parameters}, DPoP ${parameters}, algs="${dpopAlgorithms.join(' ')}"`;
};

/** A request that was refused before the protocol could read it leaves its event like any other refusal. */
export async function logUnreadable(
  services: HttpServices,
  kind: LogKind,
  request: FastifyRequest,
  error: unknown,
): Promise<void> {
  const { tenantId } = request.site;
  const ip = request.origin.ip ?? '';
  if (services.limits.blocked(tenantId, undefined, ip) !== undefined) {
    return services.limits.countRefused(tenantId, undefined, ip);
  }
  services.limits.countFailure(tenantId, undefined, ip);
  await services.journal.appendIfTenant({
    tenantId,
    kind,
    reason: namesResource(error) ? 'target_invalid' : 'parameter_invalid',
    description: (error as Error).message,
    ...request.origin,
  });
}

/** What is wrong with a request that a browser brought is shown to the person, and logged where nothing else logs it. */
export const errorPageHandler =
  (services: HttpServices, kind: LogKind) =>
  async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (error instanceof DomainError && statusOf[error.kind] < 500) await logUnreadable(services, kind, request, error);
    const { errorPage } = await import('../pages/errors.ts');
    await errorPage(services, request, reply, error);
  };

const isTokenEndpoint = ({ paths }: Issuer, request: FastifyRequest): boolean =>
  paths.token.some((path) => path === request.routeOptions.url);

/** RFC 8707 §2: a resource that is repeated or can not be read is an invalid target. */
const namesResource = (error: unknown): boolean => error instanceof DomainError && error.path === 'resource';

function answerOf(issuer: Issuer, error: unknown): OAuthAnswer {
  if (error instanceof Refusal) return issuer.errors[error.reason](error.data);
  if (error instanceof DomainError) {
    const status = statusOf[error.kind];
    return status === 503
      ? { status, error: 'temporarily_unavailable', description: 'The server is not available just now; try again.' }
      : { status, error: namesResource(error) ? 'invalid_target' : 'invalid_request', description: error.message };
  }
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 413) return { status: 413, error: 'invalid_request', description: 'The body is too large.' };
  if (statusCode === 415) {
    return {
      status: 415,
      error: 'invalid_request',
      description: 'The body must be application/x-www-form-urlencoded or application/json.',
    };
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, error: 'invalid_request', description: 'The request can not be read.' };
  }
  return { status: 500, error: 'server_error', description: 'Something went wrong on our side.' };
}
