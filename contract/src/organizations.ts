import { type Static, Type } from 'typebox';
import { authPolicyIds } from './auth-policy-ids.ts';
import { PagingQuery } from './paging.ts';

const id = Type.String({ minLength: 1, maxLength: 128, examples: ['org_3fKq0ZsX9aLmT2vB'] });
const name = Type.String({ minLength: 1, maxLength: 128, description: 'For people; need not be unique.' });
const description = Type.Union([Type.String({ maxLength: 256 }), Type.Null()]);
const slug = Type.String({
  minLength: 1,
  maxLength: 50,
  pattern: '^[a-z0-9][a-z0-9_-]*$',
  description: 'Unique in the tenant; made of the name when absent. (Not in Logto.)',
  examples: ['acme'],
});
const status = Type.Union([Type.Literal('active'), Type.Literal('suspended')], {
  description: 'A suspended organization stops its whole subtree. (Not in Logto.)',
});
const policies = authPolicyIds('They hold below it too. Null: as above it says, or any.');
const customData = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Anything, at most 16384 characters of JSON. A change replaces all of it.',
});
const colorValue = Type.String({ maxLength: 64, examples: ['#6139f6'] });
const address = Type.String({ maxLength: 2048, pattern: '^https?://[^\\s]+$' });

/** Colours of an organization's pages; a change replaces all of them. */
export const OrganizationColor = Type.Object({
  primaryColor: Type.Optional(colorValue),
  isDarkModeEnabled: Type.Optional(Type.Boolean()),
  darkPrimaryColor: Type.Optional(colorValue),
});
export type OrganizationColor = Static<typeof OrganizationColor>;

/** Addresses of images; a change replaces all of them. */
export const OrganizationBranding = Type.Object({
  logoUrl: Type.Optional(address),
  darkLogoUrl: Type.Optional(address),
  favicon: Type.Optional(address),
  darkFavicon: Type.Optional(address),
});
export type OrganizationBranding = Static<typeof OrganizationBranding>;

const customCss = Type.Union([Type.String({ maxLength: 65_536 }), Type.Null()]);

/** A customer, team or account. Organizations form a tree. Times in milliseconds. */
export const Organization = Type.Object({
  tenantId: Type.String(),
  id,
  name,
  description,
  customData,
  isMfaRequired: Type.Boolean(),
  color: OrganizationColor,
  branding: OrganizationBranding,
  customCss,
  createdAt: Type.Integer(),
  parentId: Type.Union([Type.String(), Type.Null()], {
    description: 'Null: a root, or the organization that the token speaks for. Changed by a move. (Not in Logto.)',
  }),
  slug,
  status,
  authPolicyIds: policies,
  updatedAt: Type.Integer(),
});
export type Organization = Static<typeof Organization>;

const featuredUser = Type.Object({
  id: Type.String(),
  avatar: Type.Union([Type.String(), Type.Null()]),
  name: Type.Union([Type.String(), Type.Null()]),
});

/** An organization of a list; with `showFeatured` it says how many users are its direct members, and shows the first. */
export const ListedOrganization = Type.Object({
  ...Organization.properties,
  usersCount: Type.Optional(Type.Integer()),
  featuredUsers: Type.Optional(Type.Array(featuredUser, { maxItems: 3 })),
});
export type ListedOrganization = Static<typeof ListedOrganization>;

export const OrganizationsQuery = Type.Object({
  ...PagingQuery.properties,
  q: Type.Optional(Type.String({ maxLength: 256, description: 'Part of the name or the id, in any case.' })),
  namePrefix: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'Beginning of the name, in any case; by cursor in order of the names.',
    }),
  ),
  parentId: Type.Optional(
    Type.String({ maxLength: 128, description: 'Children of this organization; empty: the roots.', examples: [''] }),
  ),
  showFeatured: Type.Optional(
    Type.Boolean({ description: 'With `usersCount` and `featuredUsers`; needs read:organization_members as well.' }),
  ),
});
export type OrganizationsQuery = Static<typeof OrganizationsQuery>;

const settings = {
  description: Type.Optional(description),
  customData: Type.Optional(customData),
  isMfaRequired: Type.Optional(Type.Boolean()),
  color: Type.Optional(OrganizationColor),
  branding: Type.Optional(OrganizationBranding),
  customCss: Type.Optional(customCss),
  slug: Type.Optional(slug),
  status: Type.Optional(status),
  authPolicyIds: Type.Optional(policies),
};

const parentId = Type.Union([id, Type.Null()], { description: 'Null: a root.' });

export const CreateOrganization = Type.Object(
  {
    name,
    ...settings,
    parentId: Type.Optional(
      Type.Union([id, Type.Null()], {
        description: 'Absent or null: a root, or below the organization that the token speaks for. (Not in Logto.)',
      }),
    ),
  },
  { examples: [{ name: 'Acme Tokyo', parentId: 'org_3fKq0ZsX9aLmT2vB' }] },
);
export type CreateOrganization = Static<typeof CreateOrganization>;

export const UpdateOrganization = Type.Object(
  { name: Type.Optional(name), ...settings },
  { description: 'What is absent stays; an object that is given replaces the one there was.' },
);
export type UpdateOrganization = Static<typeof UpdateOrganization>;

export const MoveOrganization = Type.Object({ parentId });
export type MoveOrganization = Static<typeof MoveOrganization>;

/** An organization with those below it. */
export const OrganizationNode = Type.Object({
  ...Organization.properties,
  children: Type.Array(Type.Object({}, { additionalProperties: true }), {
    description: 'Those right below it, each as this one, with its own `children`.',
  }),
});
export type OrganizationNode = Organization & { children: OrganizationNode[] };

/** A subtree, nested. */
export const OrganizationTree = Type.Object({
  truncated: Type.Boolean({
    description: 'There are more than 1000: the tree has the first ones on a walk that goes down before it goes on.',
  }),
  tree: OrganizationNode,
});
export type OrganizationTree = { truncated: boolean; tree: OrganizationNode };

const emailDomain = Type.String({
  minLength: 1,
  maxLength: 253,
  description: 'Of e-mail addresses; kept in lower-case ASCII (Punycode).',
  examples: ['acme.example'],
});

/** Who has a verified e-mail address of this domain becomes a member of the organization. */
export const JitEmailDomain = Type.Object({
  tenantId: Type.String(),
  organizationId: Type.String(),
  emailDomain,
});
export type JitEmailDomain = Static<typeof JitEmailDomain>;

export const CreateJitEmailDomain = Type.Object({ emailDomain });
export const AllJitEmailDomains = Type.Object({
  emailDomains: Type.Array(emailDomain, { maxItems: 1000, description: 'At most 1000.' }),
});

const ssoConnectorIds = (minItems: number) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems, maxItems: 1000 });

export const SsoConnectorIds = Type.Object({ ssoConnectorIds: ssoConnectorIds(1) });
export const AllSsoConnectorIds = Type.Object({ ssoConnectorIds: ssoConnectorIds(0) });
