/**
 * The tables, as rows. Portable types only: text, integers (times in milliseconds, flags 0 or 1), JSON as text.
 * `tenant_id` is the first column of every primary key and index, so that the tables can be sharded by tenant.
 * Rows are mapped to entities in `domain/`, in one place each.
 */
export type Flag = 0 | 1;

export interface Schema {
  installation: InstallationTable;
  tenants: TenantTable;
  signing_keys: SigningKeyTable;
  resource_servers: ResourceServerTable;
  scopes: ScopeTable;
  clients: ClientTable;
  credentials: CredentialTable;
  client_grants: ClientGrantTable;
  client_grant_scopes: ClientGrantScopeTable;
  users: UserTable;
  user_terms: UserTermTable;
  revoked_tokens: RevokedTokenTable;
  used_assertions: UsedAssertionTable;
  log_events: LogEventTable;
  organizations: OrganizationTable;
  organization_scopes: OrganizationScopeTable;
  roles: RoleTable;
  role_scopes: RoleScopeTable;
  role_organization_scopes: RoleOrganizationScopeTable;
  role_assignments: RoleAssignmentTable;
  memberships: MembershipTable;
  membership_roles: MembershipRoleTable;
  organization_client_grants: OrganizationClientGrantTable;
  organization_invitations: OrganizationInvitationTable;
  organization_invitation_roles: OrganizationInvitationRoleTable;
  organization_email_domains: OrganizationEmailDomainTable;
  organization_jit_roles: OrganizationJitRoleTable;
  resource_server_aliases: ResourceServerAliasTable;
  idempotency_keys: IdempotencyKeyTable;
  sessions: SessionTable;
  interactions: InteractionTable;
  pushed_requests: PushedRequestTable;
  authorizations: AuthorizationTable;
  refresh_tokens: RefreshTokenTable;
  opaque_tokens: OpaqueTokenTable;
  device_authorizations: DeviceAuthorizationTable;
  subject_tokens: SubjectTokenTable;
  consents: ConsentTable;
  client_origins: ClientOriginTable;
  used_proofs: UsedProofTable;
  initial_access_tokens: InitialAccessTokenTable;
  client_registrations: ClientRegistrationTable;
  setup_links: SetupLinkTable;
  logout_notices: LogoutNoticeTable;
  auth_policies: AuthPolicyTable;
  auth_policy_domains: AuthPolicyDomainTable;
  auth_policy_users: AuthPolicyUserTable;
  identities: IdentityTable;
  upstream_requests: UpstreamRequestTable;
  api_keys: ApiKeyTable;
}

/** Which of the tenant's two issuers something belongs to. */
export type IssuerName = 'root' | 'oidc';

/** Facts of the installation as a whole: the master key's check value. */
export interface InstallationTable {
  name: string;
  value: string;
}

export interface TenantTable {
  id: string;
  name: string;
  environment: 'development' | 'staging' | 'production';
  status: 'active' | 'suspended';
  /** Audience of a token request that names none. */
  default_audience: string | null;
  /** JSON: what only a dialect knows, by dialect. */
  extras: string;
  /** JSON: how its pages look, who may sign up. */
  sign_in: string;
  created_at: number;
  updated_at: number;
}

export interface SigningKeyTable {
  tenant_id: string;
  kid: string;
  alg: string;
  state: 'next' | 'current' | 'previous' | 'revoked';
  /** JSON Web Key, public members only. */
  public_jwk: string;
  /** PKCS #8 PEM, encrypted under the master key. */
  private_key: string;
  /** PEM, self-signed; null where the algorithm has none. */
  certificate: string | null;
  created_at: number;
  current_since: number | null;
  current_until: number | null;
  revoked_at: number | null;
}

export interface ResourceServerTable {
  tenant_id: string;
  id: string;
  identifier: string;
  /** Which management audience it is; null for everybody's own APIs. */
  system_kind: string | null;
  name: string;
  signing_alg: string;
  /** HS256 only, encrypted under the master key. */
  signing_secret: string | null;
  token_lifetime_seconds: number;
  token_dialect: string;
  client_policy: 'require_client_grant' | 'deny_all';
  user_policy: 'allow_all' | 'require_client_grant' | 'deny_all';
  extras: string;
  created_at: number;
  updated_at: number;
}

