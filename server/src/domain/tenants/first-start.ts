/** What a start finds or makes in the database: the master key's check value, the default tenant, its first client. */
import { createHash } from 'node:crypto';
import { secretMatches } from '../../kernel/secrets.ts';
import type { Database, Tx } from '../../storage/database.ts';
import { defineStatement } from '../../storage/statement.ts';
import { administratorRoleVersion } from '../administrators/administrators.ts';
import type { Services } from '../context.ts';
import { tenantExists } from '../logs/journal.ts';
import { insertSetupLink } from '../setup/setup-links.ts';
import {
  type FirstClient,
  insertManagementClient,
  insertTenant,
  prepareTenant,
  syncSystemScopes,
} from './provision.ts';
import { defaultTenantId } from './sites.ts';

const checkContext = 'installation check';

const installationValue = defineStatement<{ name: string }, { value: string }>(
  'installation_value',
  'select value from installation where name = :name',
);
const secretHashes = defineStatement<{ tenantId: string; clientId: string }, { secret_hash: string | null }>(
  'secret_hashes',
  `select secret_hash from credentials where tenant_id = :tenantId and client_id = :clientId and kind = 'secret'`,
);

/** The check value of the master key that the database was made with; undefined for a new database. */
export async function storedKeyCheck(db: Database): Promise<string | undefined> {
  const [row] = await db.run(installationValue, { name: 'master_key_check' });
  return row?.value;
}

/** True when the cipher's ring holds the key of this check value. */
export function keyCheckFits(services: Pick<Services, 'cipher'>, check: string): boolean {
  try {
    return services.cipher.decrypt(check, checkContext) === 'sekisho';
  } catch {
    return false;
  }
}

export interface Started {
  /** The management client made by this start; its secret is shown this once. */
  firstClient: FirstClient | undefined;
  /** Where the first administrator is made, of a start that made the tenant; good once and for an hour. */
  setupUrl?: string;
  warnings: string[];
}

/**
 * Makes what is missing. Two first starts may race: the insert of the tenant decides, the loser finds it there.
 * `admin`: the management client that the settings name.
 */
export async function firstStart(services: Services, admin: FirstClient | undefined): Promise<Started> {
  const { db } = services;
  const scopesHash = hashOfScopes(services);
  const state = await readState(db, admin);
  if (state.hasTenant && state.scopesHash === scopesHash && (admin === undefined || state.adminHashes.length > 0)) {
    return { firstClient: undefined, warnings: admin === undefined ? [] : differentSecret(admin, state.adminHashes) };
  }
  const provision = state.hasTenant
    ? undefined
    : await prepareTenant(services, { id: defaultTenantId, name: 'Default', environment: 'production' }, admin);
  return db.transact(async (trx) => {
    let firstClient: FirstClient | undefined;
    let setupUrl: string | undefined;
    if (provision !== undefined && (await insertTenant(services, trx, provision))) {
      await putInstallation(trx, 'master_key_check', services.cipher.encrypt('sekisho', checkContext));
      firstClient = provision.firstClient;
      setupUrl = (await insertSetupLink(services, trx, defaultTenantId)).url;
    } else if (admin !== undefined && !(await clientExists(trx, admin.clientId))) {
      await insertManagementClient(services, trx, defaultTenantId, admin);
      firstClient = admin;
    }
    if (state.scopesHash !== scopesHash) {
      if (state.hasTenant) await syncSystemScopes(services, trx);
      await putInstallation(trx, 'system_scopes', scopesHash);
    }
    return { firstClient, ...(setupUrl === undefined ? {} : { setupUrl }), warnings: [] };
  });
}

const hashOfScopes = (services: Services): string =>
  createHash('sha256')
    .update(JSON.stringify(services.systemApis.map(({ kind, scopes, role }) => ({ kind, scopes, role }))))
    .update(String(administratorRoleVersion))
    .digest('hex');

async function readState(db: Database, admin: FirstClient | undefined) {
  const tenantId = defaultTenantId;
  const [tenants, installation, secrets] = await Promise.all([
    db.run(tenantExists, { tenantId }),
    db.run(installationValue, { name: 'system_scopes' }),
    db.run(secretHashes, { tenantId, clientId: admin?.clientId ?? '' }),
  ]);
  return {
    hasTenant: tenants.length > 0,
    scopesHash: installation[0]?.value,
    adminHashes: secrets.map(({ secret_hash }) => secret_hash),
  };
}

const differentSecret = (admin: FirstClient, hashes: (string | null)[]): string[] =>
  hashes.some((hash) => secretMatches(admin.clientSecret, hash))
    ? []
    : [
        `SEKISHO_ADMIN_CLIENT_SECRET differs from the stored secret of ${admin.clientId}; the stored one stays. Rotate it over the management API.`,
      ];

const clientExists = async (trx: Tx, id: string): Promise<boolean> =>
  (await trx
    .selectFrom('clients')
    .select('id')
    .where('tenant_id', '=', defaultTenantId)
    .where('id', '=', id)
    .executeTakeFirst()) !== undefined;

async function putInstallation(trx: Tx, name: string, value: string): Promise<void> {
  await trx
    .insertInto('installation')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}
