/** The errors of this dialect: `{error, error_description, code, field, …}`, `error` as OAuth names it where it does. */
import type { AccountsError } from '@sekisho/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, type ErrorCode } from '../../kernel/errors.ts';
import { challengeFor } from '../challenge.ts';
import { problemSentence } from '../edge/problem-sentence.ts';
import { SchemaProblem } from '../edge/schema-problem.ts';
import { type HttpServices, logRefusedByVerb } from '../request.ts';
import { statusOf } from '../status.ts';
import { accountsAudience } from './auth.ts';
import { fieldOf, sentenceOf } from './words.ts';

type Known = { readonly status: number; readonly body: AccountsError };

const errorNames: Record<number, string> = {
  400: 'invalid_request',
  401: 'invalid_token',
  403: 'access_denied',
  404: 'not_found',
  409: 'conflict',
  412: 'precondition_failed',
  422: 'invalid_request',
  429: 'rate_limited',
  503: 'temporarily_unavailable',
};

/** What is bad input here and has another status elsewhere. */
const statuses: Partial<Record<ErrorCode, number>> = {
  'role.wrong_subject': 400,
  'organization.not_a_machine': 400,
};

export function accountsErrorHandler(services: HttpServices) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    await logRefusedByVerb(services, request, error);
    const { status, body } = knownOf(error, `${request.site?.origin ?? ''}${accountsAudience(services).path}`);
    if (status >= 500) services.logger.error({ err: error, url: request.routeOptions.url }, 'request failed');
    const realm = `Bearer realm="${request.site?.origin ?? ''}/api"`;
    if (status === 401) {
      reply.header('www-authenticate', challengeFor(request, error, tokenChallenge(realm, error, body)));
    }
    if (body.scope !== undefined) {
      const bearer = `${realm}, error="insufficient_scope", scope="${body.scope}"`;
      reply.header('www-authenticate', challengeFor(request, error, bearer));
    }
    if (status === 503) reply.header('retry-after', '1');
    if (status === 429) reply.header('retry-after', String((error as DomainError).data?.retryAfterSeconds ?? 60));
    void reply.code(status).send(body);
  };
}

export const nothingHere = { error: 'not_found', error_description: 'There is nothing here.' };

function knownOf(error: unknown, audience: string): Known {
  if (error instanceof SchemaProblem) {
    const [first] = error.problems;
    const name = first?.kind === 'required' || first?.kind === 'unknown' ? first.name : undefined;
    const field = [first?.path, name].filter((part) => part).join('.');
    const code = 'input.invalid';
    const body = { error: 'invalid_request', error_description: problemSentence(error), code };
    return { status: 400, body: field === '' ? body : { ...body, field } };
  }
  if (error instanceof DomainError) return knownOfDomain(error, audience);
  const { statusCode } = error as { statusCode?: number };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, body: unreadableBody('The request can not be read.') };
  }
  return { status: 500, body: { error: 'server_error', error_description: 'Something went wrong on our side.' } };
}

/** The body of what can not be read at all. */
export const unreadableBody = (error_description: string): AccountsError => ({
  error: 'invalid_request',
  error_description,
  code: 'input.malformed',
});

function knownOfDomain(error: DomainError, audience: string): Known {
  const status = statusFor(error);
  const field = fieldOf(error);
  const { scopes, organizationId, memberId } = error.data;
  const lacks = error.code === 'auth.insufficient_scope' && Array.isArray(scopes) ? scopes.join(' ') : undefined;
  return {
    status,
    body: {
      error: lacks === undefined ? (errorNames[status] ?? 'invalid_request') : 'insufficient_scope',
      error_description: sentenceOf(error, audience),
      code: error.code,
      ...(field === undefined ? {} : { field }),
      ...(lacks === undefined ? {} : { scope: lacks }),
      ...(status === 401 ? { expected_audience: audience } : {}),
      ...(typeof organizationId === 'string' ? { account_id: organizationId } : {}),
      ...(typeof memberId === 'string' ? { member_id: memberId } : {}),
    },
  };
}

/** What a body refers to by id is not there, like what a path names; a role has no id here: its name is wrong. */
function statusFor(error: DomainError): number {
  if (error.code === 'entity.reference_not_found') return error.data.thing === 'organization role' ? 400 : 404;
  return statuses[error.code] ?? statusOf[error.kind];
}

/** RFC 6750 §3: no error code when there was no token at all. */
function tokenChallenge(realm: string, error: unknown, body: AccountsError): string {
  if ((error as DomainError).code === 'auth.missing') return realm;
  return `${realm}, error="invalid_token", error_description="${body.error_description}"`;
}
