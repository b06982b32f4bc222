import { type Static, Type } from 'typebox';

const environment = Type.Union([Type.Literal('development'), Type.Literal('staging'), Type.Literal('production')], {
  description: 'What the tenant is for.',
});
const status = Type.Union([Type.Literal('active'), Type.Literal('suspended')], {
  description: 'A suspended tenant issues no token and accepts none.',
});
const name = Type.String({ minLength: 1, maxLength: 128, description: 'For people.' });

/** An isolated installation inside the server, with its own issuer, keys and data. Times in milliseconds. */
export const Tenant = Type.Object({
  id: Type.String({ description: 'Also its label below the base host.' }),
  name,
  environment,
  status,
  issuer: Type.String(),
  managementAudience: Type.String({ description: 'Audience of the native management API.' }),
  createdAt: Type.Integer(),
  updatedAt: Type.Integer(),
});
export type Tenant = Static<typeof Tenant>;

export const CreateTenant = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$' }),
  name: Type.Optional(name),
  environment: Type.Optional(environment),
});
export type CreateTenant = Static<typeof CreateTenant>;

/** A new tenant with its first management client; the secret is in this answer only. */
export const CreatedTenant = Type.Intersect([
  Tenant,
  Type.Object({
    managementClient: Type.Object({ clientId: Type.String(), clientSecret: Type.String({ 'x-secret': true }) }),
  }),
]);
export type CreatedTenant = Static<typeof CreatedTenant>;

export const UpdateTenant = Type.Object({
  name: Type.Optional(name),
  environment: Type.Optional(environment),
  status: Type.Optional(status),
});
export type UpdateTenant = Static<typeof UpdateTenant>;
