/** Organizations in Logto's words, and back. */
import type {
  CreateOrganization,
  ListedOrganization,
  Organization as OrganizationBody,
  OrganizationBranding,
  OrganizationColor,
  OrganizationNode,
  UpdateOrganization,
} from '@sekisho/contract';
import type { Context } from '../../../domain/context.ts';
import type { FeaturedUsers } from '../../../domain/organizations/featured-users.ts';
import type { Organization } from '../../../domain/organizations/organization.ts';
import type { OrganizationSettings } from '../../../domain/organizations/settings.ts';
import { withNames } from '../field-names.ts';

/** Fields whose name in Logto's bodies is not the domain's. */
const names = { metadata: 'customData', mfaRequired: 'isMfaRequired' };

/** What a verb throws names the field as the caller wrote it. */
export const inLogtosWords = <T>(work: Promise<T>): Promise<T> => withNames(names, work);

type Site = Pick<Context, 'site'>;

/** What only Logto knows of an organization. */
interface LogtoExtras {
  color?: OrganizationColor;
  branding?: OrganizationBranding;
  customCss?: string | null;
}

export function organizationBody({ site }: Site, organization: Organization): OrganizationBody {
  const extras = (organization.extras.logto ?? {}) as LogtoExtras;
  return {
    tenantId: site.tenantId,
    id: organization.id,
    name: organization.name,
    description: organization.description,
    customData: organization.metadata,
    isMfaRequired: organization.mfaRequired,
    color: extras.color ?? {},
    branding: extras.branding ?? {},
    customCss: extras.customCss ?? null,
    createdAt: organization.createdAt,
    parentId: organization.parentId,
    slug: organization.slug,
    status: organization.status,
    authPolicyIds: organization.authPolicyIds === null ? null : [...organization.authPolicyIds],
    updatedAt: organization.updatedAt,
  };
}

/** The same in a list that shows who is in it. */
export const featuredBody = (site: Site, organization: Organization, featured?: FeaturedUsers): ListedOrganization => ({
  ...organizationBody(site, organization),
  usersCount: featured?.count ?? 0,
  featuredUsers: (featured?.users ?? []).map(({ id, name, picture }) => ({ id, avatar: picture, name })),
});

/** A walk of a subtree, each before what is below it, as nested bodies. */
export function treeBody(site: Site, organizations: readonly Organization[]): OrganizationNode {
  const nodes = new Map<string | null, OrganizationNode>();
  for (const organization of organizations) {
    const node = { ...organizationBody(site, organization), children: [] };
    nodes.set(organization.id, node);
    if (organization !== organizations[0]) nodes.get(organization.parentId)?.children.push(node);
  }
  return nodes.get(organizations[0]?.id ?? null) as OrganizationNode;
}

/** What a request sets; `before` has the extras that stay. */
export function settingsOf(
  body: CreateOrganization | UpdateOrganization,
  before: Pick<Organization, 'extras'> = { extras: {} },
): Partial<OrganizationSettings> {
  const settings = {
    name: body.name,
    slug: body.slug,
    description: body.description,
    status: body.status,
    mfaRequired: body.isMfaRequired,
    metadata: body.customData,
    authPolicyIds: body.authPolicyIds,
    extras: extrasOf(body, before),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function extrasOf({ color, branding, customCss }: UpdateOrganization, { extras }: Pick<Organization, 'extras'>) {
  if (color === undefined && branding === undefined && customCss === undefined) return undefined;
  const given = {
    ...(color && { color: known(color, ['primaryColor', 'isDarkModeEnabled', 'darkPrimaryColor']) }),
    ...(branding && { branding: known(branding, ['logoUrl', 'darkLogoUrl', 'favicon', 'darkFavicon']) }),
    ...(customCss !== undefined && { customCss }),
  };
  return { ...extras, logto: { ...extras.logto, ...given } };
}

/** Unknown keys are dropped, below the top as well. */
const known = <T extends object>(given: T, names: readonly (keyof T & string)[]): Partial<T> =>
  Object.fromEntries(
    names.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]),
  ) as Partial<T>;
