/** The part of a request a schema describes, by the name Fastify gives it. */
export type RequestPart = 'body' | 'querystring' | 'params' | 'headers';

export type ProblemKind =
  | 'required'
  | 'unknown'
  | 'type'
  | 'enum'
  | 'const'
  | 'minimum'
  | 'maximum'
  | 'minLength'
  | 'maxLength'
  | 'pattern'
  | 'format'
  | 'minItems'
  | 'maxItems'
  | 'uniqueItems'
  | 'union'
  | 'other';

/** One thing wrong with a part of a request. It holds no value of the request, which may be a secret. */
export interface Problem {
  /** Dotted path; '' for the whole part. For `required` and `unknown` it is the object's, and `name` the property's. */
  path: string;
  kind: ProblemKind;
  /**
   * What the schema asks for: a type (`string`, `integer | null`), of a missing property too; a pattern's or format's
   * text; a bound (`>= 1`, `> 0`); for `other` the keyword of the schema, where one is known.
   */
  expected?: string;
  /** The JSON type of what came. */
  actual?: string;
  /** The values that `enum` and `const` allow. */
  allowed?: unknown[];
  /** The bound of a size or a number. */
  limit?: number;
  /** The missing or unknown property. */
  name?: string;
}

/** Most problems one answer lists. */
export const maxProblems = 20;

/**
 * A part of the request does not match its schema. Each dialect writes its own sentences from `problems`.
 *
 * Fastify passes the error object itself to the error handler (or to `request.validationError` with
 * `attachValidation`), so `error instanceof SchemaProblem` tells it apart there. On the way Fastify writes `statusCode`
 * 400, `code` `FST_ERR_VALIDATION` and `validationContext` onto it; `.validation` stays unset.
 */
export class SchemaProblem extends Error {
  readonly part: RequestPart;
  readonly problems: readonly Problem[];

  constructor(part: RequestPart, problems: readonly Problem[]) {
    super(`The ${part} does not match its schema.`);
    this.name = 'SchemaProblem';
    this.part = part;
    this.problems = problems;
  }
}
