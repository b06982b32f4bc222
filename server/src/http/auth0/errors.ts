import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../../kernel/errors.ts';
import { challengeFor } from '../challenge.ts';
import { type Problem, SchemaProblem } from '../edge/schema-problem.ts';
import { STATUS_CODES } from '../node-http.ts';
import { type HttpServices, logRefusedByVerb } from '../request.ts';
import { statusOf } from '../status.ts';

/** The body of every error of this dialect. */
export interface Auth0Error {
  statusCode: number;
  error: string;
  message: string;
  errorCode?: string;
}

export const errorBody = (statusCode: number, message: string, errorCode?: string): Auth0Error => ({
  statusCode,
  error: STATUS_CODES[statusCode] ?? 'Error',
  message,
  ...(errorCode === undefined ? {} : { errorCode }),
});

/** Renders every error under `/api/v2` in the shape Auth0's SDKs parse. */
export function auth0ErrorHandler(services: HttpServices) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    await logRefusedByVerb(services, request, error);
    const body = bodyOf(error);
    if (body.statusCode >= 500) services.logger.error({ err: error, url: request.routeOptions.url }, 'request failed');
    if (body.statusCode === 503) reply.header('retry-after', '1');
    if (error instanceof DomainError && error.data.retryAfterSeconds !== undefined) {
      const seconds = Number(error.data.retryAfterSeconds);
      // Whose limit it is was known only after the headers of the request were set.
      reply.header('retry-after', String(seconds));
      reply.header('x-ratelimit-remaining', '0');
      reply.header('x-ratelimit-reset', String(Math.ceil(services.clock.now() / 1000) + seconds));
    }
    const challenge = { 401: 'invalid_token', 403: 'insufficient_scope' }[body.statusCode];
    if (challenge !== undefined) {
      reply.header('www-authenticate', challengeFor(request, error, `Bearer error="${challenge}"`));
    }
    void reply.code(body.statusCode).header('content-type', 'application/json; charset=utf-8').send(body);
  };
}

function bodyOf(error: unknown): Auth0Error {
  if (error instanceof SchemaProblem) return shapeError(error);
  if (error instanceof DomainError) return domainError(error);
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 413) return errorBody(413, 'Payload too large');
  if (statusCode === 415) return errorBody(415, 'The body must be application/json.');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return errorBody(statusCode, 'The request can not be read.', 'invalid_body');
  }
  return errorBody(500, 'Internal error.');
}

/** A query parameter has a value that its schema can not refuse. */
export const invalidQuery = (parameter: string, message: string): DomainError =>
  new DomainError('input.invalid', message, { path: parameter, data: { part: 'querystring' } });

/** Names of things as this dialect's error codes know them. */
const missingCodes: Record<string, [string, string?]> = {
  client: ['The client does not exist', 'inexistent_client'],
  'client grant': ['The grant does not exist.', 'inexistent_client_grant'],
  'resource server': ['The resource server does not exist', 'inexistent_resource_server'],
  user: ['The user does not exist.', 'inexistent_user'],
  credential: ['The credential does not exist.', 'inexistent_credential'],
  'signing key': ['The signing key does not exist.', 'inexistent_signing_key'],
  'log event': ['The log does not exist.', 'inexistent_log'],
  role: ['The role does not exist.', 'inexistent_role'],
  'organization role': ['The role does not exist.', 'inexistent_role'],
  organization: ['No organization found by that id or name'],
  'organization invitation': ['The invitation does not exist.', 'inexistent_invitation'],
};

const conflictTexts: Record<string, [string, string?]> = {
  'resource server': ['A resource server with the same identifier already exists.'],
  'client grant': ['A resource with the same client_grant already exists.'],
  user: ['The user already exists.', 'auth0_idp_error'],
  role: ['The role already exists.'],
  organization: ['An organization with this name already exists.'],
  'organization client grant': ['The client grant has already been added to this organization.'],
};

/** What a role is not for is no role here. */
const noRole = missingCodes.role as [string, string];

