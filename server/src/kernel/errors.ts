/**
 * The one catalogue of what can go wrong below `http`. An error has a stable code, a public message, an optional field
 * path, and an internal cause that is logged and never sent. Dialects render it in their own shape and status.
 */

/** Every code a caller may see, with its kind. `docs/errors.md` is generated from this table. */
export const errorCatalogue = {
  'input.invalid': { kind: 'invalid', doc: 'A field of the request has a wrong type or value; `path` names it.' },
  'input.malformed': {
    kind: 'invalid',
    doc: 'The request is not well-formed: JSON, form, encoding, or a repeated name.',
  },
  'input.cursor_invalid': { kind: 'invalid', doc: 'The paging cursor was not issued by this server for this list.' },
  'entity.not_found': { kind: 'missing', doc: 'No such thing here, or not one the caller may know of.' },
  'entity.exists': { kind: 'conflict', doc: 'A thing with the same unique value exists already.' },
  'entity.reference_not_found': {
    kind: 'unprocessable',
    doc: 'The request refers to a thing that does not exist, or that the caller may not know of; `path` names it.',
  },
  'entity.in_use': { kind: 'conflict', doc: 'The thing is still referred to and can not be removed.' },
  'resource_server.reserved': { kind: 'invalid', doc: 'The identifier is reserved for the server itself.' },
  'resource_server.system': {
    kind: 'invalid',
    doc: 'A system resource server can not be changed in this way or deleted.',
  },
  'client.last_administrator': { kind: 'conflict', doc: 'It is the last client that is able to manage clients.' },
  'tenant.default_protected': { kind: 'conflict', doc: 'The default tenant can not be suspended or deleted.' },
  'organization.has_children': { kind: 'conflict', doc: 'The organization has children; delete or move them first.' },
  'organization.cycle': { kind: 'conflict', doc: 'An organization can not be moved below itself.' },
  'organization.too_deep': { kind: 'invalid', doc: 'The tree would be deeper than its limit.' },
  'organization.last_owner': { kind: 'conflict', doc: 'A root organization that has an owner keeps one.' },
  'organization.member_inherited': {
    kind: 'conflict',
    doc: 'The member comes from an organization above; change it there. `data.organizationId` names it.',
  },
  'organization.not_a_member': { kind: 'conflict', doc: 'The user or client is not a member of the organization.' },
  'organization.not_a_machine': {
    kind: 'unprocessable',
    doc: 'The client can not be a member: it can not prove who it is.',
  },
  'organization.invitation_mismatch': {
    kind: 'unprocessable',
    doc: 'The user does not have the e-mail address that was invited.',
  },
  'email.no_connector': {
    kind: 'unprocessable',
    doc: 'There is no e-mail connector: the message can not be sent, and nothing was changed.',
  },
  'organization.invitation_over': { kind: 'conflict', doc: 'The invitation is not pending any more.' },
  'role.wrong_subject': { kind: 'conflict', doc: 'The role is not for this kind of subject, or not of this level.' },
  'role.protected': { kind: 'conflict', doc: 'The role of administrators can not be changed or deleted.' },
  'role.management_scopes_for_users': {
    kind: 'unprocessable',
    doc: 'A tenant-wide role for users can not have scopes of a management API.',
  },
  'secret.weak': {
    kind: 'invalid',
    doc: 'A supplied secret needs 32 to 256 characters, at least 16 of them distinct.',
  },
  'etag.mismatch': { kind: 'stale', doc: 'The thing is not any more as `If-Match` says; read it again.' },
  'idempotency.key_reused': {
    kind: 'unprocessable',
    doc: 'The `Idempotency-Key` came before, with another body or query.',
  },
  'idempotency.in_flight': { kind: 'conflict', doc: 'A request with this `Idempotency-Key` is under way; ask again.' },
  'auth.missing': { kind: 'unauthenticated', doc: 'The request carries no access token.' },
  'auth.invalid_token': { kind: 'unauthenticated', doc: 'The access token is not valid here.' },
  'auth.dpop_proof_invalid': {
    kind: 'unauthenticated',
    doc: 'The access token is bound to a key, and the DPoP proof is missing or not good for this request.',
  },
  'auth.insufficient_scope': { kind: 'forbidden', doc: 'The access token lacks a scope that this call needs.' },
  'auth.exceeds_own': { kind: 'forbidden', doc: 'Nobody may grant or take over more than they hold.' },
  'auth.organization_token': { kind: 'forbidden', doc: 'A token for an organization can not do this.' },
  'rate.limited': { kind: 'limited', doc: 'Too many requests; wait for the time in Retry-After.' },
  'storage.unavailable': { kind: 'unavailable', doc: 'The database can not be reached or can not write; try again.' },
  'storage.deadline': { kind: 'unavailable', doc: 'The list or search took longer than its deadline; narrow it.' },
} as const satisfies Record<string, { kind: ErrorKind; doc: string }>;

export type ErrorKind =
  | 'invalid'
  | 'missing'
  | 'conflict'
  | 'unprocessable'
  | 'stale'
  | 'unauthenticated'
  | 'forbidden'
  | 'limited'
  | 'unavailable';

export type ErrorCode = keyof typeof errorCatalogue;

export interface ErrorDetails {
  /** Dotted path of the field at fault, e.g. `client_metadata.tier`. */
  path?: string;
  /** Values a dialect needs to write its own sentence; public. */
  data?: Readonly<Record<string, unknown>>;
  /** What really happened; logged, never sent. */
  cause?: unknown;
}

/** An error with a stable code; thrown by domain verbs, storage and the edge, rendered by each dialect. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'DomainError';
    this.code = code;
    this.path = details.path;
    this.data = details.data ?? {};
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code].kind;
  }
}

/** A field of the request is wrong; `path` names it. */
export const invalid = (path: string, message: string): DomainError =>
  new DomainError('input.invalid', message, { path });

/** The request as a whole can not be read. */
export const malformed = (message: string, path?: string): DomainError =>
  new DomainError('input.malformed', message, path === undefined ? {} : { path });

/** A thing that the request refers to is not there; `path` names the reference. */
export const referenceNotFound = (thing: string, path: string): DomainError =>
  new DomainError('entity.reference_not_found', `The ${thing} does not exist.`, { path, data: { thing } });

/** Unknown and not-yours answer alike: there is one error for both. */
export const notFound = (thing: string): DomainError =>
  new DomainError('entity.not_found', `The ${thing} does not exist.`, { data: { thing } });
