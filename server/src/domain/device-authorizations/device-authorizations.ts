/**
 * Devices that wait for a person (RFC 8628). The device holds a secret, whose hash is kept; the person types a short
 * code. Each change of state is one conditional write whose row count is the check.
 *
 *   pending ──► approved ──► used
 *      └──────► denied
 */
import { hashSecret } from '../../kernel/secrets.ts';
import type { Tx } from '../../storage/database.ts';
import type { IssuerName, Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';

/** How long a person has, in milliseconds. */
export const deviceLifetimeMs = 600_000;
/** How long a device waits between two questions, in seconds, until it is told to slow down. */
export const deviceIntervalSeconds = 5;
/** What one question that came too early adds to it, in seconds (RFC 8628 §3.5). */
const slowDownSeconds = 5;
/** Clocks and networks are not exact, in milliseconds. */
const slackMs = 500;

type Row = Schema['device_authorizations'];

export interface DeviceAuthorization {
  /** Tells them apart; says nothing of the device's secret. */
  readonly hash: string;
  readonly userCode: string;
  readonly issuer: IssuerName;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly organizationId: string | null;
  readonly status: Row['status'];
  readonly authorizationId: string | null;
  readonly expiresAt: number;
}

const deviceAuthorizationOf = (row: Row): DeviceAuthorization => ({
  hash: row.device_code_hash,
  userCode: row.user_code,
  issuer: row.issuer,
  clientId: row.client_id,
  scopes: JSON.parse(row.scopes) as string[],
  audiences: JSON.parse(row.audiences) as string[],
  organizationId: row.organization_id,
  status: row.status,
  authorizationId: row.authorization_id,
  expiresAt: row.expires_at,
});

const insert = defineStatement<Row>(
  'device_insert',
  `insert into device_authorizations (tenant_id, device_code_hash, user_code, issuer, client_id, scopes, audiences,
    status, organization_id, authorization_id, interval_seconds, created_at, expires_at, polled_at)
  values (:tenant_id, :device_code_hash, :user_code, :issuer, :client_id, :scopes, :audiences, :status,
    :organization_id, :authorization_id, :interval_seconds, :created_at, :expires_at, :polled_at)
  on conflict (tenant_id, user_code) do nothing`,
);

/** What a device asks for. */
export type DeviceRequest = Pick<
  DeviceAuthorization,
  'issuer' | 'clientId' | 'scopes' | 'audiences' | 'organizationId'
>;

/** Keeps a request; false when another one has the user code. */
export async function insertDeviceAuthorization(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  codes: { deviceCode: string; userCode: string },
  { issuer, clientId, scopes, audiences, organizationId }: DeviceRequest,
): Promise<boolean> {
  const now = clock.now();
  const rows = await db.write(insert, {
    tenant_id: tenantId,
    device_code_hash: hashSecret(codes.deviceCode),
    user_code: codes.userCode,
    issuer,
    client_id: clientId,
    scopes: JSON.stringify(scopes),
    audiences: JSON.stringify(audiences),
    status: 'pending',
    organization_id: organizationId,
    authorization_id: null,
    interval_seconds: deviceIntervalSeconds,
    created_at: now,
    expires_at: now + deviceLifetimeMs,
    polled_at: null,
  });
  return rows === 1;
}

const byDeviceCode = defineStatement<{ tenantId: string; hash: string }, Row>(
  'device_by_code',
  'select * from device_authorizations where tenant_id = :tenantId and device_code_hash = :hash',
);

/** The request of a device, whatever became of it. */
export async function findByDeviceCode(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  deviceCode: string,
): Promise<DeviceAuthorization | undefined> {
  const [row] = await db.run(byDeviceCode, { tenantId, hash: hashSecret(deviceCode) });
  return row === undefined ? undefined : deviceAuthorizationOf(row);
}

const byUserCode = defineStatement<{ tenantId: string; userCode: string; now: number }, Row>(
  'device_by_user_code',
  `select * from device_authorizations
  where tenant_id = :tenantId and user_code = :userCode and status = 'pending' and expires_at > :now`,
);

/** The request that waits under a user code, in its canonical form. */
export async function findByUserCode(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  userCode: string,
): Promise<DeviceAuthorization | undefined> {
  const [row] = await db.run(byUserCode, { tenantId, userCode, now: clock.now() });
  return row === undefined ? undefined : deviceAuthorizationOf(row);
}

const notePoll = defineStatement<{ tenantId: string; hash: string; now: number; latest: number }>(
  'device_note_poll',
  `update device_authorizations set polled_at = :now
  where tenant_id = :tenantId and device_code_hash = :hash
    and (polled_at is null or polled_at + interval_seconds * 1000 <= :latest)`,
);

const slowDown = defineStatement<{ tenantId: string; hash: string; now: number; seconds: number }>(
  'device_slow_down',
  `update device_authorizations set polled_at = :now, interval_seconds = interval_seconds + :seconds
  where tenant_id = :tenantId and device_code_hash = :hash`,
);

/** Notes that the device asked; false when that was too early, and from now on it has to wait longer. */
export async function notePolled(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  hash: string,
): Promise<boolean> {
  const now = clock.now();
  if ((await db.write(notePoll, { tenantId, hash, now, latest: now + slackMs })) === 1) return true;
  await db.write(slowDown, { tenantId, hash, now, seconds: slowDownSeconds });
  return false;
}

const use = defineStatement<{ tenantId: string; hash: string; now: number }>(
  'device_use',
  `update device_authorizations set status = 'used'
  where tenant_id = :tenantId and device_code_hash = :hash and status = 'approved' and expires_at > :now`,
);

/** Uses the device code up; false when it was used before, or is over. */
export const useDeviceCode = async (
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  hash: string,
): Promise<boolean> => (await db.write(use, { tenantId, hash, now: clock.now() })) === 1;

/** The person's answer: with an authorization it is yes. False when there was one already, or it came too late. */
export async function answerDevice(
  trx: Tx,
  { tenantId, hash, now }: { tenantId: string; hash: string; now: number },
  authorizationId: string | null,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('device_authorizations')
    .set({ status: authorizationId === null ? 'denied' : 'approved', authorization_id: authorizationId })
    .where('tenant_id', '=', tenantId)
    .where('device_code_hash', '=', hash)
    .where('status', '=', 'pending')
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
