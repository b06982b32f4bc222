/** Schemas and types of the native API: shared by server, client and console. No I/O. */
export * from './accounts.ts';
export * from './applications.ts';
export * from './batch.ts';
export * from './dashboard.ts';
export * from './errors.ts';
export * from './explain.ts';
export * from './invitations.ts';
export * from './logs.ts';
export * from './members.ts';
export * from './organization-template.ts';
export * from './organizations.ts';
export * from './paging.ts';
export * from './resources.ts';
export * from './roles.ts';
export * from './search.ts';
export * from './tenants.ts';
export * from './users.ts';
