import { type Static, type TSchema, Type } from 'typebox';
import { PagingQuery } from './paging.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const optional = <T extends TSchema>(schema: T) => Type.Optional(nullable(schema));
const text = (description: string, example?: string) =>
  Type.String({ description, ...(example === undefined ? {} : { examples: [example] }) });
const member = (what: string) => optional(text(what));

const type = Type.Union(
  [
    Type.Literal('password'),
    Type.Literal('ldap'),
    Type.Literal('oauth1'),
    Type.Literal('oauth2'),
    Type.Literal('openid'),
  ],
  { description: 'How people prove themselves: a password kept here, a directory, or a provider they are sent to.' },
);

const secret = (description: string) =>
  Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description:
        `${description} Shown as \`********\`. Left out or sent back as that, it stays, as long as it goes where it ` +
        'went; null removes it.',
      'x-secret': true,
    }),
  );

/** How people are found in a directory. */
export const LdapSearch = Type.Object({
  base: text('Where to search.', 'ou=people,dc=example,dc=com'),
  filter: text('RFC 4515; `{user}` stands where the name goes.', '(uid={user})'),
  bindDn: optional(text('Whom to search as, with `bindPassword`; null: nobody.')),
});

/** Names of attributes in a directory; null: not read. */
export const LdapAttributes = Type.Object({
  id: member('What tells people apart for ever, like `entryUUID` or `objectGUID`; null: the name of the entry.'),
  email: member('`mail` unless told.'),
  name: member('`cn` unless told.'),
  givenName: member('`givenName` unless told.'),
  familyName: member('`sn` unless told.'),
  groups: member('Like `memberOf`.'),
});

/** Where in the answer of a provider what stands; a dot goes deeper. Null: the standard claim. */
export const UserInfoFields = Type.Object({
  id: member('What tells people apart; of `openid` it is always `sub`.'),
  email: member('`email` unless told.'),
  emailVerified: member('`email_verified` unless told.'),
  username: member('`preferred_username` unless told.'),
  name: member('`name` unless told.'),
  givenName: member('`given_name` unless told.'),
  familyName: member('`family_name` unless told.'),
  picture: member('`picture` unless told.'),
  groups: member('`groups` unless told.'),
});

const flag = (description: string) => optional(Type.Boolean({ description }));

/** What a policy needs to know, by its type. A field that its type does not have is dropped. */
export const AuthPolicyConfiguration = Type.Object(
  {
    url: optional(text('ldap: `ldap://host` or `ldaps://host`, with `:port` if need be.', 'ldaps://ldap.example.com')),
    startTls: flag('ldap: upgrade `ldap://` before anything is said.'),
    caCertificates: optional(text('ldap: certificates in PEM to trust instead of those of the system.')),
    allowsClearText: flag(
      'ldap: `ldap://` without TLS to other hosts than loopback too; whoever is on the way reads passwords.',
    ),
    authMethod: optional(text('ldap: `simple` (unless told), `DIGEST-MD5`, `CRAM-MD5` or `GSSAPI`.', 'simple')),
    dn: optional(text('ldap: where the entries are; with `dnPrefix` people bind as `<dnPrefix>=<name>,<dn>`.')),
    dnPrefix: optional(text('ldap: the attribute of the name.', 'uid')),
    realm: optional(text('ldap: of DIGEST-MD5 and GSSAPI.')),
    search: optional(LdapSearch),
    bindPassword: secret('ldap: of `search.bindDn`.'),
    attributes: optional(LdapAttributes),
    clientId: optional(text('oauth2, openid: what the provider calls this server.')),
    clientSecret: secret('oauth2, openid: without it the client is a public one.'),
    issuer: optional(
      text(
        'openid: required. oauth2: its metadata name the endpoints, instead of the three below.',
        'https://accounts.example.com',
      ),
    ),
    identifier: optional(text('Of OpenID 2.0, which is not supported.')),
    authorizationUrl: optional(text('oauth2: where people are sent.')),
    tokenUrl: optional(text('oauth2: where codes are exchanged.')),
    userInfoUrl: optional(text('oauth2: answers JSON about the person.')),
    scopes: optional(
      Type.Array(Type.String(), {
        description: 'oauth2, openid: asked for; of openid `openid`, `email`, `profile` unless told.',
      }),
    ),
    clientAuthMethod: optional(
      text(
        'oauth2, openid: `client_secret_basic` (unless told, with a secret), `client_secret_post` or `none`.',
        'client_secret_basic',
      ),
    ),
    responseMode: optional(text('openid: `query` (unless told) or `form_post`.', 'query')),
    consumerKey: optional(text('oauth1: what the provider calls this server.')),
    consumerSecret: secret('oauth1: required; requests are signed with it (HMAC-SHA1).'),
    requestTokenUrl: optional(text('oauth1: the first leg.')),
    authorizeUrl: optional(text('oauth1: where people are sent.')),
    accessTokenUrl: optional(text('oauth1: the third leg.')),
    profileUrl: optional(text('oauth1: answers JSON about the person.')),
    fields: optional(UserInfoFields),
    emailIsVerified: flag('All but password: whoever runs it vouches for the addresses it tells.'),
  },
  {
    examples: [
      {
        issuer: 'https://accounts.example.com',
        clientId: 'sekisho',
        clientSecret: 'kept-between-the-provider-and-this-server',
      },
    ],
  },
);
export type AuthPolicyConfiguration = Static<typeof AuthPolicyConfiguration>;