function domainError(error: DomainError): Auth0Error {
  const status = statusOf[error.kind];
  const thing = String(error.data.thing ?? '');
  switch (error.code) {
    case 'auth.missing':
      return errorBody(401, 'Missing authentication');
    case 'auth.invalid_token':
      return errorBody(401, 'Invalid token');
    case 'auth.insufficient_scope':
      return insufficientScope(error.data.scopes as string[]);
    case 'entity.not_found':
    case 'entity.reference_not_found':
      return errorBody(404, ...(missingCodes[thing] ?? [error.message]));
    case 'entity.exists':
      return errorBody(409, ...(conflictTexts[thing] ?? [error.message]));
    case 'rate.limited':
      return errorBody(429, 'Global limit has been reached', 'too_many_requests');
    case 'storage.unavailable':
    case 'storage.deadline':
      return errorBody(503, error.message);
    case 'input.malformed': {
      const [prefix, code] = parts[(error.data.part as keyof typeof parts | undefined) ?? 'body'];
      return errorBody(400, `${prefix}: '${error.message}'`, code);
    }
    case 'input.cursor_invalid':
      return errorBody(400, `Query validation error: '${error.message}' on property from`, 'invalid_query_string');
    case 'input.invalid':
    case 'secret.weak':
    case 'resource_server.reserved':
    case 'resource_server.system': {
      const [prefix, code] = parts[error.data.part === 'querystring' ? 'querystring' : 'body'];
      return errorBody(
        status,
        `${prefix}: '${error.message}'${error.path ? ` on property ${fieldOf(error.path)}` : ''}`,
        code,
      );
    }
    case 'role.management_scopes_for_users':
      return errorBody(
        400,
        `${parts.body[0]}: '${error.message}' on property ${fieldOf(error.path ?? '')}`,
        parts.body[1],
      );
    case 'role.wrong_subject':
      return errorBody(404, ...noRole);
    case 'organization.not_a_member':
      return errorBody(404, 'The user is not a member of the organization.', 'inexistent_member');
    case 'organization.has_children':
    case 'organization.last_owner':
    case 'organization.member_inherited':
      return errorBody(status, error.message, error.code);
    case 'auth.exceeds_own':
      return errorBody(403, error.message, 'operation_not_supported');
    default:
      return errorBody(status, error.message);
  }
}

/** Domain fields that this dialect calls otherwise; the rest differ in their case only. */
const fieldNames: Record<string, string> = {
  tokenLifetimeSeconds: 'token_lifetime',
  grantedScopes: 'scope',
  allScopes: 'allow_all_scopes',
  secret: 'client_secret',
  keys: 'client_authentication_methods.private_key_jwt.credentials',
  certificates: 'client_authentication_methods.credentials',
  certificate: 'pem',
  subject: 'subject_dn',
  resourceServer: 'resource_server_identifier',
  redirectUris: 'callbacks',
  postLogoutRedirectUris: 'allowed_logout_urls',
  backchannelLogoutUri: 'oidc_logout.backchannel_logout_urls.0',
  idTokenLifetimeSeconds: 'jwt_configuration.lifetime_in_seconds',
  refreshTokenLifetimeSeconds: 'refresh_token.token_lifetime',
  logoUrl: 'picture_url',
  signingAlg: 'signing_alg',
  phone: 'phone_number',
  slug: 'name',
  invitee: 'invitee.email',
};

const fieldOf = (path: string): string =>
  path
    .split('.')
    .map((part) => fieldNames[part] ?? part.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
    .join('.');

/** deploy-cli matches this very text and skips what it may not read. */
export const insufficientScope = (scopes: readonly string[]): Auth0Error =>
  errorBody(403, `Insufficient scope, expected any of: ${scopes.join(', ')}`, 'insufficient_scope');

const parts = {
  body: ['Payload validation error', 'invalid_body'],
  querystring: ['Query validation error', 'invalid_query_string'],
  params: ['Path validation error', 'invalid_uri'],
  headers: ['Header validation error', 'invalid_headers'],
} as const;

function shapeError(error: SchemaProblem): Auth0Error {
  const [prefix, code] = parts[error.part];
  const sentences = error.problems.slice(0, 5).map(sentenceOf);
  return errorBody(400, `${prefix}: ${sentences.length === 0 ? "'Invalid value'" : sentences.join(', ')}`, code);
}

function sentenceOf(problem: Problem): string {
  const on = problem.path === '' ? '' : ` on property ${problem.path}`;
  return `'${complaint(problem)}'${on}`;
}

function complaint({ kind, name, expected, actual, allowed, limit }: Problem): string {
  switch (kind) {
    case 'required':
      return `Missing required property: ${name}`;
    case 'unknown':
      return `Additional properties not allowed: ${name}`;
    case 'type':
      return `Expected type ${expected} but found type ${actual}`;
    case 'enum':
    case 'const':
      return `No enum match, expected one of: ${allowed?.join(', ') ?? expected}`;
    case 'minLength':
      return `String is too short, minimum ${limit}`;
    case 'maxLength':
      return `String is too long, maximum ${limit}`;
    case 'minimum':
      return `Value is less than minimum ${limit}`;
    case 'maximum':
      return `Value is greater than maximum ${limit}`;
    case 'minItems':
      return `Array is too short, minimum ${limit}`;
    case 'maxItems':
      return `Array is too long, maximum ${limit}`;
    case 'uniqueItems':
      return 'Array items are not unique';
    case 'pattern':
      return 'String does not match the expected pattern';
    default:
      return 'Invalid value';
  }
}
