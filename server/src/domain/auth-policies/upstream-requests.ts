/**
 * Browsers on their way to an upstream and back. The state is opaque, kept here as its hash, good once, for ten minutes,
 * in the browser that began; what the upstream's client remembers is encrypted.
 */
import { hashSecret } from '../../kernel/secrets.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';

type Row = Schema['upstream_requests'];

/** How long a person may take at the upstream, in milliseconds. */
export const upstreamRequestLifetimeMs = 600_000;

export interface UpstreamRequest {
  readonly policyId: string;
  /** What it is for. */
  readonly purpose: unknown;
  readonly kept: Readonly<Record<string, string>>;
}

const insert = defineStatement<Row>(
  'upstream_request_insert',
  `insert into upstream_requests (tenant_id, state_hash, policy_id, purpose, kept, browser_hash, created_at, expires_at)
  values (:tenant_id, :state_hash, :policy_id, :purpose, :kept, :browser_hash, :created_at, :expires_at)`,
);

type Keeps = Pick<Services, 'db' | 'cipher' | 'clock'>;

const contextOf = (tenantId: string, stateHash: string): string => `upstream request ${tenantId} ${stateHash}`;

/** Keeps one; without a browser it waits for the one that begins it. */
export async function keepUpstreamRequest(
  { db, cipher, clock }: Keeps,
  tenantId: string,
  state: string,
  request: UpstreamRequest,
  browserSecret: string | undefined,
): Promise<void> {
  const stateHash = hashSecret(state);
  const now = clock.now();
  await db.write(insert, {
    tenant_id: tenantId,
    state_hash: stateHash,
    policy_id: request.policyId,
    purpose: JSON.stringify(request.purpose),
    kept: cipher.encrypt(JSON.stringify(request.kept), contextOf(tenantId, stateHash)),
    browser_hash: browserSecret === undefined ? null : hashSecret(browserSecret),
    created_at: now,
    expires_at: now + upstreamRequestLifetimeMs,
  });
}

type Key = { tenantId: string; stateHash: string; browserHash: string; now: number };

const ofBrowser = `tenant_id = :tenantId and state_hash = :stateHash and coalesce(browser_hash, '') = :browserHash
    and expires_at > :now`;

const find = defineStatement<Key, Row>('upstream_request_find', `select * from upstream_requests where ${ofBrowser}`);
const take = defineStatement<Key>('upstream_request_take', `delete from upstream_requests where ${ofBrowser}`);

/**
 * Takes one, once: of two at once the one whose write deletes it. Undefined when it is unknown, over, was taken, or
 * belongs to another browser.
 */
export async function takeUpstreamRequest(
  { db, cipher, clock }: Keeps,
  tenantId: string,
  state: string,
  browserSecret: string | undefined,
): Promise<UpstreamRequest | undefined> {
  const stateHash = hashSecret(state);
  const browserHash = browserSecret === undefined ? '' : hashSecret(browserSecret);
  const key = { tenantId, stateHash, browserHash, now: clock.now() };
  const [row] = await db.run(find, key);
  if (row === undefined || (await db.write(take, key)) !== 1) return undefined;
  return {
    policyId: row.policy_id,
    purpose: JSON.parse(row.purpose) as unknown,
    kept: JSON.parse(cipher.decrypt(row.kept, contextOf(tenantId, stateHash))) as Record<string, string>,
  };
}
