/** Reads values of client metadata; null says as much as nothing. Each throws `input.invalid` naming the metadata. */
import { invalid } from '../../kernel/errors.ts';

export type Metadata = Readonly<Record<string, unknown>>;

/** The body of a request. */
export function asMetadata(body: unknown): Metadata {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || body instanceof Map) {
    throw invalid('', 'The body must be a JSON object, of type application/json.');
  }
  return body as Metadata;
}

/** A string; `path` names it where it is inside another value. */
export function text(metadata: Metadata, name: string, path = name): string | undefined {
  const value = metadata[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(path, 'It must be a string.');
}

/** An array of strings. */
export function texts(metadata: Metadata, name: string): string[] | undefined {
  const value = metadata[name] ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw invalid(name, 'It must be an array of strings.');
}

/** True or false. */
export function flag(metadata: Metadata, name: string): boolean | undefined {
  const value = metadata[name] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(name, 'It must be true or false.');
}

/** One of the values. */
export function oneOf<const T extends string>(metadata: Metadata, name: string, values: readonly T[]): T | undefined {
  const value = text(metadata, name);
  if (value === undefined || values.includes(value as T)) return value as T | undefined;
  throw invalid(name, `It must be one of ${values.join(', ')}.`);
}
