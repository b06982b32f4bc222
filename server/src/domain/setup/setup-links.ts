/**
 * The first administrator: made by a link that is good once and for an hour. The link is shown where the server was
 * started and nowhere else; of its token only the hash is kept.
 */
import { randomBase64Url } from '../../kernel/random.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Tx } from '../../storage/database.ts';
import type { Services } from '../context.ts';

/** How long a link is good, in milliseconds. */
export const setupLinkLifetimeMs = 3_600_000;

/** A link for whoever is to be the administrator. */
export interface SetupLink {
  readonly url: string;
  readonly expiresAt: number;
}

/** Makes a link inside the transaction that made its tenant, or one of its own (`createSetupLink`). */
export async function insertSetupLink(
  services: Pick<Services, 'clock' | 'random' | 'sites' | 'journal'>,
  trx: Tx,
  tenantId: string,
): Promise<SetupLink> {
  const token = randomBase64Url(services.random, 32);
  const now = services.clock.now();
  const expiresAt = now + setupLinkLifetimeMs;
  await trx
    .insertInto('setup_links')
    .values({
      tenant_id: tenantId,
      token_hash: hashSecret(token),
      purpose: 'first_administrator',
      created_at: now,
      expires_at: expiresAt,
    })
    .execute();
  await services.journal.within(trx, {
    tenantId,
    kind: 'setup_link.created',
    description: 'setup link created',
    details: { target: tenantId, expiresAt },
  });
  return { url: `${services.sites.ofTenant(tenantId).origin}/setup?token=${token}`, expiresAt };
}

/** Makes a link for an administrator of a tenant. */
export const createSetupLink = (
  services: Pick<Services, 'db' | 'clock' | 'random' | 'sites' | 'journal'>,
  tenantId: string,
): Promise<SetupLink> => services.db.transact((trx) => insertSetupLink(services, trx, tenantId));
