/** `@sekisho/client/management`: organizations, accounts, members, users, roles, applications, by method and by type. */
export { ManagementError } from '../errors.ts';
export * from './clients.ts';
export type { ManagementAuth } from './connection.ts';
export type { List, Page, Place } from './list.ts';
export { type CallOptions, etagOf } from './methods.ts';
export type * from './types.ts';