export interface ScopeTable {
  tenant_id: string;
  id: string;
  resource_server_id: string;
  value: string;
  description: string | null;
  position: number;
}

export interface ClientTable {
  tenant_id: string;
  id: string;
  name: string;
  description: string | null;
  type: string | null;
  status: 'active' | 'disabled';
  first_party: Flag;
  /** JSON array. */
  grant_types: string;
  auth_method: string | null;
  /** The API this client is, when it is one (it may introspect that API's tokens). */
  resource_server_id: string | null;
  /** JSON object of strings. */
  metadata: string;
  extras: string;
  /** JSON: what counts where people sign in to it (`ClientSignIn`). */
  sign_in: string;
  owner_organization_id: string | null;
  created_at: number;
  updated_at: number;
}

/** A client secret, a client key, or a certificate (RFC 8705). */
export interface CredentialTable {
  tenant_id: string;
  client_id: string;
  id: string;
  kind: 'secret' | 'key' | 'certificate';
  name: string;
  /** Distinguished name of the subject (RFC 4514), where any certificate of a trusted authority with it will do. */
  certificate_subject: string | null;
  /** SHA-256 of a self-signed certificate, base64url. */
  certificate_thumbprint: string | null;
  /** SHA-256 of a secret, hexadecimal. */
  secret_hash: string | null;
  secret_prefix: string | null;
  /** JSON Web Key of a client key. */
  public_jwk: string | null;
  alg: string | null;
  kid: string | null;
  /** A key counts only while the client's authentication refers to it. */
  enabled: Flag;
  created_at: number;
  updated_at: number;
  expires_at: number | null;
  last_used_at: number | null;
}

export interface ClientGrantTable {
  tenant_id: string;
  id: string;
  /** Null for the default grant of third-party clients. */
  client_id: string | null;
  resource_server_id: string;
  subject_type: 'client' | 'user';
  all_scopes: Flag;
  organization_usage: 'deny' | 'allow' | 'require' | null;
  any_organization: Flag | null;
  extras: string;
  created_at: number;
  updated_at: number;
}

export interface ClientGrantScopeTable {
  tenant_id: string;
  client_grant_id: string;
  scope_id: string;
  position: number;
}

export interface UserTable {
  tenant_id: string;
  id: string;
  email: string | null;
  /** Normalised for comparison; unique in the tenant. */
  email_key: string | null;
  email_verified: Flag;
  username: string | null;
  username_key: string | null;
  phone: string | null;
  phone_verified: Flag;
  name: string | null;
  nickname: string | null;
  given_name: string | null;
  family_name: string | null;
  picture: string | null;
  /** JSON; null until set. */
  user_metadata: string | null;
  app_metadata: string | null;
  status: 'active' | 'blocked' | 'awaiting_approval';
  password_hash: string | null;
  logins_count: number;
  last_login_at: number | null;
  last_ip: string | null;
  /** The organization whose subtree this person belongs to; null: the tenant's. */
  owner_organization_id: string | null;
  /** The application whose user this is, if it is one's. */
  client_id: string | null;
  /** JSON: further claims about the person (OpenID Connect Core §5.1). */
  profile: string;
  created_at: number;
  updated_at: number;
}

/** What a user can be found by, beside its identities: names and the values in its metadata. */
export interface UserTermTable {
  tenant_id: string;
  field: string;
  /** Folded or cut as its field asks; compared by code point. */
  value: string;
  user_id: string;
}

/** Revoked access tokens, kept until they would have expired. */
export interface RevokedTokenTable {
  tenant_id: string;
  jti: string;
  expires_at: number;
}

/** Client assertions that were used, kept until they would have expired (RFC 7523 §3, item 7). */
export interface UsedAssertionTable {
  tenant_id: string;
  client_id: string;
  jti: string;
  expires_at: number;
}

