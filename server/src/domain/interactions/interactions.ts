/** Authorization requests that wait for a person, bound to the browser that began them; and pushed ones (RFC 9126). */
import { hashSecret } from '../../kernel/secrets.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';

export type InteractionRow = Schema['interactions'];
type Db = Pick<Services, 'db'>;

/** How long a page may stay open, in milliseconds. */
export const interactionLifetimeMs = 3_600_000;
/** How long a pushed request waits to be used, in milliseconds. */
export const pushedLifetimeMs = 60_000;

const insert = defineStatement<InteractionRow>(
  'interaction_insert',
  `insert into interactions (tenant_id, id, browser_hash, issuer, client_id, request, organization_id,
    account_session_id, pushed_request_hash, created_at, expires_at)
  values (:tenant_id, :id, :browser_hash, :issuer, :client_id, :request, :organization_id, :account_session_id,
    :pushed_request_hash, :created_at, :expires_at)`,
);

export async function insertInteraction({ db }: Db, row: InteractionRow): Promise<void> {
  await db.write(insert, row);
}

export const interactionOfBrowser = defineStatement<
  { tenantId: string; id: string; browserHash: string; now: number },
  InteractionRow
>(
  'interaction_find',
  `select * from interactions
  where tenant_id = :tenantId and id = :id and browser_hash = :browserHash and expires_at > :now`,
);

/** The interaction of this browser; undefined when it is over, unknown, or another browser's. */
export async function findInteraction(
  services: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  id: string,
  browserSecret: string | undefined,
): Promise<InteractionRow | undefined> {
  if (browserSecret === undefined) return undefined;
  const args = { tenantId, id, browserHash: hashSecret(browserSecret), now: services.clock.now() };
  const [row] = await services.db.run(interactionOfBrowser, args);
  return row;
}

const end = defineStatement<{ tenantId: string; id: string }>(
  'interaction_end',
  'delete from interactions where tenant_id = :tenantId and id = :id',
);

/** Ends an interaction; false when somebody else was faster. */
export const endInteraction = async ({ db }: Db, tenantId: string, id: string): Promise<boolean> =>
  (await db.write(end, { tenantId, id })) === 1;

const setOrganization = defineStatement<{ tenantId: string; id: string; organizationId: string }>(
  'interaction_organization',
  'update interactions set organization_id = :organizationId where tenant_id = :tenantId and id = :id',
);

/** Notes the organization that was chosen. */
export const chooseInteractionOrganization = ({ db }: Db, tenantId: string, id: string, organizationId: string) =>
  db.write(setOrganization, { tenantId, id, organizationId });

const setAccount = defineStatement<{ tenantId: string; id: string; sessionId: string }>(
  'interaction_account',
  'update interactions set account_session_id = :sessionId where tenant_id = :tenantId and id = :id',
);

/** Notes the session that was begun, or whose account was confirmed, on the page. */
export const confirmInteractionAccount = ({ db }: Db, tenantId: string, id: string, sessionId: string) =>
  db.write(setAccount, { tenantId, id, sessionId });

const push = defineStatement<Schema['pushed_requests']>(
  'pushed_request_insert',
  `insert into pushed_requests (tenant_id, uri_hash, issuer, client_id, request, expires_at)
  values (:tenant_id, :uri_hash, :issuer, :client_id, :request, :expires_at)`,
);

export async function insertPushedRequest({ db }: Db, row: Schema['pushed_requests']): Promise<void> {
  await db.write(push, row);
}

const findPushed = defineStatement<{ tenantId: string; uriHash: string; now: number }, Schema['pushed_requests']>(
  'pushed_request_find',
  'select * from pushed_requests where tenant_id = :tenantId and uri_hash = :uriHash and expires_at > :now',
);

/** A pushed request that waits; one whose page is open may be asked for again, until it is used. */
export async function findPushedRequest(services: Pick<Services, 'db' | 'clock'>, tenantId: string, uri: string) {
  const args = { tenantId, uriHash: hashSecret(uri), now: services.clock.now() };
  const [row] = await services.db.run(findPushed, args);
  return row;
}

const usePushed = defineStatement<{ tenantId: string; uriHash: string }>(
  'pushed_request_use',
  'delete from pushed_requests where tenant_id = :tenantId and uri_hash = :uriHash',
);

/** Uses a pushed request up; false when it was used before. */
export const usePushedRequest = async ({ db }: Db, tenantId: string, uriHash: string): Promise<boolean> =>
  (await db.write(usePushed, { tenantId, uriHash })) === 1;
