/**
 * Logto's codes and statuses for the errors of the domain. What is not listed keeps its own code and the status of its
 * kind: rules Logto does not have (children, last owner, cycle, inherited members, …) stay 409 with our codes.
 */
import type { DomainError, ErrorCode } from '../../kernel/errors.ts';
import { statusOf } from '../status.ts';

/** What of a request decides about a code. */
export interface Asked {
  readonly method: string;
  /** The route's path, with `:name` for parameters. */
  readonly route: string;
  readonly authorization: string | undefined;
}

type Answer = readonly [status: number, code: string];

/** A unique value is taken, by what has it; `user` by the field at fault. */
const takenCodes: Record<string, string> = {
  'user email': 'user.email_already_in_use',
  'user primaryEmail': 'user.email_already_in_use',
  'user username': 'user.username_already_in_use',
  'user phone': 'user.phone_already_in_use',
  'user primaryPhone': 'user.phone_already_in_use',
  role: 'role.name_in_use',
  'role scope': 'role.scope_exists',
  'role user': 'role.user_exists',
  'role application': 'role.application_exists',
  'resource server': 'resource.resource_identifier_in_use',
  scope: 'scope.name_exists',
  'application secret': 'application.secret_name_exists',
  'member invitee': 'request.invalid_input',
};

/** What Logto does not have: a conflict as everywhere else. */
const ownThings: ReadonlySet<unknown> = new Set(['tenant', 'auth policy', 'auth policy email domain', 'identity']);

const missingCodes: Record<string, string> = {
  GET: 'entity.not_exists_with_id',
  HEAD: 'entity.not_exists_with_id',
  DELETE: 'entity.not_found',
};

/** Bad input that has a code of its own, by the rule it breaks. */
const ruleCodes: Record<string, Answer> = {
  scope_without_space: [400, 'scope.name_with_space'],
  password_and_digest: [400, 'user.password_and_digest'],
  password_algorithm_required: [400, 'user.password_algorithm_required'],
  password_digest: [422, 'user.password_digest_not_supported'],
  password_mismatch: [422, 'session.invalid_credentials'],
  application_type: [422, 'application.invalid_type'],
};

const isOfOrganizations = (route: string): boolean => route.startsWith('/api/organization');

const isOfPolicies = (route: string): boolean => route.startsWith('/api/auth-policies');

const answers: Partial<Record<ErrorCode, (error: DomainError, asked: Asked) => Answer>> = {
  'auth.missing': (_error, { authorization }) => {
    if (authorization === undefined) return [401, 'auth.authorization_header_missing'];
    return [
      401,
      /^(bearer|dpop)\b/i.test(authorization) ? 'auth.unauthorized' : 'auth.authorization_token_type_not_supported',
    ];
  },
  'auth.invalid_token': () => [401, 'auth.unauthorized'],
  'auth.insufficient_scope': () => [403, 'auth.forbidden'],
  'input.invalid': ({ path = '', data: { rule } }) => {
    const ofRule = ruleCodes[String(rule)];
    if (ofRule !== undefined) return ofRule;
    return [
      400,
      /^(search|search_params|mode|joint|isCaseSensitive|expiresAt)\b/.test(path)
        ? 'request.invalid_input'
        : 'guard.invalid_input',
    ];
  },
  'role.management_scopes_for_users': () => [422, 'role.management_api_scopes_not_assignable_to_user_role'],
  'entity.exists': ({ code, path, data: { thing } }) =>
    ownThings.has(thing)
      ? [409, code]
      : [422, takenCodes[`${thing} ${path}`] ?? takenCodes[String(thing)] ?? 'entity.unique_integrity_violation'],
  'entity.not_found': ({ data: { thing } }, { method }) =>
    thing === 'legacy secret'
      ? [400, 'application.no_legacy_secret_found']
      : [404, missingCodes[method] ?? 'entity.not_exists'],
  'entity.reference_not_found': ({ path = '' }, { route }) =>
    path.startsWith('organizationRoleNames')
      ? [422, 'organization.role_names_not_found']
      : [isOfOrganizations(route) || isOfPolicies(route) ? 422 : 404, 'entity.relation_foreign_key_not_found'],
  'role.wrong_subject': (_error, { route }) => {
    if (isOfOrganizations(route)) return [422, 'entity.db_constraint_violated'];
    return [422, /\/applications\b/.test(route) ? 'application.invalid_role_type' : 'user.invalid_role_type'];
  },
  'organization.not_a_machine': () => [422, 'entity.db_constraint_violated'],
  'organization.invitation_over': () => [422, 'request.invalid_input'],
  'organization.invitation_mismatch': () => [422, 'request.invalid_input'],
  'email.no_connector': () => [422, 'connector.not_found'],
  'organization.not_a_member': () => [422, 'organization.require_membership'],
  'resource_server.system': (_error, { method }) => [
    400,
    method === 'DELETE' ? 'resource.cannot_delete_management_api' : 'resource.cannot_modify_management_api',
  ],
};

/** Status and code of an error of the domain, as Logto's clients know it. */
export const answerTo = (error: DomainError, asked: Asked): Answer =>
  answers[error.code]?.(error, asked) ?? [statusOf[error.kind], error.code];

/** Code of a query, body or path that does not match its schema. */
export const shapeCode = (part: string, path: string): string =>
  part === 'querystring' && (path === 'page' || path === 'page_size')
    ? 'guard.invalid_pagination'
    : 'guard.invalid_input';
