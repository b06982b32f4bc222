import { type CreateTableBuilder, type Kysely, PostgresAdapter, sql } from 'kysely';

// biome-ignore lint/suspicious/noExplicitAny: any table, whatever its columns so far
type Table = CreateTableBuilder<any, any>;

/** Organizations in a tree, members, roles, the organization template, invitations; what the native API remembers. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema;
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter;
  const sortedText = isPostgres ? sql`text collate "C"` : 'text';
  const ofTenant = (table: string): Table =>
    schema
      .createTable(table)
      .addColumn('tenant_id', 'text', (c) => c.notNull().references('tenants.id').onDelete('cascade'));
  const index = (name: string, table: string, columns: string[]) => schema.createIndex(name).on(table).columns(columns);
  /** `column` names a row of `table`; with that row this one goes. */
  const owned = (builder: Table, name: string, column: string, table: string): Table =>
    builder.addForeignKeyConstraint(name, ['tenant_id', column], table, ['tenant_id', 'id'], (c) =>
      c.onDelete('cascade'),
    );

  // The tree: `parent_id` to walk up, `path` to take a whole subtree as one range (decision 0013). No foreign key says
  // that the parent exists: each verb reads it in its serializable transaction, and PostgreSQL would check it by a plan
  // made when the table was empty, which scans it (an import took 33 s instead of 2).
  await ofTenant('organizations')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('parent_id', 'text')
    .addColumn('path', sortedText, (c) => c.notNull())
    .addColumn('slug', sortedText, (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('name_key', sortedText, (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('mfa_required', 'integer', (c) => c.notNull())
    .addColumn('metadata', 'text', (c) => c.notNull())
    .addColumn('extras', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('organizations_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('organizations_path', ['tenant_id', 'path'])
    .addUniqueConstraint('organizations_slug', ['tenant_id', 'slug'])
    .execute();
  await index('organizations_created', 'organizations', ['tenant_id', 'created_at', 'id']).execute();
  await index('organizations_children', 'organizations', ['tenant_id', 'parent_id', 'created_at', 'id']).execute();
  await index('organizations_name', 'organizations', ['tenant_id', 'name_key', 'id']).execute();

  // Few are suspended: what is below one is found from these.
  await index('organizations_suspended', 'organizations', ['tenant_id', 'path'])
    .where(sql.ref('status'), '=', sql.lit('suspended'))
    .execute();

  // The template that every organization shares, and tenant-wide roles: one table of roles.
  await ofTenant('organization_scopes')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('name', sortedText, (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('organization_scopes_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('organization_scopes_name', ['tenant_id', 'name'])
    .execute();
  await index('organization_scopes_created', 'organization_scopes', ['tenant_id', 'created_at', 'id']).execute();

  await ofTenant('roles')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('name_key', sortedText, (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('level', 'text', (c) => c.notNull())
    .addColumn('subject_kind', 'text', (c) => c.notNull())
    .addColumn('is_default', 'integer', (c) => c.notNull())
    .addColumn('is_owner', 'integer', (c) => c.notNull())
    .addColumn('extras', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('roles_pk', ['tenant_id', 'id'])
    .execute();
  // A name is unique among the tenant-wide roles and among the organization roles; a role of both levels counts in both.
  for (const level of ['tenant', 'organization']) {
    await index(`roles_name_${level}`, 'roles', ['tenant_id', 'name_key'])
      .unique()
      .where(sql.ref('level'), 'in', [sql.lit(level), sql.lit('both')])
      .execute();
  }
  await index('roles_created', 'roles', ['tenant_id', 'created_at', 'id']).execute();

  let roleScopes = ofTenant('role_scopes')
    .addColumn('role_id', 'text', (c) => c.notNull())
    .addColumn('scope_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('role_scopes_pk', ['tenant_id', 'role_id', 'scope_id']);
  roleScopes = owned(roleScopes, 'role_scopes_role', 'role_id', 'roles');
  await owned(roleScopes, 'role_scopes_scope', 'scope_id', 'scopes').execute();
  await index('role_scopes_of_scope', 'role_scopes', ['tenant_id', 'scope_id']).execute();

  let roleOrganizationScopes = ofTenant('role_organization_scopes')
    .addColumn('role_id', 'text', (c) => c.notNull())
    .addColumn('organization_scope_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('role_organization_scopes_pk', ['tenant_id', 'role_id', 'organization_scope_id']);
  roleOrganizationScopes = owned(roleOrganizationScopes, 'role_organization_scopes_role', 'role_id', 'roles');
  await owned(
    roleOrganizationScopes,
    'role_organization_scopes_scope',
    'organization_scope_id',
    'organization_scopes',
  ).execute();
  await index('role_organization_scopes_of_scope', 'role_organization_scopes', [
    'tenant_id',
    'organization_scope_id',
  ]).execute();

  // Tenant-wide roles of users and clients. A subject is a user or a client: their ids are never equal.
  const assignments = ofTenant('role_assignments')
    .addColumn('subject_id', 'text', (c) => c.notNull())
    .addColumn('role_id', 'text', (c) => c.notNull())
    .addColumn('subject_kind', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('role_assignments_pk', ['tenant_id', 'subject_id', 'role_id']);
  await owned(assignments, 'role_assignments_role', 'role_id', 'roles').execute();
  await index('role_assignments_of_role', 'role_assignments', [
    'tenant_id',
    'role_id',
    'subject_kind',
    'created_at',
    'subject_id',
  ]).execute();

  const memberships = ofTenant('memberships')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('organization_id', 'text', (c) => c.notNull())
    .addColumn('subject_id', 'text', (c) => c.notNull())
    .addColumn('subject_kind', 'text', (c) => c.notNull())
    .addColumn('this_organization_only', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('memberships_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('memberships_subject', ['tenant_id', 'organization_id', 'subject_id']);
  await owned(memberships, 'memberships_organization', 'organization_id', 'organizations').execute();
  await index('memberships_of_subject', 'memberships', ['tenant_id', 'subject_id', 'created_at', 'id']).execute();
  await index('memberships_in_order', 'memberships', ['tenant_id', 'organization_id', 'created_at', 'id']).execute();

  let membershipRoles = ofTenant('membership_roles')
    .addColumn('membership_id', 'text', (c) => c.notNull())
    .addColumn('role_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('membership_roles_pk', ['tenant_id', 'membership_id', 'role_id']);
  membershipRoles = owned(membershipRoles, 'membership_roles_membership', 'membership_id', 'memberships');
  await owned(membershipRoles, 'membership_roles_role', 'role_id', 'roles').execute();
  await index('membership_roles_of_role', 'membership_roles', ['tenant_id', 'role_id', 'membership_id']).execute();

  // "This grant reaches this organization", and not its children.
  let organizationGrants = ofTenant('organization_client_grants')
    .addColumn('organization_id', 'text', (c) => c.notNull())
    .addColumn('client_grant_id', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('organization_client_grants_pk', ['tenant_id', 'organization_id', 'client_grant_id']);
  organizationGrants = owned(
    organizationGrants,
    'organization_client_grants_organization',
    'organization_id',
    'organizations',
  );
  await owned(organizationGrants, 'organization_client_grants_grant', 'client_grant_id', 'client_grants').execute();
  await index('organization_client_grants_of_grant', 'organization_client_grants', [
    'tenant_id',
    'client_grant_id',
    'organization_id',
  ]).execute();

  const invitations = ofTenant('organization_invitations')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('organization_id', 'text', (c) => c.notNull())
    .addColumn('inviter_id', 'text')
    .addColumn('inviter_name', 'text')
    .addColumn('invitee', 'text', (c) => c.notNull())
    .addColumn('invitee_key', sortedText, (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('ticket_hash', 'text', (c) => c.notNull())
    .addColumn('accepted_user_id', 'text')
    .addColumn('extras', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('organization_invitations_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('organization_invitations_ticket', ['tenant_id', 'ticket_hash']);
  await owned(invitations, 'organization_invitations_organization', 'organization_id', 'organizations').execute();
  await index('organization_invitations_in_order', 'organization_invitations', [
    'tenant_id',
    'organization_id',
    'created_at',
    'id',
  ]).execute();
  await index('organization_invitations_of_invitee', 'organization_invitations', [
    'tenant_id',
    'invitee_key',
    'created_at',
    'id',
  ]).execute();
  await index('organization_invitations_pending', 'organization_invitations', [
    'tenant_id',
    'organization_id',
    'invitee_key',
  ])
    .unique()
    .where(sql.ref('status'), '=', sql.lit('pending'))
    .execute();

  let invitationRoles = ofTenant('organization_invitation_roles')
    .addColumn('invitation_id', 'text', (c) => c.notNull())
    .addColumn('role_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('organization_invitation_roles_pk', ['tenant_id', 'invitation_id', 'role_id']);
  invitationRoles = owned(
    invitationRoles,
    'organization_invitation_roles_invitation',
    'invitation_id',
    'organization_invitations',
  );
  await owned(invitationRoles, 'organization_invitation_roles_role', 'role_id', 'roles').execute();
  await index('organization_invitation_roles_of_role', 'organization_invitation_roles', [
    'tenant_id',
    'role_id',
  ]).execute();

  const emailDomains = ofTenant('organization_email_domains')
    .addColumn('organization_id', 'text', (c) => c.notNull())
    .addColumn('domain', sortedText, (c) => c.notNull())
    .addPrimaryKeyConstraint('organization_email_domains_pk', ['tenant_id', 'organization_id', 'domain']);
  await owned(emailDomains, 'organization_email_domains_organization', 'organization_id', 'organizations').execute();
  // With the organization, so that it holds all that is asked: SQLite would rather walk over the whole primary key.
  await index('organization_email_domains_domain', 'organization_email_domains', [
    'tenant_id',
    'domain',
    'organization_id',
  ]).execute();

  let jitRoles = ofTenant('organization_jit_roles')
    .addColumn('organization_id', 'text', (c) => c.notNull())
    .addColumn('role_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('organization_jit_roles_pk', ['tenant_id', 'organization_id', 'role_id']);
  jitRoles = owned(jitRoles, 'organization_jit_roles_organization', 'organization_id', 'organizations');
  await owned(jitRoles, 'organization_jit_roles_role', 'role_id', 'roles').execute();
  await index('organization_jit_roles_of_role', 'organization_jit_roles', ['tenant_id', 'role_id']).execute();

  await schema.alterTable('users').addColumn('owner_organization_id', 'text').execute();
  await schema.alterTable('users').addColumn('client_id', 'text').execute();
  await schema
    .alterTable('users')
    .addColumn('profile', 'text', (c) => c.notNull().defaultTo('{}'))
    .execute();
  for (const [name, table, column] of [
    ['users_of_owner', 'users', 'owner_organization_id'],
    ['users_of_client', 'users', 'client_id'],
    ['clients_of_owner', 'clients', 'owner_organization_id'],
  ] as const) {
    await index(name, table, ['tenant_id', column, 'created_at', 'id'])
      .where(sql.ref(column), 'is not', null)
      .execute();
  }

  const aliases = ofTenant('resource_server_aliases')
    .addColumn('alias', 'text', (c) => c.notNull())
    .addColumn('resource_server_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('resource_server_aliases_pk', ['tenant_id', 'alias']);
  await owned(aliases, 'resource_server_aliases_of', 'resource_server_id', 'resource_servers').execute();

  await ofTenant('idempotency_keys')
    .addColumn('client_id', 'text', (c) => c.notNull())
    .addColumn('route', 'text', (c) => c.notNull())
    .addColumn('key_hash', 'text', (c) => c.notNull())
    .addColumn('body_hash', 'text', (c) => c.notNull())
    .addColumn('status', 'integer', (c) => c.notNull())
    .addColumn('answer', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('idempotency_keys_pk', ['tenant_id', 'client_id', 'route', 'key_hash'])
    .execute();
  await index('idempotency_keys_expiry', 'idempotency_keys', ['tenant_id', 'expires_at']).execute();
}
