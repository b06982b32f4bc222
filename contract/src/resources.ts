import { type Static, Type } from 'typebox';

const nullableText = Type.Union([Type.String({ maxLength: 512 }), Type.Null()]);
const scopeName = Type.String({
  maxLength: 280,
  description: 'Printable ASCII without space, quote and backslash (RFC 6749 §3.3).',
  examples: ['read:orders'],
});

/** A scope of an API resource. */
export const ResourceScope = Type.Object({
  tenantId: Type.String(),
  id: Type.String(),
  resourceId: Type.String(),
  name: scopeName,
  description: nullableText,
});
export type ResourceScope = Static<typeof ResourceScope>;

const resourceName = Type.String({ minLength: 1, maxLength: 256, description: 'For people.' });
const accessTokenTtl = Type.Integer({
  minimum: 0,
  maximum: 2_592_000,
  description: 'Life of an access token, in seconds.',
});

/** A protected API. */
export const Resource = Type.Object({
  tenantId: Type.String(),
  id: Type.String({ description: '`management-api` for this API itself.' }),
  name: resourceName,
  indicator: Type.String({ description: 'The audience of its tokens.', examples: ['https://orders.example'] }),
  isDefault: Type.Boolean({ description: 'Audience of token requests that name none.' }),
  accessTokenTtl,
  aliases: Type.Optional(
    Type.Array(Type.String(), { description: 'Of `management-api`: further audiences that mean the same.' }),
  ),
  scopes: Type.Optional(Type.Array(ResourceScope)),
});
export type Resource = Static<typeof Resource>;

/** A scope with the API it belongs to. */
export const ResourceScopeWithResource = Type.Object({ ...ResourceScope.properties, resource: Resource });
export type ResourceScopeWithResource = Static<typeof ResourceScopeWithResource>;

export const CreateResource = Type.Object({
  name: resourceName,
  indicator: Type.String({ minLength: 1, maxLength: 600, description: 'An absolute URI, or any other name.' }),
  accessTokenTtl: Type.Optional(accessTokenTtl),
});
export type CreateResource = Static<typeof CreateResource>;

export const UpdateResource = Type.Object({
  name: Type.Optional(resourceName),
  accessTokenTtl: Type.Optional(accessTokenTtl),
  aliases: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 600 }), {
      maxItems: 100,
      description: 'Of `management-api` only: further audiences that mean the same; replaces those registered.',
      examples: [['https://api.example.com']],
    }),
  ),
});
export type UpdateResource = Static<typeof UpdateResource>;

export const DefaultResource = Type.Object({ isDefault: Type.Boolean() });

export const CreateResourceScope = Type.Object({ name: scopeName, description: Type.Optional(nullableText) });
export type CreateResourceScope = Static<typeof CreateResourceScope>;

export const UpdateResourceScope = Type.Partial(CreateResourceScope);
export type UpdateResourceScope = Static<typeof UpdateResourceScope>;
