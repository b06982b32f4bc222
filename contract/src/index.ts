/** Schemas and types of the native API: shared by server, client and console. No I/O. */
export * from './errors.ts';
export * from './explain.ts';
export * from './organization-template.ts';
export * from './paging.ts';
export * from './resources.ts';
export * from './tenants.ts';