/** Members of a group upstream have these roles in an organization, from each sign-in on. */
export const RoleMapping = Type.Object({
  group: Type.String({ minLength: 1, maxLength: 1024, examples: ['cn=admins,ou=groups,dc=example,dc=com'] }),
  organizationId: Type.String({ minLength: 1, maxLength: 128 }),
  roleIds: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    minItems: 1,
    maxItems: 50,
    description: 'Organization roles for users.',
  }),
});
export type RoleMapping = Static<typeof RoleMapping>;

const translated = (description: string) => Type.Object({ en: Type.String(), ja: Type.String() }, { description });

/** How a well-known provider is set up. */
export const AuthPolicyPreset = Type.Object({
  id: Type.String({ examples: ['google'] }),
  name: translated('Of the provider.'),
  type,
  configuration: AuthPolicyConfiguration,
  values: Type.Array(
    Type.Object({
      name: Type.String({
        description: 'Stands in the configuration as `{name}`; `clientSecret` is a field of the configuration instead.',
        examples: ['clientId'],
      }),
      label: translated('What the provider calls it.'),
    }),
    { description: 'What only the administrator knows.' },
  ),
  notes: translated('What has to be done at the provider, and what it does not tell.'),
  consoleUrl: Type.String({ description: 'Where clients are registered.' }),
});
export type AuthPolicyPreset = Static<typeof AuthPolicyPreset>;

const name = Type.String({ minLength: 1, maxLength: 128, description: 'Unique.', examples: ['example-sso'] });
const title = nullable(
  Type.String({ minLength: 1, maxLength: 128, description: 'What the sign-in page calls it; null: the name.' }),
);
const settings = {
  enabled: Type.Boolean({ description: 'Switched off, it lets nobody in, and what was begun by it has ended.' }),
  checkUserExists: Type.Boolean({
    description:
      'True: only who is a user here already gets in. False: the first sign-in makes the user. True unless told.',
  }),
  checkUserApproved: Type.Boolean({ description: 'Nobody gets in who was not approved for this policy.' }),
  linksByEmail: Type.Boolean({
    description: 'Who is not linked yet is the user with the same e-mail address, if it is verified upstream.',
  }),
  linksByUsername: Type.Boolean({ description: 'Who is not linked yet is the user with the same username.' }),
  newUserStatus: Type.Union([Type.Literal('active'), Type.Literal('awaiting_approval')], {
    description: 'Of users that a first sign-in makes.',
  }),
  roleMappings: Type.Array(RoleMapping, { maxItems: 100 }),
  emailDomains: Type.Array(Type.String({ minLength: 1, maxLength: 253, examples: ['example.com'] }), {
    maxItems: 100,
    description: 'Who types an e-mail address of one is sent to this policy. A domain leads to one policy.',
  }),
};

/** How people prove who they are, and who of them is let in. Times in milliseconds. (Not in Logto.) */
export const AuthPolicy = Type.Object({
  tenantId: Type.String(),
  id: Type.String(),
  name,
  title,
  type,
  configuration: AuthPolicyConfiguration,
  ...settings,
  callbackUrls: Type.Array(Type.String(), {
    description: 'To be registered at the provider: of the sign-in page, and of apps that speak the RHMAP dialect.',
  }),
  createdAt: Type.Integer(),
  updatedAt: Type.Integer(),
});
export type AuthPolicy = Static<typeof AuthPolicy>;

export const CreateAuthPolicy = Type.Object({
  name,
  title: Type.Optional(title),
  type,
  configuration: Type.Optional(AuthPolicyConfiguration),
  ...Type.Partial(Type.Object(settings)).properties,
});
export type CreateAuthPolicy = Static<typeof CreateAuthPolicy>;

export const UpdateAuthPolicy = Type.Object(
  {
    name: Type.Optional(name),
    title: Type.Optional(title),
    type: Type.Optional(type),
    configuration: Type.Optional(AuthPolicyConfiguration),
    ...Type.Partial(Type.Object(settings)).properties,
  },
  {
    description:
      'What is absent stays; what is given replaces, and a configuration as a whole, but for its secret. ' +
      'Another type needs another configuration.',
  },
);
export type UpdateAuthPolicy = Static<typeof UpdateAuthPolicy>;

/** Whether a policy's upstream can be reached and answers as it should. */
export const AuthPolicyTest = Type.Object({
  ok: Type.Boolean(),
  failure: Type.Optional(
    Type.String({
      description:
        '`credentials_refused`, `denied`, `unavailable`, `untrusted`, `answer_invalid`, `misconfigured` or `forbidden`.',
    }),
  ),
  message: Type.Optional(Type.String({ description: 'The failure in a sentence, and why.' })),
});
export type AuthPolicyTest = Static<typeof AuthPolicyTest>;

const approval = Type.Union([Type.Literal('approved'), Type.Literal('requested')], {
  description: 'Let in, or signed in rightly and waiting to be let in.',
});

/** A user that a policy lets in, or who waits for that. Times in milliseconds. */
export const AuthPolicyUser = Type.Object({
  userId: Type.String(),
  primaryEmail: nullable(Type.String()),
  username: nullable(Type.String()),
  name: nullable(Type.String()),
  avatar: nullable(Type.String()),
  status: approval,
  createdAt: Type.Integer(),
  updatedAt: Type.Integer(),
});
export type AuthPolicyUser = Static<typeof AuthPolicyUser>;

export const AuthPolicyUsersQuery = Type.Object({ ...PagingQuery.properties, status: Type.Optional(approval) });
export type AuthPolicyUsersQuery = Static<typeof AuthPolicyUsersQuery>;

export const ApproveUsers = Type.Object({
  userIds: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems: 1, maxItems: 1000 }),
});
export type ApproveUsers = Static<typeof ApproveUsers>;