/** A customer, team or account; organizations form a tree. */
export interface OrganizationTable {
  tenant_id: string;
  id: string;
  /** Null: a root. */
  parent_id: string | null;
  /** Labels of all ancestors and its own, each followed by `/`; the subtree is one range of it. */
  path: string;
  /** Unique in the tenant; lower-case. */
  slug: string;
  name: string;
  /** Folded, for search. */
  name_key: string;
  description: string | null;
  status: 'active' | 'suspended';
  mfa_required: Flag;
  /** JSON object. */
  metadata: string;
  extras: string;
  /** JSON array: the policies that people come in by; null: as the one above it says, or any. */
  auth_policy_ids: string | null;
  created_at: number;
  updated_at: number;
}

export interface OrganizationScopeTable {
  tenant_id: string;
  id: string;
  name: string;
  description: string | null;
  created_at: number;
}

/** A tenant-wide role, an organization role, or both. */
export interface RoleTable {
  tenant_id: string;
  id: string;
  name: string;
  /** Folded; unique at its level. */
  name_key: string;
  description: string | null;
  level: 'tenant' | 'organization' | 'both';
  /** Whom it can be given to. */
  subject_kind: SubjectKind;
  /** Given to every new user. */
  is_default: Flag;
  is_owner: Flag;
  extras: string;
  created_at: number;
  updated_at: number;
}

export type SubjectKind = 'user' | 'client';

export interface RoleScopeTable {
  tenant_id: string;
  role_id: string;
  scope_id: string;
}

export interface RoleOrganizationScopeTable {
  tenant_id: string;
  role_id: string;
  organization_scope_id: string;
}

/** A tenant-wide role of a user or a client. */
export interface RoleAssignmentTable {
  tenant_id: string;
  subject_id: string;
  role_id: string;
  subject_kind: SubjectKind;
  created_at: number;
}

/** A user or a client inside an organization. */
export interface MembershipTable {
  tenant_id: string;
  id: string;
  organization_id: string;
  subject_id: string;
  subject_kind: SubjectKind;
  /** 1: its roles do not count below the organization. */
  this_organization_only: Flag;
  created_at: number;
  updated_at: number;
}

export interface MembershipRoleTable {
  tenant_id: string;
  membership_id: string;
  role_id: string;
}

/** A client grant listed at an organization reaches it, and not its children. */
export interface OrganizationClientGrantTable {
  tenant_id: string;
  organization_id: string;
  client_grant_id: string;
  created_at: number;
}

export interface OrganizationInvitationTable {
  tenant_id: string;
  id: string;
  organization_id: string;
  inviter_id: string | null;
  inviter_name: string | null;
  /** E-mail address as it is shown. */
  invitee: string;
  invitee_key: string;
  /** `pending` past `expires_at` has expired. */
  status: 'pending' | 'accepted' | 'expired' | 'revoked';
  /** SHA-256 of the ticket, hexadecimal. */
  ticket_hash: string;
  accepted_user_id: string | null;
  extras: string;
  created_at: number;
  updated_at: number;
  expires_at: number;
}

export interface OrganizationInvitationRoleTable {
  tenant_id: string;
  invitation_id: string;
  role_id: string;
}

/** Users with a verified e-mail address of this domain become members just in time. */
export interface OrganizationEmailDomainTable {
  tenant_id: string;
  organization_id: string;
  domain: string;
}

export interface OrganizationJitRoleTable {
  tenant_id: string;
  organization_id: string;
  role_id: string;
}

/** Further identifiers of a management audience. */
export interface ResourceServerAliasTable {
  tenant_id: string;
  alias: string;
  resource_server_id: string;
}

/** What a repeated POST of the native API is answered with. */
export interface IdempotencyKeyTable {
  tenant_id: string;
  client_id: string;
  /** Method and path as they were called. */
  route: string;
  key_hash: string;
  body_hash: string;
  status: number;
  /** JSON, secrets as null. */
  answer: string;
  expires_at: number;
}

export interface LogEventTable {
  tenant_id: string;
  /** Sorts by time. */
  id: string;
  at: number;
  kind: string;
  /** The client that asked or acted. */
  client_id: string | null;
  client_name: string | null;
  user_id: string | null;
  audience: string | null;
  scope: string | null;
  /** `jti` of the token issued, revoked or used. */
  token_id: string | null;
  /** Stable code of why it was refused. */
  reason: string | null;
  description: string | null;
  ip: string | null;
  user_agent: string | null;
  host: string | null;
  /** How many like it this row stands for. */
  occurrences: number;
  /** JSON. */
  details: string | null;
}

