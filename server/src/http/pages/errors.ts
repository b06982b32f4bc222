/** Pages that say what went wrong, what to do, and what to tell whoever can help. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../../kernel/errors.ts';
import { randomHex } from '../../kernel/random.ts';
import { Refusal, type RefusalReason } from '../../protocol/refusal.ts';
import { logRefusal } from '../../protocol/refused.ts';
import { type HttpServices, protocolContext } from '../request.ts';
import { statusOf } from '../status.ts';
import type { Messages } from './messages/en.ts';
import { sendPage } from './page.ts';
import { type ErrorData, errorView } from './views/error.ts';
import { waitText } from './views/parts.ts';

/** The kinds of pages; the real reason is in the reference and in the log. */
type Kind =
  | 'request'
  | 'expired'
  | 'form'
  | 'link'
  | 'access'
  | 'limit'
  | 'missing'
  | 'suspended'
  | 'unavailable'
  | 'server';

const statuses: Readonly<Record<Kind, number>> = {
  request: 400,
  expired: 404,
  form: 403,
  link: 404,
  access: 403,
  limit: 429,
  missing: 404,
  suspended: 403,
  unavailable: 503,
  server: 500,
};

/** Reasons with a page of their own; what is wrong with a request is its sender's business. */
const kinds: { readonly [Reason in RefusalReason]?: Kind } = {
  interaction_unknown: 'expired',
  pushed_request_invalid: 'expired',
  user_code_unknown: 'expired',
  upstream_state_unknown: 'expired',
  form_forged: 'form',
  rate_limited: 'limit',
  sign_up_off: 'missing',
  tenant_unknown: 'missing',
  tenant_suspended: 'suspended',
  client_disabled: 'access',
  user_inactive: 'access',
  person_refused: 'access',
  audience_closed: 'access',
  grant_missing: 'access',
  organization_unknown: 'access',
  organization_not_member: 'access',
  organization_suspended: 'access',
  organization_other_policy: 'access',
  policy_unknown: 'access',
  policy_not_offered: 'access',
  link_unconfirmed: 'access',
  policy_user_unknown: 'access',
  policy_user_not_approved: 'access',
  upstream_refused: 'access',
  upstream_unavailable: 'unavailable',
  upstream_answer_invalid: 'unavailable',
};

/** Handles whatever a page's handler throws. */
export async function refusedPage(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): Promise<FastifyReply> {
  // It is said to nobody but the person, so its event is left here.
  if (error instanceof Refusal) {
    await logRefusal(protocolContext(services, request), 'authorization.refused', error);
  }
  return errorPage(services, request, reply, error);
}

/**
 * Answers with the page of an error. A refusal that is answered by a page of ours, never by a redirect: nobody can be
 * sent to a place that was not checked (RFC 6749 §4.1.2.1).
 */
export async function errorPage(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): Promise<FastifyReply> {
  const kind = kindOf(error);
  const status = statusFor(error, kind);
  const reference = referenceOf(services, request, error, status);
  const retryAfterSeconds = error instanceof Refusal ? error.data.retryAfterSeconds : undefined;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  else if (status === 503) reply.header('retry-after', '1');
  return sendPage(
    services,
    request,
    reply,
    (t) => errorView(t, { ...texts(t, kind, retryAfterSeconds ?? 60), reference }),
    { status },
  );
}

function kindOf(error: unknown): Kind {
  if (error instanceof Refusal) return kinds[error.reason] ?? 'request';
  if (error instanceof DomainError) {
    if (error.kind === 'missing') return error.data.thing === 'setup link' ? 'link' : 'missing';
    if (error.kind === 'limited') return 'limit';
    return error.kind === 'unavailable' ? 'unavailable' : 'request';
  }
  const { statusCode = 500 } = error as { statusCode?: number };
  return statusCode >= 400 && statusCode < 500 ? 'request' : 'server';
}

/** What Fastify could not read has its own status: a body that is too large, or no form. */
function statusFor(error: unknown, kind: Kind): number {
  if (error instanceof DomainError) return statusOf[error.kind];
  const { statusCode } = error as { statusCode?: number };
  return kind === 'request' && statusCode !== undefined ? statusCode : statuses[kind];
}

/** The reason and the time, by which the log event is found; of a mistake of ours a number that the process logs. */
function referenceOf(services: HttpServices, request: FastifyRequest, error: unknown, status: number): string {
  const at = new Date(services.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  if (error instanceof Refusal) return `${error.reason} ${at}`;
  if (status < 500) return `${error instanceof DomainError ? error.code : 'unreadable'} ${at}`;
  const reference = randomHex(services.random, 6);
  services.logger.error({ err: error, url: request.routeOptions.url, reference }, 'page failed');
  return `${reference} ${at}`;
}

function texts(t: Messages, kind: Kind, waitSeconds: number): Omit<ErrorData, 'reference'> {
  const of = (title: string, text: string, advice: string) => ({ title, text, advice });
  switch (kind) {
    case 'request':
      return of(t.errorRequestTitle, t.errorRequestText, t.errorRequestAdvice);
    case 'expired':
      return of(t.errorExpiredTitle, t.errorExpiredText, t.errorExpiredAdvice);
    case 'form':
      return of(t.errorFormTitle, t.errorFormText, t.errorFormAdvice);
    case 'link':
      return of(t.errorLinkTitle, t.errorLinkText, t.errorLinkAdvice);
    case 'access':
      return of(t.errorAccessTitle, t.errorAccessText, t.errorAccessAdvice);
    case 'limit':
      return of(t.errorLimitTitle, t.tooManyTries(waitText(t, waitSeconds)), t.errorLimitAdvice);
    case 'missing':
      return of(t.errorMissingTitle, t.errorMissingText, t.errorMissingAdvice);
    case 'suspended':
      return of(t.errorUnavailableTitle, t.errorSuspendedText, t.errorSuspendedAdvice);
    case 'unavailable':
      return of(t.errorUnavailableTitle, t.errorUnavailableText, t.errorUnavailableAdvice);
    case 'server':
      return of(t.errorServerTitle, t.errorServerText, t.errorServerAdvice);
  }
}
