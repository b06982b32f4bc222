import { type Static, Type } from 'typebox';

/** The accounts API: `/api/accounts…` and `/api/applications/:application_id/users`. Times are ISO 8601, in UTC. */

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const time = Type.String({ format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] });
const closed = { additionalProperties: false };

const accountName = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Any text with something visible in it; need not be unique.',
  examples: ['Acme'],
});
const accountStatus = Type.Union([Type.Literal('active'), Type.Literal('suspended')], {
  description: 'A suspended account stops with all that is below it.',
});
const metadata = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Whatever you keep about it; at most 16384 characters of JSON. An update replaces it as a whole.',
});
const id = Type.String({ minLength: 1, maxLength: 128 });

/** A customer, a team, a company: accounts form a tree. */
export const Account = Type.Object({
  id: Type.String({ examples: ['org_4fT2mQ8sLkX0aB7c'] }),
  name: accountName,
  parent_account_id: nullable('Null: a root, or the top of what the caller may see.'),
  status: accountStatus,
  metadata,
  created_at: time,
  updated_at: time,
});
export type Account = Static<typeof Account>;

export const CreateAccount = Type.Object(
  { name: accountName, status: Type.Optional(accountStatus), metadata: Type.Optional(metadata) },
  { ...closed, examples: [{ name: 'Acme' }] },
);
export type CreateAccount = Static<typeof CreateAccount>;

export const UpdateAccount = Type.Partial(CreateAccount, {
  ...closed,
  examples: [{ status: 'suspended' }],
});
export type UpdateAccount = Static<typeof UpdateAccount>;

export const MoveAccount = Type.Object(
  { parent_id: Type.Union([id, Type.Null()], { description: 'The new parent; null: it becomes a root.' }) },
  closed,
);
export type MoveAccount = Static<typeof MoveAccount>;

const limit = Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page; 50 when absent.' });
const cursor = Type.String({ minLength: 1, maxLength: 1000, description: '`next` of the page before.' });

/** Paging of every list: by cursor, so that a page costs the same at any depth. */
export const AccountsPaging = Type.Object({ limit: Type.Optional(limit), cursor: Type.Optional(cursor) });
export type AccountsPaging = Static<typeof AccountsPaging>;

export const AccountFilter = Type.Object({
  ...AccountsPaging.properties,
  parent_id: Type.Optional(Type.String({ maxLength: 128, description: 'Its children; absent: the roots.' })),
});
export type AccountFilter = Static<typeof AccountFilter>;

export const SearchAccounts = Type.Object(
  {
    query: Type.String({ minLength: 1, maxLength: 255, description: 'Beginning of the name, in any case.' }),
    ...AccountsPaging.properties,
  },
  { ...closed, examples: [{ query: 'acm', limit: 10 }] },
);
export type SearchAccounts = Static<typeof SearchAccounts>;

export const SearchAccountMembers = Type.Object(
  {
    query: Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Part of the id, name, e-mail, username or phone of the user, or of the id or name of the client.',
    }),
    ...AccountsPaging.properties,
  },
  closed,
);
export type SearchAccountMembers = Static<typeof SearchAccountMembers>;

const roleName = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'Name of a role, in any case: owner, member, viewer, or one that was made.',
  examples: ['member'],
});

/** A user or a machine client in an account; also one of an account above, whose roles count here. */
export const AccountMember = Type.Object({
  id: Type.String({ examples: ['mem_0c8Yd3nVbWq5ZrTe'] }),
  account_id: Type.String({ description: 'The account that was asked about.' }),
  user_id: nullable('Null: a machine client; or the caller may not see who it is, only the name.'),
  client_id: nullable('Null: a user.'),
  name: nullable('Of the user or client.'),
  role: nullable('The strongest role: an owner’s, then others by name, then member, then viewer.'),
  roles: Type.Array(Type.String(), { description: 'Every role, the strongest first.' }),
  inherited: Type.Boolean({ description: 'Held in an account above.' }),
  inherited_from: nullable('The account above; null also where the caller may not see it.'),
  created_at: Type.Union([time, Type.Null()], { description: 'Null where only the name may be told.' }),
  updated_at: Type.Union([time, Type.Null()]),
});
export type AccountMember = Static<typeof AccountMember>;

export const AddAccountMember = Type.Object(
  {
    user_id: Type.Optional(id),
    client_id: Type.Optional(Type.String({ ...id, description: 'Instead of a user: a machine client.' })),
    role: roleName,
  },
  { ...closed, examples: [{ user_id: '5f7c8ec7c33c6c004bbafe82', role: 'member' }] },
);
export type AddAccountMember = Static<typeof AddAccountMember>;

export const ChangeAccountMember = Type.Object(
  { role: roleName },
  { ...closed, description: 'The role replaces all roles of the member.' },
);
export type ChangeAccountMember = Static<typeof ChangeAccountMember>;

const userStatus = Type.Union([Type.Literal('active'), Type.Literal('blocked'), Type.Literal('awaiting_approval')]);

/** A user of an application. */
export const ApplicationUser = Type.Object({
  id: Type.String({ examples: ['5f7c8ec7c33c6c004bbafe82'] }),
  application_id: Type.String(),
  status: userStatus,
  name: nullable('For people.'),
  email: nullable('Unique among the users.'),
  created_at: time,
  updated_at: time,
});
export type ApplicationUser = Static<typeof ApplicationUser>;

export const CreateApplicationUser = Type.Object(
  {
    status: Type.Optional(userStatus),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 300 })),
    email: Type.Optional(Type.String({ minLength: 3, maxLength: 320 })),
  },
  { ...closed, examples: [{ status: 'active' }] },
);
export type CreateApplicationUser = Static<typeof CreateApplicationUser>;

const pageOf = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Object({ data: Type.Array(item), next: nullable('`cursor` of the next page; null on the last one.') });

export const AccountPage = pageOf(Account);
export type AccountPage = Static<typeof AccountPage>;
export const AccountMemberPage = pageOf(AccountMember);
export type AccountMemberPage = Static<typeof AccountMemberPage>;
export const ApplicationUserPage = pageOf(ApplicationUser);
export type ApplicationUserPage = Static<typeof ApplicationUserPage>;

/** The error body of the accounts API. */
export const AccountsError = Type.Object({
  error: Type.String({
    description:
      'invalid_request, invalid_token, insufficient_scope, access_denied, not_found, conflict, rate_limited, …',
  }),
  error_description: Type.String({ description: 'What happened, for people.' }),
  code: Type.Optional(Type.String({ description: 'Stable and finer, for programs: `organization.last_owner`, …' })),
  field: Type.Optional(Type.String({ description: 'The field at fault, dotted.' })),
  scope: Type.Optional(Type.String({ description: 'Of insufficient_scope: what is needed.' })),
  expected_audience: Type.Optional(Type.String({ description: 'Of invalid_token: what the token must be for.' })),
  account_id: Type.Optional(Type.String({ description: 'Of an inherited member: where it is held.' })),
  member_id: Type.Optional(Type.String()),
});
export type AccountsError = Static<typeof AccountsError>;
