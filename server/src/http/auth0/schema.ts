import { type TLiteral, type TSchema, Type } from 'typebox';

/** Pieces that the schemas of this dialect share. Unknown fields are refused, as Auth0's own API does. */
export const closed = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

/** Auth0 takes null for "unset" in many places. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** All fields may be absent. */
export const optional = <T extends Record<string, TSchema>>(properties: T) =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)])) as {
    [K in keyof T]: ReturnType<typeof Type.Optional<T[K]>>;
  };

/** One of the given words. */
export const literals = <const T extends readonly string[]>(...values: T) =>
  Type.Union(
    values.map((value) => Type.Literal(value)) as unknown as { -readonly [K in keyof T]: TLiteral<T[K] & string> },
  );

/** Any JSON object: stored as it is and given back. */
export const anyObject = Type.Object({}, { additionalProperties: true });

/** A name for people; `<` and `>` are refused, as at Auth0. */
export const displayName = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[^<>]*$' });

/** Bounded text and lists of it. */
export const text = (maxLength = 2000) => Type.String({ maxLength });
export const texts = (maxItems = 100, maxLength = 2000) => Type.Array(text(maxLength), { maxItems });

/** Most keys that metadata may have. */
export const maximumMetadataKeys = 10;

/** String-valued metadata; null deletes a key in an update. */
export const metadata = Type.Object(
  {},
  { additionalProperties: nullable(text(255)), maxProperties: maximumMetadataKeys },
);

export const idParams = Type.Object({ id: Type.String({ minLength: 1 }) });

/** Of a route without query parameters. */
export const noQuery = closed({});
