/** The sentences of this dialect. Its clients show `message` and nothing else, so each has to stand alone. */
import type { DomainError, ErrorCode } from '../../kernel/errors.ts';
import type { RefusalReason } from '../../protocol/refusal.ts';
import { notJson } from '../edge/json-check.ts';
import { type Body, unreadableBody } from './body.ts';
import { inWireWords, wireFieldOf } from './configurations.ts';

const administratorsOnly = 'Administrator access required';

/** Of what is no JSON at all there is no more to say; anything else is told. */
export const malformedSentence = (message: string): string =>
  message === notJson().message ? unreadableBody : withoutStop(message);

const sentences: { readonly [Code in ErrorCode]?: string } = {
  'auth.missing': 'An API key is required in the header X-FH-AUTH-USER',
  'auth.organization_token': administratorsOnly,
  'rate.limited': 'Too many requests',
  'storage.unavailable': 'Not available just now, try again',
  'storage.deadline': 'Not available just now, try again',
};

/** What the domain refused, as a sentence of this dialect; `given` is the request's body. */
export function sentenceOf(error: DomainError, given: unknown): string {
  const known = sentences[error.code];
  if (known !== undefined) return known;
  if (error.code === 'auth.insufficient_scope') return lacking(error.data.scopes);
  const { policyId, configurations } = (given ?? {}) as { policyId?: unknown; configurations?: unknown };
  if (error.code === 'entity.not_found' && error.data.thing === 'auth policy') return 'Policy not found';
  if (error.code === 'entity.exists' && error.path === 'name') {
    return `A policy with policyId '${policyId}' already exists`;
  }
  if (error.code === 'entity.in_use') return listed(error);
  if (error.path === undefined) return withoutStop(error.message);
  return aboutField(error.path, error.message, (configurations ?? {}) as Body);
}

const lacking = (scopes: unknown): string =>
  Array.isArray(scopes) ? `${administratorsOnly}: the scope ${scopes.join(' or ')} is missing` : administratorsOnly;

/** RHMAP has no such lists: they are where the native API has them. */
const listers: Readonly<Record<string, string>> = {
  tenant: '/api/sign-in-exp',
  client: '/api/applications/:id',
  organization: '/api/organizations/:id',
};

function listed({ data: { kind, id }, message }: DomainError): string {
  const at = listers[String(kind)]?.replace(':id', String(id));
  return at === undefined ? withoutStop(message) : `The policy is listed: take it off authPolicyIds of ${at} first`;
}

/** The domain says "It must be …" of a field; here the field is in the sentence. */
function aboutField(path: string, message: string, configurations: Body): string {
  const field = path === 'name' ? 'policyId' : wireFieldOf(path, configurations);
  if (message.startsWith('It is written ldap')) {
    return `${field} must be an ldap:// or ldaps:// URL: a host, with :port if need be, and nothing more`;
  }
  const said = path.startsWith('configuration') ? inWireWords(message) : message;
  const [, rest] = /^It ((?:is|must|has|needs|does) .*)$/s.exec(said) ?? [];
  return withoutStop(rest === undefined ? `${field}: ${said}` : `${field} ${rest}`);
}

const withoutStop = (text: string): string => text.replace(/\.$/, '');

/**
 * Why nobody is signed in, as apps test it: bare tokens. Those of RHMAP's documentation are the first four; the others
 * are ours.
 */
const codes: { readonly [Reason in RefusalReason]?: string } = {
  policy_unknown: 'unknown_policyId',
  policy_not_offered: 'unknown_policyId',
  policy_user_unknown: 'user_not_found',
  policy_user_not_approved: 'user_not_approved',
  user_inactive: 'user_disabled',
  // A wrong password and somebody unknown tell the same.
  sign_in_failed: 'invalid_credentials',
  app_unknown: 'unknown_clientToken',
  client_disabled: 'unknown_clientToken',
  end_redirect_unregistered: 'unregistered_endRedirectUrl',
  upstream_unavailable: 'provider_unavailable',
  upstream_refused: 'provider_refused',
  upstream_answer_invalid: 'provider_answer_invalid',
  rate_limited: 'too_many_tries',
  tenant_suspended: 'service_suspended',
};

export const codeOf = (reason: RefusalReason): string => codes[reason] ?? 'auth_failed';

/** Every code an app can be told. */
export const allCodes: ReadonlySet<string> = new Set([...Object.values(codes), 'auth_failed']);
