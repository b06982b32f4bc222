import type { Organization } from '../../../domain/organizations/organization.ts';
import type { OrganizationOrder } from '../../../domain/organizations/read-organizations.ts';
import type { OrganizationSettings } from '../../../domain/organizations/settings.ts';
import { DomainError, invalid } from '../../../kernel/errors.ts';
import { assertSafeUrl } from '../../../kernel/urls.ts';
import { mergeExtras, mergeMetadata, withoutUnset } from '../envelope.ts';
import { invalidQuery } from '../errors.ts';
import { type CreateBody, maximumMetadataKeys, type UpdateBody } from './schema.ts';

/** A new organization in the domain's words: this dialect's `name` is the slug, `display_name` the name. */
export const createInputOf = (body: CreateBody) => ({
  ...settingsOf(body, undefined),
  name: body.display_name ?? body.name,
  slug: body.name,
});

/** What a body says of an organization, in the domain's words; metadata are merged key by key, null unsets. */
export function settingsOf(
  body: Omit<CreateBody, 'name'> & UpdateBody,
  before: Organization | undefined,
): Partial<OrganizationSettings> {
  const { name, display_name, metadata, enabled_connections: _, ...extras } = body;
  if (body.branding?.logo_url !== undefined) assertSafeUrl(body.branding.logo_url, 'branding.logo_url');
  const auth0 = mergeExtras(before?.extras.auth0 ?? {}, extras);
  return {
    ...(name === undefined ? {} : { slug: name }),
    ...(display_name === undefined ? {} : { name: display_name }),
    ...(metadata === undefined ? {} : { metadata: mergedMetadata(before?.metadata ?? {}, metadata) }),
    ...(Object.keys(extras).length === 0 ? {} : { extras: { ...before?.extras, auth0 } }),
  };
}

function mergedMetadata(before: Record<string, unknown>, change: object): Record<string, unknown> {
  const merged = mergeMetadata(before, change as Record<string, string | null>);
  if (Object.keys(merged).length > maximumMetadataKeys) {
    throw invalid('metadata', `Too many properties, maximum ${maximumMetadataKeys}`);
  }
  return merged;
}

/** An organization as this dialect shows it; what is unset is absent. */
export function bodyOf(organization: Organization): Record<string, unknown> {
  return withoutUnset({ ...summaryOf(organization), ...organization.extras.auth0 });
}

/** The same in lists of other things. */
export function summaryOf(organization: Organization): Record<string, unknown> {
  return withoutUnset({
    id: organization.id,
    name: organization.slug,
    display_name: organization.name,
    branding: organization.extras.auth0?.branding,
    metadata: metadataOf(organization),
  });
}

/** Metadata are text here; what another dialect keeps in another shape is not shown, and stays. */
function metadataOf({ metadata }: Organization): Record<string, string> | undefined {
  const texts = Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return texts.length === 0 ? undefined : Object.fromEntries(texts);
}

const sortFields: Record<string, OrganizationOrder['field']> = {
  name: 'slug',
  display_name: 'name',
  created_at: 'createdAt',
};

/** `sort=field:1` or `field:-1`. Throws `input.invalid` naming `sort`. */
export function orderOf(sort: string): OrganizationOrder {
  const [, name = '', direction] = /^([a-z_]+):(-?1)$/.exec(sort) ?? [];
  const field = Object.hasOwn(sortFields, name) ? sortFields[name] : undefined;
  if (field === undefined) {
    throw invalidQuery('sort', `Expected field:1 or field:-1, of the fields ${Object.keys(sortFields).join(', ')}`);
  }
  return { field, descending: direction === '-1' };
}

/** The domain's name of an organization is this dialect's `display_name`. */
export async function inOwnWords<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'input.invalid' && error.path === 'name')) throw error;
    throw invalid('display_name', error.message);
  }
}
