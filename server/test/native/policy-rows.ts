/** Rows of auth policies that a test needs before it begins. */
import { randomBytes } from 'node:crypto';
import type { Schema } from '../../src/storage/schema.ts';
import type { TestServer } from '../harness.ts';

/** An auth policy as a row; it lets in whoever it knows, unless told. Returns its id. */
export async function insertPolicy(server: TestServer, more: Partial<Schema['auth_policies']> = {}): Promise<string> {
  const id = randomBytes(12).toString('hex');
  const now = server.composed.services.clock.now();
  const row: Schema['auth_policies'] = {
    tenant_id: 'default',
    id,
    name: `policy-${id}`,
    title: null,
    type: 'password',
    configuration: '{}',
    secrets: null,
    enabled: 1,
    check_user_exists: 0,
    check_user_approved: 0,
    links_by_email: 0,
    links_by_username: 0,
    new_user_status: 'active',
    role_mappings: '[]',
    extras: '{}',
    created_at: now,
    updated_at: now,
    ...more,
  };
  await server.composed.services.db.transact((trx) => trx.insertInto('auth_policies').values(row).execute());
  return row.id;
}
