import type { LogKind } from '../../../domain/logs/kinds.ts';

/** Auth0's key for each kind of log event; several kinds share one. */
export const logTypes = {
  'token.issued': 'seccft',
  'token.refused': 'feccft',
  // Their key says refresh token; they have none for access tokens.
  'token.revoked': 'srrt',
  'endpoint.refused': 'fapi',
  'access.refused': 'fapi',
  'rate.limited': 'api_limit',
  'tenant.created': 'sapi',
  'tenant.updated': 'sapi',
  'tenant.deleted': 'sapi',
  'resource_server.created': 'sapi',
  'resource_server.updated': 'sapi',
  'resource_server.deleted': 'sapi',
  'client.created': 'sapi',
  'client.updated': 'sapi',
  'client.deleted': 'sapi',
  'client_secret.rotated': 'sapi',
  'client_key.created': 'sapi',
  'client_key.updated': 'sapi',
  'client_key.deleted': 'sapi',
  'client_grant.created': 'sapi',
  'client_grant.updated': 'sapi',
  'client_grant.deleted': 'sapi',
  'signing_key.rotated': 'sapi',
  'signing_key.revoked': 'sapi',
  'user.created': 'sapi',
  'user.updated': 'sapi',
  'user.deleted': 'sdu',
} as const satisfies Record<LogKind, string>;

/** The kinds that Auth0's key stands for; none for a key of theirs that nothing here has. */
export const kindsOfType = (type: string): LogKind[] =>
  (Object.keys(logTypes) as LogKind[]).filter((kind) => logTypes[kind] === type);
