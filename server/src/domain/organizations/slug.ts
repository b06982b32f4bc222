/** The slug of an organization: a name for addresses and for dialects whose names are unique. */
import { DomainError, invalid } from '../../kernel/errors.ts';
import { randomHex } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';

const longestSlug = 50;

/** Checks a slug that was given. Throws `input.invalid`. */
export function slugOf(text: string): string {
  if (text.length > longestSlug || !/^[a-z0-9][a-z0-9_-]*$/.test(text)) {
    throw invalid(
      'slug',
      `A slug has 1 to ${longestSlug} characters: a to z, 0 to 9, - and _, and no sign at its start.`,
    );
  }
  return text;
}

/** A slug made of a name; empty when the name has no letter or digit of ASCII. */
const slugFrom = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, longestSlug - 9)
    .replace(/-+$/, '');

/**
 * The slug that was asked for, or one made of the name; with a suffix where that one is taken, or always with `hidden`,
 * lest it tell a caller which ones are taken. Throws `entity.exists` when the given one is taken.
 */
export async function freeSlug(
  ctx: Context,
  trx: Tx,
  name: string,
  given: string | undefined,
  hidden: boolean,
): Promise<string> {
  if (given !== undefined) {
    if (!(await isTaken(ctx, trx, given))) return given;
    throw new DomainError('entity.exists', 'An organization with this slug exists already.', {
      path: 'slug',
      data: { thing: 'organization' },
    });
  }
  const derived = slugFrom(name);
  if (derived !== '' && !hidden && !(await isTaken(ctx, trx, derived))) return derived;
  return freeSuffix(ctx, trx, derived || 'org');
}

/** Many names have no letter of ASCII: all of them share one beginning, so a suffix is drawn until it is free. */
async function freeSuffix(ctx: Context, trx: Tx, beginning: string): Promise<string> {
  const slug = `${beginning}-${randomHex(ctx.random, 4)}`;
  return (await isTaken(ctx, trx, slug)) ? freeSuffix(ctx, trx, beginning) : slug;
}

async function isTaken(ctx: Context, trx: Tx, slug: string): Promise<boolean> {
  const row = await trx
    .selectFrom('organizations')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('slug', '=', slug)
    .executeTakeFirst();
  return row !== undefined;
}

/** Slugs made of many names at once: a name whose slug is taken, or comes twice, gets a suffix. */
export async function freeSlugs(ctx: Context, trx: Tx, names: readonly string[], hidden: boolean): Promise<string[]> {
  const derived = names.map(slugFrom);
  const taken = new Set<string>(['']);
  for (const part of chunksOf(hidden ? [] : [...new Set(derived)])) {
    const rows = await trx
      .selectFrom('organizations')
      .select('slug')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('slug', 'in', part)
      .execute();
    for (const { slug } of rows) taken.add(slug);
  }
  return derived.map((slug) => {
    // 64 bits: the unique index is there for what is next to impossible.
    if (hidden || taken.has(slug)) return `${(slug || 'org').slice(0, longestSlug - 17)}-${randomHex(ctx.random, 8)}`;
    taken.add(slug);
    return slug;
  });
}
