import { type Kysely, PostgresAdapter, sql } from 'kysely';

/** The tables of the machine-to-machine core. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema;
  const ofTenant = (table: string) =>
    schema
      .createTable(table)
      .addColumn('tenant_id', 'text', (c) => c.notNull().references('tenants.id').onDelete('cascade'));

  // Text that is sorted, or searched by its beginning, is compared by code point on both engines (SQLite's own way).
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter;
  const sortedText = isPostgres ? sql`text collate "C"` : 'text';

  await schema
    .createTable('installation')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();

  await schema
    .createTable('tenants')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('environment', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('default_audience', 'text')
    .addColumn('extras', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute();

  await ofTenant('signing_keys')
    .addColumn('kid', 'text', (c) => c.notNull())
    .addColumn('alg', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('public_jwk', 'text', (c) => c.notNull())
    .addColumn('private_key', 'text', (c) => c.notNull())
    .addColumn('certificate', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('current_since', 'bigint')
    .addColumn('current_until', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .addPrimaryKeyConstraint('signing_keys_pk', ['tenant_id', 'kid'])
    .execute();
  // At most one key of an algorithm signs, and one waits.
  for (const state of ['current', 'next']) {
    await schema
      .createIndex(`signing_keys_${state}`)
      .unique()
      .on('signing_keys')
      .columns(['tenant_id', 'alg'])
      .where(sql.ref('state'), '=', sql.lit(state))
      .execute();
  }

  await ofTenant('resource_servers')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('identifier', 'text', (c) => c.notNull())
    .addColumn('system_kind', 'text')
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('signing_alg', 'text', (c) => c.notNull())
    .addColumn('signing_secret', 'text')
    .addColumn('token_lifetime_seconds', 'integer', (c) => c.notNull())
    .addColumn('token_dialect', 'text', (c) => c.notNull())
    .addColumn('client_policy', 'text', (c) => c.notNull())
    .addColumn('user_policy', 'text', (c) => c.notNull())
    .addColumn('extras', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('resource_servers_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('resource_servers_identifier', ['tenant_id', 'identifier'])
    .execute();
  await schema
    .createIndex('resource_servers_created')
    .on('resource_servers')
    .columns(['tenant_id', 'created_at', 'id'])
    .execute();

  await ofTenant('scopes')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('resource_server_id', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('position', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('scopes_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('scopes_value', ['tenant_id', 'resource_server_id', 'value'])
    .addForeignKeyConstraint(
      'scopes_resource_server',
      ['tenant_id', 'resource_server_id'],
      'resource_servers',
      ['tenant_id', 'id'],
      (c) => c.onDelete('cascade'),
    )
    .execute();

  await ofTenant('clients')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('type', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('first_party', 'integer', (c) => c.notNull())
    .addColumn('grant_types', 'text', (c) => c.notNull())
    .addColumn('auth_method', 'text')
    .addColumn('resource_server_id', 'text')
    .addColumn('metadata', 'text', (c) => c.notNull())
    .addColumn('extras', 'text', (c) => c.notNull())
    .addColumn('owner_organization_id', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('clients_pk', ['tenant_id', 'id'])
    .addForeignKeyConstraint('clients_resource_server', ['tenant_id', 'resource_server_id'], 'resource_servers', [
      'tenant_id',
      'id',
    ])
    .execute();
  await schema.createIndex('clients_created').on('clients').columns(['tenant_id', 'created_at', 'id']).execute();
  await schema
    .createIndex('clients_of_resource_server')
    .on('clients')
    .columns(['tenant_id', 'resource_server_id'])
    .where(sql.ref('resource_server_id'), 'is not', null)
    .execute();

  await ofTenant('credentials')
    .addColumn('client_id', 'text', (c) => c.notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('secret_hash', 'text')
    .addColumn('secret_prefix', 'text')
    .addColumn('public_jwk', 'text')
    .addColumn('alg', 'text')
    .addColumn('kid', 'text')
    .addColumn('enabled', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('last_used_at', 'bigint')
    .addPrimaryKeyConstraint('credentials_pk', ['tenant_id', 'client_id', 'id'])
    .addForeignKeyConstraint('credentials_client', ['tenant_id', 'client_id'], 'clients', ['tenant_id', 'id'], (c) =>
      c.onDelete('cascade'),
    )
    .execute();

  await ofTenant('client_grants')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('client_id', 'text')
    .addColumn('resource_server_id', 'text', (c) => c.notNull())
    .addColumn('subject_type', 'text', (c) => c.notNull())
    .addColumn('all_scopes', 'integer', (c) => c.notNull())
    .addColumn('organization_usage', 'text')
    .addColumn('any_organization', 'integer')
    .addColumn('extras', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('client_grants_pk', ['tenant_id', 'id'])
    .addForeignKeyConstraint('client_grants_client', ['tenant_id', 'client_id'], 'clients', ['tenant_id', 'id'], (c) =>
      c.onDelete('cascade'),
    )
    .addForeignKeyConstraint(
      'client_grants_resource_server',
      ['tenant_id', 'resource_server_id'],
      'resource_servers',
      ['tenant_id', 'id'],
      (c) => c.onDelete('cascade'),
    )
    .execute();
  await schema
    .createIndex('client_grants_client_api')
    .unique()
    .on('client_grants')
    .columns(['tenant_id', 'client_id', 'resource_server_id', 'subject_type'])
    .execute();
  // A null client is distinct from itself in the index above: the default grant needs its own.
  await schema
    .createIndex('client_grants_default')
    .unique()
    .on('client_grants')
    .columns(['tenant_id', 'resource_server_id', 'subject_type'])
    .where(sql.ref('client_id'), 'is', null)
    .execute();
  await schema
    .createIndex('client_grants_api')
    .on('client_grants')
    .columns(['tenant_id', 'resource_server_id', 'created_at', 'id'])
    .execute();
  await schema
    .createIndex('client_grants_created')
    .on('client_grants')
    .columns(['tenant_id', 'created_at', 'id'])
    .execute();

  await ofTenant('client_grant_scopes')
    .addColumn('client_grant_id', 'text', (c) => c.notNull())
    .addColumn('scope_id', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('client_grant_scopes_pk', ['tenant_id', 'client_grant_id', 'scope_id'])
    .addForeignKeyConstraint(
      'client_grant_scopes_grant',
      ['tenant_id', 'client_grant_id'],
      'client_grants',
      ['tenant_id', 'id'],
      (c) => c.onDelete('cascade'),
    )
    .addForeignKeyConstraint(
      'client_grant_scopes_scope',
      ['tenant_id', 'scope_id'],
      'scopes',
      ['tenant_id', 'id'],
      (c) => c.onDelete('cascade'),
    )
    .execute();
  await schema
    .createIndex('client_grant_scopes_of_scope')
    .on('client_grant_scopes')
    .columns(['tenant_id', 'scope_id'])
    .execute();

  await ofTenant('users')
    .addColumn('id', sortedText, (c) => c.notNull())
    .addColumn('email', 'text')
    .addColumn('email_key', sortedText)
    .addColumn('email_verified', 'integer', (c) => c.notNull())
    .addColumn('username', 'text')
    .addColumn('username_key', sortedText)
    .addColumn('phone', sortedText)
    .addColumn('phone_verified', 'integer', (c) => c.notNull())
    .addColumn('name', sortedText)
    .addColumn('nickname', 'text')
    .addColumn('given_name', 'text')
    .addColumn('family_name', 'text')
    .addColumn('picture', 'text')
    .addColumn('user_metadata', 'text')
    .addColumn('app_metadata', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('password_hash', 'text')
    .addColumn('logins_count', 'bigint', (c) => c.notNull())
    .addColumn('last_login_at', 'bigint')
    .addColumn('last_ip', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('users_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('users_email', ['tenant_id', 'email_key'])
    .addUniqueConstraint('users_username', ['tenant_id', 'username_key'])
    .addUniqueConstraint('users_phone', ['tenant_id', 'phone'])
    .execute();
  await schema.createIndex('users_created').on('users').columns(['tenant_id', 'created_at', 'id']).execute();

  await ofTenant('user_terms')
    .addColumn('field', sortedText, (c) => c.notNull())
    .addColumn('value', sortedText, (c) => c.notNull())
    .addColumn('user_id', sortedText, (c) => c.notNull())
    .addPrimaryKeyConstraint('user_terms_pk', ['tenant_id', 'field', 'value', 'user_id'])
    .addForeignKeyConstraint('user_terms_user', ['tenant_id', 'user_id'], 'users', ['tenant_id', 'id'], (c) =>
      c.onDelete('cascade'),
    )
    .execute();
  await schema.createIndex('user_terms_of_user').on('user_terms').columns(['tenant_id', 'user_id']).execute();

  await ofTenant('revoked_tokens')
    .addColumn('jti', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('revoked_tokens_pk', ['tenant_id', 'jti'])
    .execute();
  await schema.createIndex('revoked_tokens_expiry').on('revoked_tokens').columns(['tenant_id', 'expires_at']).execute();

  await ofTenant('used_assertions')
    .addColumn('client_id', 'text', (c) => c.notNull())
    .addColumn('jti', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('used_assertions_pk', ['tenant_id', 'client_id', 'jti'])
    .execute();
  await schema
    .createIndex('used_assertions_expiry')
    .on('used_assertions')
    .columns(['tenant_id', 'expires_at'])
    .execute();

  await ofTenant('log_events')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('client_id', 'text')
    .addColumn('client_name', 'text')
    .addColumn('user_id', 'text')
    .addColumn('audience', 'text')
    .addColumn('scope', 'text')
    .addColumn('token_id', 'text')
    .addColumn('reason', 'text')
    .addColumn('description', 'text')
    .addColumn('ip', 'text')
    .addColumn('user_agent', 'text')
    .addColumn('host', 'text')
    .addColumn('occurrences', 'integer', (c) => c.notNull())
    .addColumn('details', 'text')
    .addPrimaryKeyConstraint('log_events_pk', ['tenant_id', 'id'])
    // One tree instead of two on SQLite: it grows at its end, by a row a token.
    .$call((table) => (isPostgres ? table : table.modifyEnd(sql`without rowid`)))
    .execute();
  // Most events are of clients and have no user: they cost this index nothing.
  await schema
    .createIndex('log_events_of_user')
    .on('log_events')
    .columns(['tenant_id', 'user_id', 'id'])
    .where(sql.ref('user_id'), 'is not', null)
    .execute();
}