/** A browser, or an app, that somebody signed in with. */
export interface SessionTable {
  tenant_id: string;
  /** Public: the claim `sid`. */
  id: string;
  /** SHA-256 of what the browser's cookie, or the app, holds. */
  secret_hash: string;
  user_id: string;
  /** JSON array: how the person proved who it is (RFC 8176). */
  amr: string;
  /** The policy it was begun by; `password`: the built-in one. */
  auth_policy_id: string;
  /** The app that holds it; null: a browser. */
  client_id: string | null;
  /** What the app calls the device it runs on. */
  device: string | null;
  ip: string | null;
  user_agent: string | null;
  authenticated_at: number;
  created_at: number;
  expires_at: number;
}

/** An authorization request that waits for a person, bound to the browser that began it. */
export interface InteractionTable {
  tenant_id: string;
  id: string;
  /** SHA-256 of what the browser's cookie holds. */
  browser_hash: string;
  issuer: IssuerName;
  client_id: string;
  /** JSON: the checked request (`AuthorizationRequest`). */
  request: string;
  /** The organization that was chosen on the page. */
  organization_id: string | null;
  /** The session whose account was confirmed on the page. */
  account_session_id: string | null;
  /** The pushed request it came from; used up with it. */
  pushed_request_hash: string | null;
  created_at: number;
  expires_at: number;
}

export interface PushedRequestTable {
  tenant_id: string;
  uri_hash: string;
  issuer: IssuerName;
  client_id: string;
  request: string;
  expires_at: number;
}

/** What a person let a client do; with it end all codes and tokens that rest on it. */
export interface AuthorizationTable {
  tenant_id: string;
  id: string;
  issuer: IssuerName;
  user_id: string;
  client_id: string;
  /** JSON array: scopes of OpenID Connect and of APIs alike. */
  scopes: string;
  /** JSON array: the audiences that tokens may be for. */
  audiences: string;
  /** JSON array. */
  amr: string;
  /** The policy its person signed in by; null: nobody signed in, an administrator lets the client act. */
  auth_policy_id: string | null;
  /** It ends with this session; null: it goes on (`offline_access`). */
  session_id: string | null;
  /** The session it was granted in, whether or not it ends with it: its client is told of the logout. */
  granted_in_session_id: string | null;
  /** The one it came from by token exchange; it ends with that. */
  parent_id: string | null;
  /** The organization it is for. */
  organization_id: string | null;
  /** JSON: who acts for the person (RFC 8693 §4.1). */
  actor: string | null;
  /** SHA-256 of the authorization code; null where there never was one. */
  code_hash: string | null;
  redirect_uri: string | null;
  /** S256 (RFC 7636). */
  code_challenge: string | null;
  nonce: string | null;
  /** The key the code is bound to (RFC 9449 §10). */
  dpop_thumbprint: string | null;
  code_used_at: number | null;
  authenticated_at: number;
  created_at: number;
  /** Until its code is used, the code's. */
  expires_at: number;
}

export interface RefreshTokenTable {
  tenant_id: string;
  token_hash: string;
  authorization_id: string;
  client_id: string;
  dpop_thumbprint: string | null;
  certificate_thumbprint: string | null;
  created_at: number;
  expires_at: number;
  /** When it was exchanged for its successor. */
  used_at: number | null;
}

export interface OpaqueTokenTable {
  tenant_id: string;
  token_hash: string;
  authorization_id: string;
  client_id: string;
  /** Space-joined. */
  scopes: string;
  dpop_thumbprint: string | null;
  certificate_thumbprint: string | null;
  created_at: number;
  expires_at: number;
}

export interface DeviceAuthorizationTable {
  tenant_id: string;
  device_code_hash: string;
  user_code: string;
  issuer: IssuerName;
  client_id: string;
  scopes: string;
  audiences: string;
  status: 'pending' | 'approved' | 'denied' | 'used';
  organization_id: string | null;
  /** Once it is approved. */
  authorization_id: string | null;
  interval_seconds: number;
  created_at: number;
  expires_at: number;
  polled_at: number | null;
}

