/** Auth policies: how people prove who they are, and who of them is let in. */
import type { Schema } from '../../storage/schema.ts';
import type { LdapConfiguration, LdapSecrets } from '../../upstream/ldap/configuration.ts';
import type { OAuth1Configuration, OAuth1Secrets } from '../../upstream/oauth1/configuration.ts';
import type { OAuth2Configuration, OAuth2Secrets, OidcConfiguration } from '../../upstream/oauth2/configuration.ts';
import type { Extras } from '../clients/client.ts';
import type { Services } from '../context.ts';

/** What a policy is made of, by its type. */
export type TypedConfiguration =
  | { readonly type: 'password'; readonly configuration: Readonly<Record<string, never>> }
  | { readonly type: 'ldap'; readonly configuration: LdapConfiguration }
  | { readonly type: 'oauth1'; readonly configuration: OAuth1Configuration }
  | { readonly type: 'oauth2'; readonly configuration: OAuth2Configuration }
  | { readonly type: 'openid'; readonly configuration: OidcConfiguration };

export type AuthPolicyType = TypedConfiguration['type'];
export type RedirectingType = 'oauth1' | 'oauth2' | 'openid';

/** What a policy proves itself with upstream, by name. */
export type AuthPolicySecrets = LdapSecrets & OAuth1Secrets & OAuth2Secrets;
export type SecretName = keyof AuthPolicySecrets;

/** Members of a group upstream have these roles in an organization here, from each sign-in on. */
export interface RoleMapping {
  readonly group: string;
  readonly organizationId: string;
  readonly roleIds: readonly string[];
}

interface Facts {
  /** 24 lower-case letters and digits. */
  readonly id: string;
  /** Unique in the tenant. */
  readonly name: string;
  /** What the sign-in page calls it; null: the name. */
  readonly title: string | null;
  readonly enabled: boolean;
  /** Nobody gets in who is not a user here already; otherwise the first sign-in makes one. */
  readonly checkUserExists: boolean;
  /** Nobody gets in who was not approved for this policy. */
  readonly checkUserApproved: boolean;
  /** Somebody who is not linked yet is the user with the same verified e-mail address, or the same username. */
  readonly linksByEmail: boolean;
  readonly linksByUsername: boolean;
  /** Of users that a first sign-in makes. */
  readonly newUserStatus: 'active' | 'awaiting_approval';
  readonly roleMappings: readonly RoleMapping[];
  /** The secrets that are set; their values are never told. */
  readonly secrets: readonly SecretName[];
  /** What only a dialect knows, by dialect. */
  readonly extras: Extras;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type AuthPolicy = Facts & TypedConfiguration;
export type PolicyOfType<Type extends AuthPolicyType> = Facts & Extract<TypedConfiguration, { type: Type }>;

/** What a secret is shown as; sent back in an update it means the one that is kept. */
export const secretMask = '********';

/**
 * The built-in policy: a password that is kept here. It has no row; lists of policies name it, and it is what people
 * signed in by where nothing else is said.
 */
export const builtInPasswordId = 'password';

export type AuthPolicyRow = Schema['auth_policies'];

/** Maps a row; secrets stay encrypted (`secretsOf`). */
export function authPolicyOf(row: AuthPolicyRow): AuthPolicy {
  const typed = { type: row.type, configuration: JSON.parse(row.configuration) } as TypedConfiguration;
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    enabled: row.enabled === 1,
    checkUserExists: row.check_user_exists === 1,
    checkUserApproved: row.check_user_approved === 1,
    linksByEmail: row.links_by_email === 1,
    linksByUsername: row.links_by_username === 1,
    newUserStatus: row.new_user_status,
    roleMappings: JSON.parse(row.role_mappings) as RoleMapping[],
    secrets: Object.keys(ciphertextsOf(row)) as SecretName[],
    extras: JSON.parse(row.extras) as Extras,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...typed,
  };
}

type Ciphertexts = Partial<Record<SecretName, string>>;

const ciphertextsOf = ({ secrets }: Pick<AuthPolicyRow, 'secrets'>): Ciphertexts =>
  secrets === null ? {} : (JSON.parse(secrets) as Ciphertexts);

const contextOf = ({ tenant_id, id }: Pick<AuthPolicyRow, 'tenant_id' | 'id'>, name: string): string =>
  `auth policy ${tenant_id} ${id} ${name}`;

/** What it proves itself with; for requests to the upstream only. */
export const secretsOf = (
  { cipher }: Pick<Services, 'cipher'>,
  row: Pick<AuthPolicyRow, 'tenant_id' | 'id' | 'secrets'>,
): AuthPolicySecrets =>
  Object.fromEntries(
    Object.entries(ciphertextsOf(row)).map(([name, text]) => [name, cipher.decrypt(text, contextOf(row, name))]),
  );

/** The column of secrets; null when there are none. */
export function encryptedSecrets(
  { cipher }: Pick<Services, 'cipher'>,
  row: Pick<AuthPolicyRow, 'tenant_id' | 'id'>,
  secrets: AuthPolicySecrets,
): string | null {
  const entries = Object.entries(secrets).map(([name, value]) => [name, cipher.encrypt(value, contextOf(row, name))]);
  return entries.length === 0 ? null : JSON.stringify(Object.fromEntries(entries));
}

/** Whether people give a name and a password to us; the others send them away and back. */
export const isForm = (type: AuthPolicyType): type is 'password' | 'ldap' => type === 'password' || type === 'ldap';
