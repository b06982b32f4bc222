/** Users as the sign-in page finds them: by what somebody typed. */
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';
import { emailKeyOf, foldCase, phoneIdentity } from './identity.ts';

/** A user with what it signs in by. */
export interface Account {
  readonly id: string;
  readonly status: Schema['users']['status'];
  /** Null: it has none. */
  readonly passwordHash: string | null;
}

/** What was typed, in the one form in which it is compared and counted. */
export interface TypedIdentifier {
  readonly emailKey: string | null;
  readonly usernameKey: string | null;
  readonly phone: string | null;
  /** The same for every spelling of one identifier. */
  readonly canonical: string;
}

/** Longest identifier that is looked at, in UTF-16 units. */
const longestIdentifier = 320;

/** Reads what somebody typed as e-mail address, phone number or username; undefined for what can be none of them. */
export function typedIdentifier(text: string): TypedIdentifier | undefined {
  const typed = text.trim();
  if (typed === '' || typed.length > longestIdentifier || typed.includes('\0') || !typed.isWellFormed()) {
    return undefined;
  }
  if (typed.includes('@')) {
    const emailKey = emailKeyOf(typed);
    return { emailKey, usernameKey: null, phone: null, canonical: emailKey };
  }
  const usernameKey = foldCase(typed);
  const phone = phoneOf(typed);
  return { emailKey: null, usernameKey, phone, canonical: phone ?? usernameKey };
}

function phoneOf(text: string): string | null {
  try {
    return phoneIdentity(text);
  } catch {
    return null;
  }
}

const accountByIdentifier = defineStatement<
  { tenantId: string; emailKey: string | null; usernameKey: string | null; phone: string | null },
  { id: string; status: Schema['users']['status']; password_hash: string | null; phone: string | null }
>(
  'account_by_identifier',
  `select id, status, password_hash, phone from users
  where tenant_id = :tenantId and (email_key = :emailKey or username_key = :usernameKey or phone = :phone)`,
);

/** The user that was named; a phone number before a username that looks like one. */
export async function findAccount(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  { emailKey, usernameKey, phone }: TypedIdentifier,
): Promise<Account | undefined> {
  const rows = await db.run(accountByIdentifier, { tenantId, emailKey, usernameKey, phone });
  const row = rows.find((one) => phone !== null && one.phone === phone) ?? rows[0];
  return row === undefined ? undefined : { id: row.id, status: row.status, passwordHash: row.password_hash };
}
