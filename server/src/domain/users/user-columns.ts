/** What is read of users. Apart from what they are (`user.ts`), which tokens need before Kysely is loaded. */
import { sql } from 'kysely';
import type { UserRow } from './user.ts';

/** The columns of an entity: all but the password, so that no list carries it out of the database. */
export const userColumns = [
  'id',
  'email',
  'email_verified',
  'username',
  'phone',
  'phone_verified',
  'name',
  'nickname',
  'given_name',
  'family_name',
  'picture',
  'user_metadata',
  'app_metadata',
  'profile',
  'status',
  'client_id',
  'owner_organization_id',
  'logins_count',
  'last_login_at',
  'last_ip',
  'created_at',
  'updated_at',
  sql<number>`case when users.password_hash is null then 0 else 1 end`.as('has_password'),
] as const;

export type ReadUserRow = Pick<UserRow, Extract<(typeof userColumns)[number], string>> & { has_password: number };
