import { type Static, Type } from 'typebox';
import { authPolicyIds } from './auth-policy-ids.ts';
import { PagingQuery } from './paging.ts';
import { SearchQuery } from './search.ts';

const nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);

export const ApplicationType = Type.Union(
  [Type.Literal('Native'), Type.Literal('SPA'), Type.Literal('Traditional'), Type.Literal('MachineToMachine')],
  { description: 'Native and SPA are public, the others have a secret; MachineToMachine asks for tokens of its own.' },
);
export type ApplicationType = Static<typeof ApplicationType>;

const name = Type.String({ minLength: 1, maxLength: 256, examples: ['Warehouse'] });
const description = nullable(Type.String({ maxLength: 512 }));
const address = Type.String({ minLength: 1, maxLength: 2048 });
const addresses = Type.Array(address, { maxItems: 100 });
const seconds = Type.Integer({ minimum: 1, maximum: 31_557_600 });

/** Where people come from and go to when they sign in to an application. */
export const OidcClientMetadata = Type.Object({
  redirectUris: {
    ...addresses,
    description:
      'Compared character by character. https, http on loopback, or of a native application a scheme such as ' +
      'com.example.app:/callback; no fragment, no wildcard.',
  },
  postLogoutRedirectUris: addresses,
  backchannelLogoutUri: Type.Optional(address),
  backchannelLogoutSessionRequired: Type.Optional(Type.Boolean()),
  logoUri: Type.Optional(address),
});
export type OidcClientMetadata = Static<typeof OidcClientMetadata>;

export const CustomClientMetadata = Type.Object({
  corsAllowedOrigins: Type.Optional(addresses),
  idTokenTtl: Type.Optional(seconds),
  refreshTokenTtl: Type.Optional(seconds),
  refreshTokenTtlInDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
  alwaysIssueRefreshToken: Type.Optional(Type.Boolean()),
  rotateRefreshToken: Type.Optional(Type.Boolean()),
  allowTokenExchange: Type.Optional(Type.Boolean()),
  isDeviceFlow: Type.Optional(Type.Boolean()),
  maxAllowedGrants: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});
export type CustomClientMetadata = Static<typeof CustomClientMetadata>;

const customData = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Anything, at most 16384 characters of JSON.',
});
const status = Type.Union([Type.Literal('active'), Type.Literal('disabled')], {
  description: 'A disabled application gets no token, and those it has end. (Not in Logto.)',
});
const ownerOrganizationId = nullable(
  Type.String({ maxLength: 128, description: 'The organization whose subtree owns it. (Not in Logto.)' }),
);

const policies = authPolicyIds('Null: the ones of the sign-in experience.');

/** An application: a client that asks for tokens. Times in milliseconds. */
export const Application = Type.Object({
  tenantId: Type.String(),
  id: Type.String({ examples: ['G7wYbP0aLq3ZtN8sXk1VcR5mJ2hD9fUe'] }),
  name,
  description,
  type: ApplicationType,
  oidcClientMetadata: OidcClientMetadata,
  customClientMetadata: CustomClientMetadata,
  protectedAppMetadata: Type.Null(),
  customData,
  isThirdParty: Type.Boolean(),
  appLevelAccessControlEnabled: Type.Boolean(),
  authPolicyIds: policies,
  createdAt: Type.Integer(),
  updatedAt: Type.Integer({ description: 'Not in Logto.' }),
  status,
  ownerOrganizationId,
});
export type Application = Static<typeof Application>;

/** The answer of the one call that shows the secret. */
export const CreatedApplication = Type.Object({
  ...Application.properties,
  secret: Type.Optional(
    Type.String({ description: 'Shown here and never again; public applications have none.', 'x-secret': true }),
  ),
});
export type CreatedApplication = Static<typeof CreatedApplication>;

export const ReadApplication = Type.Object({
  ...Application.properties,
  isAdmin: Type.Boolean({ description: 'It may call the native API with the scope `all`.' }),
});
export type ReadApplication = Static<typeof ReadApplication>;

const settings = {
  description: Type.Optional(description),
  oidcClientMetadata: Type.Optional(Type.Partial(OidcClientMetadata)),
  customClientMetadata: Type.Optional(CustomClientMetadata),
  customData: Type.Optional(customData),
  isThirdParty: Type.Optional(Type.Boolean()),
  status: Type.Optional(status),
  authPolicyIds: Type.Optional(policies),
};

export const CreateApplication = Type.Object(
  {
    name,
    type: Type.Union([ApplicationType, Type.Literal('Protected'), Type.Literal('SAML')], {
      description: 'Protected and SAML are not possible here (422).',
    }),
    ...settings,
    organizationId: Type.Optional(
      Type.String({ maxLength: 128, description: 'The organization that owns it. (Not in Logto.)' }),
    ),
  },
  { examples: [{ name: 'Warehouse', type: 'MachineToMachine' }] },
);
export type CreateApplication = Static<typeof CreateApplication>;

export const UpdateApplication = Type.Object(
  { name: Type.Optional(name), ...settings },
  { description: 'What is absent stays; an object that is given replaces the one there was.' },
);
export type UpdateApplication = Static<typeof UpdateApplication>;

export const ApplicationCustomData = customData;

const secretName = Type.String({ minLength: 1, maxLength: 256, examples: ['2026-03'] });

/** A secret of an application; its value only in the answer that makes it. */
export const ApplicationSecret = Type.Object({
  tenantId: Type.String(),
  applicationId: Type.String(),
  name: secretName,
  value: Type.Null({ description: 'Readable only when the secret is made.' }),
  prefix: Type.String({ description: 'The first characters, to tell it from others. (Not in Logto.)' }),
  createdAt: Type.Integer(),
  expiresAt: nullable(Type.Integer()),
  lastUsedAt: nullable(Type.Integer({ description: 'Exact to about ten seconds. (Not in Logto.)' })),
});
export type ApplicationSecret = Static<typeof ApplicationSecret>;

export const CreatedApplicationSecret = Type.Object({
  ...ApplicationSecret.properties,
  value: Type.String({ description: 'Shown here and never again.', 'x-secret': true }),
});
export type CreatedApplicationSecret = Static<typeof CreatedApplicationSecret>;

export const CreateApplicationSecret = Type.Object(
  {
    name: secretName,
    expiresAt: Type.Optional(nullable(Type.Integer({ description: 'Milliseconds, in the future; null: never.' }))),
  },
  { examples: [{ name: '2026-03', expiresAt: 1_800_000_000_000 }] },
);
export const UpdateApplicationSecret = Type.Object({ name: secretName });

export const ApplicationsQuery = Type.Object({
  ...PagingQuery.properties,
  ...SearchQuery.properties,
  types: Type.Optional(
    Type.Union([Type.String({ maxLength: 64 }), Type.Array(Type.String({ maxLength: 64 }), { maxItems: 20 })], {
      description: 'Only of these types; repeatable.',
    }),
  ),
  excludeRoleId: Type.Optional(Type.String({ maxLength: 128, description: 'Without who has this tenant-wide role.' })),
  excludeOrganizationId: Type.Optional(
    Type.String({ maxLength: 128, description: 'Without the direct members of this organization.' }),
  ),
  isThirdParty: Type.Optional(Type.Boolean()),
});
export type ApplicationsQuery = Static<typeof ApplicationsQuery>;
