/** What is wrong with a form that was sent, in words; a form is then shown again. */
import type { FastifyReply } from 'fastify';
import { DomainError } from '../../kernel/errors.ts';
import { Refusal, type RefusalReason } from '../../protocol/refusal.ts';
import { statusOf } from '../status.ts';
import type { Messages } from './messages/en.ts';
import { waitText } from './views/parts.ts';

export interface Problem {
  readonly status: number;
  readonly text: (t: Messages) => string;
  /** The field it is about; none: the whole form. */
  readonly field?: 'identifier' | 'name' | 'password';
  /** What was typed is wrong, whichever part of it. */
  readonly ofInput?: boolean;
  readonly retryAfterSeconds?: number;
}

/** The problem behind an error, when it is one that the person can do something about. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Refusal) return refusals[error.reason]?.(error.data.retryAfterSeconds ?? 60);
  if (!(error instanceof DomainError)) return undefined;
  const { kind, data, path } = error;
  if (kind === 'limited') return limited(Number(data.retryAfterSeconds ?? 1));
  if (kind !== 'invalid' && kind !== 'conflict' && kind !== 'unprocessable') return undefined;
  const rule = typeof data.rule === 'string' ? rules[data.rule] : undefined;
  const field = fieldNames.find((name) => name === path);
  if (field === undefined) return { status: statusOf[kind], text: (t) => t.signUpRefused };
  return { status: statusOf[kind], text: rule ?? texts[field], field };
}

const fieldNames = ['identifier', 'name', 'password'] as const;

const texts: Readonly<Record<(typeof fieldNames)[number], Problem['text']>> = {
  identifier: (t) => t.identifierWrong,
  name: (t) => t.nameWrong,
  password: (t) => t.fieldWrong,
};

/** What a password may not be (`domain/users/passwords.ts`). */
const rules: Readonly<Record<string, Problem['text']>> = {
  password_length: (t) => t.passwordLength,
  password_common: (t) => t.passwordCommon,
  password_identity: (t) => t.passwordIdentity,
};

const limited = (seconds: number): Problem => ({
  status: 429,
  text: (t) => t.tooManyTries(waitText(t, seconds)),
  retryAfterSeconds: seconds,
});

const refusals: { readonly [Reason in RefusalReason]?: (retryAfterSeconds: number) => Problem } = {
  sign_in_failed: () => ({ status: 400, text: (t) => t.signInFailed, ofInput: true }),
  user_inactive: () => ({ status: 403, text: (t) => t.accountInactive }),
  sign_up_refused: () => ({ status: 409, text: (t) => t.signUpRefused }),
  user_code_unknown: () => ({ status: 400, text: (t) => t.deviceCodeWrong }),
  policy_unknown: () => ({ status: 400, text: (t) => t.policyNotOffered }),
  policy_not_offered: () => ({ status: 403, text: (t) => t.policyNotOffered }),
  policy_user_unknown: () => ({ status: 403, text: (t) => t.policyUserUnknown }),
  policy_user_not_approved: () => ({ status: 403, text: (t) => t.policyUserNotApproved }),
  upstream_unavailable: () => ({ status: 503, text: (t) => t.upstreamUnavailable }),
  upstream_refused: () => ({ status: 400, text: (t) => t.upstreamRefused }),
  upstream_answer_invalid: () => ({ status: 502, text: (t) => t.upstreamAnswerInvalid }),
  rate_limited: limited,
};

/** What may stand in the address of a sign-in page that a person comes back to from elsewhere. */
const afterReturn: ReadonlySet<RefusalReason> = new Set([
  'sign_in_failed',
  'user_inactive',
  'policy_unknown',
  'policy_not_offered',
  'policy_user_unknown',
  'policy_user_not_approved',
  'upstream_unavailable',
  'upstream_refused',
  'upstream_answer_invalid',
]);

/** The problem that an address names, when it is one of ours: nothing that is said there is shown. */
export const problemNamed = (name: unknown): Problem | undefined =>
  afterReturn.has(name as RefusalReason) ? problemOf(new Refusal(name as RefusalReason)) : undefined;

/** Says when to try again, where the problem is being too early. */
export const afterProblem = (reply: FastifyReply, { retryAfterSeconds }: Problem): FastifyReply =>
  retryAfterSeconds === undefined ? reply : reply.header('retry-after', String(retryAfterSeconds));
