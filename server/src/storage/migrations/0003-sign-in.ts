import { type Kysely, sql } from 'kysely';
import { moveSignInFacts } from './0003-sign-in-facts.ts';
import { tableParts } from './table-parts.ts';

/** People sign in: sessions, what they authorized, the tokens that rest on it, and everything that is used once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  const { index, maybeText, ofTenant, owned, text, times } = tableParts(schema);

  await schema
    .alterTable('clients')
    .addColumn('sign_in', 'text', (c) => c.notNull().defaultTo('{}'))
    .execute();
  await schema
    .alterTable('tenants')
    .addColumn('sign_in', 'text', (c) => c.notNull().defaultTo('{}'))
    .execute();
  for (const column of ['certificate_subject', 'certificate_thumbprint']) {
    await schema.alterTable('credentials').addColumn(column, 'text').execute();
  }

  // A browser that somebody signed in with.
  let table = times(
    maybeText(text(ofTenant('sessions'), 'id', 'secret_hash', 'user_id', 'amr'), 'ip', 'user_agent'),
    'authenticated_at',
    'created_at',
    'expires_at',
  )
    .addPrimaryKeyConstraint('sessions_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('sessions_secret', ['tenant_id', 'secret_hash']);
  await owned(table, 'sessions_of', 'user_id', 'users').execute();
  await index('sessions_user', 'sessions', ['tenant_id', 'user_id']);
  await index('sessions_expiry', 'sessions', ['tenant_id', 'expires_at']);

  // An authorization request that waits for a person.
  table = times(
    maybeText(
      text(ofTenant('interactions'), 'id', 'browser_hash', 'issuer', 'client_id', 'request'),
      'organization_id',
      'account_session_id',
      'pushed_request_hash',
    ),
    'created_at',
    'expires_at',
  ).addPrimaryKeyConstraint('interactions_pk', ['tenant_id', 'id']);
  await owned(table, 'interactions_of', 'client_id', 'clients').execute();
  await index('interactions_expiry', 'interactions', ['tenant_id', 'expires_at']);

  // RFC 9126.
  table = times(
    text(ofTenant('pushed_requests'), 'uri_hash', 'issuer', 'client_id', 'request'),
    'expires_at',
  ).addPrimaryKeyConstraint('pushed_requests_pk', ['tenant_id', 'uri_hash']);
  await owned(table, 'pushed_requests_of', 'client_id', 'clients').execute();
  await index('pushed_requests_expiry', 'pushed_requests', ['tenant_id', 'expires_at']);

  // What a person let a client do: the tokens and refresh tokens of one sign-in rest on one of these. Its code is in the
  // same row, so that one write makes both and one conditional write uses the code up.
  table = times(
    maybeText(
      text(ofTenant('authorizations'), 'id', 'issuer', 'user_id', 'client_id', 'scopes', 'audiences', 'amr'),
      'session_id',
      'granted_in_session_id',
      'parent_id',
      'organization_id',
      'actor',
      'code_hash',
      'redirect_uri',
      'code_challenge',
      'nonce',
      'dpop_thumbprint',
    ),
    'authenticated_at',
    'created_at',
    'expires_at',
  )
    .addColumn('code_used_at', 'bigint')
    .addPrimaryKeyConstraint('authorizations_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('authorizations_code', ['tenant_id', 'code_hash']);
  table = owned(table, 'authorizations_of_user', 'user_id', 'users');
  table = owned(table, 'authorizations_of_parent', 'parent_id', 'authorizations');
  await owned(table, 'authorizations_of_client', 'client_id', 'clients').execute();
  await index('authorizations_user', 'authorizations', ['tenant_id', 'user_id', 'client_id']);
  await index('authorizations_client', 'authorizations', ['tenant_id', 'client_id']);
  await index('authorizations_session', 'authorizations', ['tenant_id', 'session_id']);
  await index('authorizations_expiry', 'authorizations', ['tenant_id', 'expires_at']);
  // Few have a parent.
  await schema
    .createIndex('authorizations_parent')
    .on('authorizations')
    .columns(['tenant_id', 'parent_id'])
    .where(sql.ref('parent_id'), 'is not', null)
    .execute();

  table = times(
    maybeText(
      text(ofTenant('refresh_tokens'), 'token_hash', 'authorization_id', 'client_id'),
      'dpop_thumbprint',
      'certificate_thumbprint',
    ),
    'created_at',
    'expires_at',
  )
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('refresh_tokens_pk', ['tenant_id', 'token_hash']);
  await owned(table, 'refresh_tokens_of', 'authorization_id', 'authorizations').execute();
  await index('refresh_tokens_of_authorization', 'refresh_tokens', ['tenant_id', 'authorization_id']);
  await index('refresh_tokens_expiry', 'refresh_tokens', ['tenant_id', 'expires_at']);

  // Access tokens that are no JWT: they say something at the userinfo endpoint only.
  table = times(
    maybeText(
      text(ofTenant('opaque_tokens'), 'token_hash', 'authorization_id', 'client_id', 'scopes'),
      'dpop_thumbprint',
      'certificate_thumbprint',
    ),
    'created_at',
    'expires_at',
  ).addPrimaryKeyConstraint('opaque_tokens_pk', ['tenant_id', 'token_hash']);
  await owned(table, 'opaque_tokens_of', 'authorization_id', 'authorizations').execute();
  await index('opaque_tokens_of_authorization', 'opaque_tokens', ['tenant_id', 'authorization_id']);
  await index('opaque_tokens_expiry', 'opaque_tokens', ['tenant_id', 'expires_at']);

  // RFC 8628.
  table = times(
    maybeText(
      text(
        ofTenant('device_authorizations'),
        'device_code_hash',
        'user_code',
        'issuer',
        'client_id',
        'scopes',
        'audiences',
        'status',
      ),
      'organization_id',
      'authorization_id',
    ).addColumn('interval_seconds', 'integer', (c) => c.notNull()),
    'created_at',
    'expires_at',
  )
    .addColumn('polled_at', 'bigint')
    .addPrimaryKeyConstraint('device_authorizations_pk', ['tenant_id', 'device_code_hash'])
    .addUniqueConstraint('device_authorizations_user_code', ['tenant_id', 'user_code']);
  await owned(table, 'device_authorizations_of', 'client_id', 'clients').execute();
  await index('device_authorizations_expiry', 'device_authorizations', ['tenant_id', 'expires_at']);

  // What lets a client act as a person by token exchange (RFC 8693).
  table = times(text(ofTenant('subject_tokens'), 'token_hash', 'user_id', 'context'), 'created_at', 'expires_at')
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('subject_tokens_pk', ['tenant_id', 'token_hash']);
  await owned(table, 'subject_tokens_of', 'user_id', 'users').execute();
  await index('subject_tokens_expiry', 'subject_tokens', ['tenant_id', 'expires_at']);

  // What a person agreed to, for clients of others.
  table = times(
    text(ofTenant('consents'), 'user_id', 'client_id', 'scopes', 'audiences', 'organization_ids'),
    'created_at',
    'updated_at',
  ).addPrimaryKeyConstraint('consents_pk', ['tenant_id', 'user_id', 'client_id']);
  table = owned(table, 'consents_of_user', 'user_id', 'users');
  await owned(table, 'consents_of_client', 'client_id', 'clients').execute();
  await index('consents_client', 'consents', ['tenant_id', 'client_id']);

  // Pages of these origins may call the protocol's endpoints.
  table = text(ofTenant('client_origins'), 'origin', 'client_id').addPrimaryKeyConstraint('client_origins_pk', [
    'tenant_id',
    'origin',
    'client_id',
  ]);
  await owned(table, 'client_origins_of', 'client_id', 'clients').execute();
  await index('client_origins_client', 'client_origins', ['tenant_id', 'client_id']);

  // RFC 9449 §11.1.
  await times(text(ofTenant('used_proofs'), 'thumbprint', 'jti'), 'expires_at')
    .addPrimaryKeyConstraint('used_proofs_pk', ['tenant_id', 'thumbprint', 'jti'])
    .execute();
  await index('used_proofs_expiry', 'used_proofs', ['tenant_id', 'expires_at']);

  // RFC 7591, RFC 7592.
  await times(text(ofTenant('initial_access_tokens'), 'id', 'token_hash', 'name'), 'created_at', 'expires_at')
    .addColumn('uses_left', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('initial_access_tokens_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('initial_access_tokens_hash', ['tenant_id', 'token_hash'])
    .execute();
  table = times(text(ofTenant('client_registrations'), 'client_id', 'token_hash'), 'created_at')
    .addPrimaryKeyConstraint('client_registrations_pk', ['tenant_id', 'client_id'])
    .addUniqueConstraint('client_registrations_hash', ['tenant_id', 'token_hash']);
  await owned(table, 'client_registrations_of', 'client_id', 'clients').execute();

  // Links that are good once: the first administrator's.
  await times(text(ofTenant('setup_links'), 'token_hash', 'purpose'), 'created_at', 'expires_at')
    .addPrimaryKeyConstraint('setup_links_pk', ['tenant_id', 'token_hash'])
    .execute();

  // OpenID Connect Back-Channel Logout: told once to each client, again when it does not answer.
  table = times(
    maybeText(text(ofTenant('logout_notices'), 'id', 'issuer', 'client_id', 'uri', 'user_id'), 'session_id').addColumn(
      'attempts',
      'integer',
      (c) => c.notNull(),
    ),
    'created_at',
    'due_at',
  ).addPrimaryKeyConstraint('logout_notices_pk', ['tenant_id', 'id']);
  await owned(table, 'logout_notices_of', 'client_id', 'clients').execute();
  // Without the tenant: one look finds what is due in any of them.
  await index('logout_notices_due', 'logout_notices', ['due_at']);

  await moveSignInFacts(db);
}
