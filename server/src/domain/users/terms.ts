/**
 * The words a user can be found by: names without regard to case, and every plain value inside the metadata. They are
 * rows of their own (`user_terms`), written with the user, because the engines do not agree on looking into JSON nor on
 * the case of letters; and so a search is an index look-up.
 */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Tx } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { foldCase } from './identity.ts';
import type { Metadata, User } from './user.ts';

export type NameField = 'name' | 'nickname' | 'givenName' | 'familyName';
export type MetadataField = 'userMetadata' | 'appMetadata';

const nameFields: readonly NameField[] = ['name', 'nickname', 'givenName', 'familyName'];

/** Longest part of a value that is kept as it is, in UTF-16 units; an index entry has a bound. */
export const longestTerm = 200;

/** The stored form of a value: a long one ends in its hash, so that equal means equal. */
export const termValue = (value: string): string =>
  value.length <= longestTerm
    ? value
    : `${value.slice(0, longestTerm).toWellFormed()}#${createHash('sha256').update(value).digest('hex')}`;

/** The stored form of a metadata path, `appMetadata.plan.tier`. */
export const metadataTerm = (field: MetadataField, path: readonly string[]): string =>
  termValue([field, ...path].join('.'));

type Term = readonly [field: string, value: string];

/** Every term of a user, each once. Elements of an array are found under the array's own path. */
export function termsOf(user: Pick<User, NameField | MetadataField>): Term[] {
  const terms = new Map<string, Term>();
  const add = (field: string, value: string) => {
    terms.set(JSON.stringify([field, value]), [field, value]);
  };
  for (const field of nameFields) {
    const value = user[field];
    if (value !== null) add(field, termValue(foldCase(value)));
  }
  const walk = (field: MetadataField, path: readonly string[], value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) walk(field, path, item);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(field, [...path, key], inner);
    } else if (value !== null && value !== undefined) add(metadataTerm(field, path), termValue(String(value)));
  };
  for (const field of ['userMetadata', 'appMetadata'] as const) walk(field, [], (user[field] ?? {}) as Metadata);
  return [...terms.values()];
}

/** Rows of one statement; each engine bounds the parameters of a statement. */
const chunkSize = 500;

/** Brings the stored terms of a user in line; terms that stay are not touched. */
export async function replaceTerms(
  trx: Tx,
  tenantId: string,
  userId: string,
  before: readonly Term[],
  after: readonly Term[],
): Promise<void> {
  const keyOf = (term: Term) => JSON.stringify(term);
  const [old, fresh] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  for (const gone of chunks(before.filter((term) => !fresh.has(keyOf(term))))) {
    const pairs = gone.map(([field, value]) => sql`(${field}, ${value})`);
    await trx
      .deleteFrom('user_terms')
      .where('tenant_id', '=', tenantId)
      .where('user_id', '=', userId)
      .where(sql<boolean>`(field, value) in (values ${sql.join(pairs)})`)
      .execute();
  }
  const rows: Schema['user_terms'][] = after
    .filter((term) => !old.has(keyOf(term)))
    .map(([field, value]) => ({ tenant_id: tenantId, field, value, user_id: userId }));
  for (const added of chunks(rows)) await trx.insertInto('user_terms').values(added).execute();
}

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += chunkSize) yield items.slice(start, start + chunkSize);
}
