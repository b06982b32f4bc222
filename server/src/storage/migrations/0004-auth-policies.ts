import { type Kysely, sql } from 'kysely';
import { tableParts } from './table-parts.ts';

/** How people prove who they are elsewhere: auth policies, whom they let in, who is whom there; and API keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  const { flags, index, maybeText, ofTenant, owned, text, times } = tableParts(schema);

  let table = times(
    flags(
      maybeText(
        text(
          ofTenant('auth_policies'),
          'id',
          'name',
          'type',
          'configuration',
          'new_user_status',
          'role_mappings',
          'extras',
        ),
        'title',
        'secrets',
      ),
      'enabled',
      'check_user_exists',
      'check_user_approved',
      'links_by_email',
      'links_by_username',
    ),
    'created_at',
    'updated_at',
  )
    .addPrimaryKeyConstraint('auth_policies_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('auth_policies_name', ['tenant_id', 'name']);
  await table.execute();

  // Whose e-mail address ends like this is sent to the policy.
  table = text(ofTenant('auth_policy_domains'), 'domain', 'policy_id').addPrimaryKeyConstraint(
    'auth_policy_domains_pk',
    ['tenant_id', 'domain'],
  );
  await owned(table, 'auth_policy_domains_of', 'policy_id', 'auth_policies').execute();
  await index('auth_policy_domains_policy', 'auth_policy_domains', ['tenant_id', 'policy_id']);

  // Whom the policy lets in, and who waits for that.
  table = times(
    text(ofTenant('auth_policy_users'), 'policy_id', 'user_id', 'status'),
    'created_at',
    'updated_at',
  ).addPrimaryKeyConstraint('auth_policy_users_pk', ['tenant_id', 'policy_id', 'user_id']);
  table = owned(table, 'auth_policy_users_of', 'policy_id', 'auth_policies');
  await owned(table, 'auth_policy_users_user', 'user_id', 'users').execute();
  await index('auth_policy_users_by_user', 'auth_policy_users', ['tenant_id', 'user_id']);
  await index('auth_policy_users_by_status', 'auth_policy_users', ['tenant_id', 'policy_id', 'status', 'created_at']);

  // Who somebody is upstream; compared byte for byte.
  table = times(
    maybeText(
      text(ofTenant('identities'), 'policy_id', 'issuer', 'subject', 'user_id', 'linked_by'),
      'username',
      'email',
    ),
    'created_at',
    'last_used_at',
  ).addPrimaryKeyConstraint('identities_pk', ['tenant_id', 'policy_id', 'issuer', 'subject']);
  table = owned(table, 'identities_of', 'policy_id', 'auth_policies');
  await owned(table, 'identities_user', 'user_id', 'users').execute();
  await index('identities_by_user', 'identities', ['tenant_id', 'user_id']);

  // A browser that was sent to an upstream and is to come back, once.
  table = times(
    maybeText(text(ofTenant('upstream_requests'), 'state_hash', 'policy_id', 'purpose', 'kept'), 'browser_hash'),
    'created_at',
    'expires_at',
  ).addPrimaryKeyConstraint('upstream_requests_pk', ['tenant_id', 'state_hash']);
  await owned(table, 'upstream_requests_of', 'policy_id', 'auth_policies').execute();
  await index('upstream_requests_expiry', 'upstream_requests', ['tenant_id', 'expires_at']);
  await index('upstream_requests_policy', 'upstream_requests', ['tenant_id', 'policy_id']);

  // What lets a program act with part of what its maker may.
  table = times(
    maybeText(text(ofTenant('api_keys'), 'id', 'key_hash', 'prefix', 'label', 'scopes', 'client_id'), 'user_id'),
    'created_at',
    'expires_at',
  )
    .addColumn('last_used_at', 'bigint')
    .addPrimaryKeyConstraint('api_keys_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('api_keys_hash', ['tenant_id', 'key_hash']);
  table = owned(table, 'api_keys_client', 'client_id', 'clients');
  await owned(table, 'api_keys_user', 'user_id', 'users').execute();
  await index('api_keys_of_client', 'api_keys', ['tenant_id', 'client_id']);
  await index('api_keys_of_user', 'api_keys', ['tenant_id', 'user_id']);
  await index('api_keys_expiry', 'api_keys', ['tenant_id', 'expires_at']);

  // By what policy somebody signed in; and sessions of an app instead of a browser.
  for (const name of ['sessions', 'authorizations']) {
    await schema
      .alterTable(name)
      .addColumn('auth_policy_id', 'text', (c) => c.defaultTo('password'))
      .execute();
    await schema
      .createIndex(`${name}_auth_policy`)
      .on(name)
      .columns(['tenant_id', 'auth_policy_id'])
      .where(sql.ref('auth_policy_id'), '<>', sql.lit('password'))
      .execute();
  }
  for (const column of ['client_id', 'device']) await schema.alterTable('sessions').addColumn(column, 'text').execute();
  await schema
    .createIndex('sessions_client')
    .on('sessions')
    .columns(['tenant_id', 'client_id'])
    .where(sql.ref('client_id'), 'is not', null)
    .execute();

  // By which policies people come into an organization; null: as above it says.
  await schema.alterTable('organizations').addColumn('auth_policy_ids', 'text').execute();
  await schema
    .createIndex('organizations_auth_policies')
    .on('organizations')
    .columns(['tenant_id', 'id'])
    .where(sql.ref('auth_policy_ids'), 'is not', null)
    .execute();
}