export interface SubjectTokenTable {
  tenant_id: string;
  token_hash: string;
  user_id: string;
  /** JSON object. */
  context: string;
  created_at: number;
  expires_at: number;
  used_at: number | null;
}

export interface ConsentTable {
  tenant_id: string;
  user_id: string;
  client_id: string;
  /** JSON arrays. */
  scopes: string;
  audiences: string;
  organization_ids: string;
  created_at: number;
  updated_at: number;
}

/** Where pages of a client are from (scheme, host and port), as browsers say it. */
export interface ClientOriginTable {
  tenant_id: string;
  origin: string;
  client_id: string;
}

/** DPoP proofs that were used, kept while they could be replayed. */
export interface UsedProofTable {
  tenant_id: string;
  thumbprint: string;
  jti: string;
  expires_at: number;
}

export interface InitialAccessTokenTable {
  tenant_id: string;
  id: string;
  token_hash: string;
  name: string;
  uses_left: number;
  created_at: number;
  expires_at: number;
}

/** The token that lets a dynamically registered client manage its own registration. */
export interface ClientRegistrationTable {
  tenant_id: string;
  client_id: string;
  token_hash: string;
  created_at: number;
}

export interface SetupLinkTable {
  tenant_id: string;
  token_hash: string;
  purpose: 'first_administrator';
  created_at: number;
  expires_at: number;
}

/** A client that is still to be told of a logout. */
export interface LogoutNoticeTable {
  tenant_id: string;
  id: string;
  issuer: IssuerName;
  client_id: string;
  uri: string;
  user_id: string;
  session_id: string | null;
  attempts: number;
  created_at: number;
  due_at: number;
}

/** How people prove who they are, and who of them is let in. */
export interface AuthPolicyTable {
  tenant_id: string;
  id: string;
  /** Unique in the tenant. */
  name: string;
  /** What the sign-in page calls it; null: the name. */
  title: string | null;
  type: 'password' | 'ldap' | 'oauth1' | 'oauth2' | 'openid';
  /** JSON, as `upstream/` takes it; no secret in it. */
  configuration: string;
  /** JSON: each by its name, encrypted under the master key; null: there are none. */
  secrets: string | null;
  enabled: Flag;
  check_user_exists: Flag;
  check_user_approved: Flag;
  /** Somebody unknown is who has the same verified e-mail address here, or the same username. */
  links_by_email: Flag;
  links_by_username: Flag;
  new_user_status: 'active' | 'awaiting_approval';
  /** JSON array (`RoleMapping`). */
  role_mappings: string;
  /** JSON: what only a dialect knows, by dialect. */
  extras: string;
  created_at: number;
  updated_at: number;
}

export interface AuthPolicyDomainTable {
  tenant_id: string;
  domain: string;
  policy_id: string;
}

export interface AuthPolicyUserTable {
  tenant_id: string;
  policy_id: string;
  user_id: string;
  status: 'approved' | 'requested';
  created_at: number;
  updated_at: number;
}

/** Who a user is upstream. */
export interface IdentityTable {
  tenant_id: string;
  policy_id: string;
  issuer: string;
  subject: string;
  user_id: string;
  /** `first_sign_in`: it made the user; `name`: what the upstream said named the user. */
  linked_by: 'administrator' | 'first_sign_in' | 'name';
  /** What the person was called there at the latest sign-in. */
  username: string | null;
  email: string | null;
  created_at: number;
  last_used_at: number;
}

/** A browser on its way to an upstream and back. */
export interface UpstreamRequestTable {
  tenant_id: string;
  state_hash: string;
  policy_id: string;
  /** What it is for (`UpstreamPurpose`), JSON. */
  purpose: string;
  /** JSON, encrypted: what the upstream's client has to remember. */
  kept: string;
  /** SHA-256 of what the browser's cookie holds; null: no browser has begun it yet. */
  browser_hash: string | null;
  created_at: number;
  expires_at: number;
}

/** What lets a program act with part of what its maker may do. */
export interface ApiKeyTable {
  tenant_id: string;
  id: string;
  key_hash: string;
  prefix: string;
  label: string;
  /** JSON array. */
  scopes: string;
  /** Who made it. */
  client_id: string;
  user_id: string | null;
  created_at: number;
  expires_at: number;
  last_used_at: number | null;
}
