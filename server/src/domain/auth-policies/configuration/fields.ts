/** Reading a configuration field by field: each reader gives a typed value, or throws `input.invalid` naming the field. */
import { invalid } from '../../../kernel/errors.ts';

export type Given = Readonly<Record<string, unknown>>;

/** What of a request the readers' errors name. */
export const pathOf = (...names: readonly string[]): string => ['configuration', ...names].join('.');

/** An object of a request, and what it is called there. */
export interface Fields {
  readonly given: Given;
  readonly path: readonly string[];
}

export const fieldsOf = (given: Given): Fields => ({ given, path: [] });

const presentValue = ({ given }: Fields, name: string): unknown =>
  Object.hasOwn(given, name) ? given[name] : undefined;

export const refused = ({ path }: Fields, name: string, message: string) => invalid(pathOf(...path, name), message);

const controls = /[\x00-\x1f\x7f]/;

/** Null when it is absent, null or empty. */
export function optionalText(fields: Fields, name: string, longest = 1024): string | null {
  const value = presentValue(fields, name);
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string') throw refused(fields, name, 'It must be a string.');
  if (value.length > longest) throw refused(fields, name, `It has more than ${longest} characters.`);
  if (controls.test(value)) throw refused(fields, name, 'It has control characters.');
  return value;
}

export function requiredText(fields: Fields, name: string, longest = 1024): string {
  const text = optionalText(fields, name, longest);
  if (text === null || text.trim() === '') throw refused(fields, name, 'It is required.');
  return text;
}

export function flag(fields: Fields, name: string): boolean {
  const value = presentValue(fields, name) ?? false;
  if (typeof value !== 'boolean') throw refused(fields, name, 'It must be true or false.');
  return value;
}

/** The first is the default. */
export function oneOf<Value extends string>(fields: Fields, name: string, values: readonly [Value, ...Value[]]): Value {
  const text = optionalText(fields, name);
  if (text === null) return values[0];
  const found = values.find((value) => value.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw refused(fields, name, `It must be one of ${values.join(', ')}.`);
  return found;
}

/** Null when it is absent or null. */
export function optionalFields(fields: Fields, name: string): Fields | null {
  const value = presentValue(fields, name) ?? null;
  if (value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw refused(fields, name, 'It must be an object.');
  return { given: value as Given, path: [...fields.path, name] };
}

/** Null when it is absent or null. */
export function optionalList(fields: Fields, name: string, most: number): string[] | null {
  const value = presentValue(fields, name) ?? null;
  if (value === null) return null;
  if (!Array.isArray(value)) throw refused(fields, name, 'It must be an array of strings.');
  if (value.length > most) throw refused(fields, name, `It has more than ${most} entries.`);
  return value.map((entry: unknown, index) => {
    if (typeof entry !== 'string') throw refused(fields, `${name}.${index}`, 'It must be a string.');
    return entry;
  });
}

/** A name, or null where the caller wants none; the default where the caller says nothing. */
export function nameOr(fields: Fields | null, name: string, otherwise: string | null, longest = 128): string | null {
  if (fields === null || presentValue(fields, name) === undefined) return otherwise;
  return optionalText(fields, name, longest);
}
