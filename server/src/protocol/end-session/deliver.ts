/** One try to tell a client; loaded when the first notice is due. */
import { nowhere } from '../../domain/context.ts';
import type { LogoutNotice } from '../../domain/logout-notices/notices.ts';
import { type GuardSettings, guardedFetch, OutgoingError } from '../../upstream/guarded-fetch.ts';
import type { ProtocolServices } from '../context.ts';
import { mintLogoutToken } from './logout-token.ts';

/** How long a client may take to answer, in milliseconds. */
const deadlineMs = 5000;
/** Of an answer nothing but its status counts. */
const maximumBytes = 64 * 1024;

/** Why a client was not told. `final`: to try again is of no use. */
export interface Failure {
  readonly why: string;
  readonly final: boolean;
}

/** Posts a new logout token to the client; undefined when it took it. */
export async function deliver(
  services: ProtocolServices,
  guard: GuardSettings,
  notice: LogoutNotice,
): Promise<Failure | undefined> {
  const site = services.sites.ofTenant(notice.tenantId);
  const token = await mintLogoutToken({ services, site, origin: nowhere }, notice);
  try {
    const { status } = await guardedFetch(guard, {
      method: 'POST',
      url: notice.uri,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ logout_token: token }).toString(),
      deadlineMs,
      maximumBytes,
    });
    return status >= 200 && status < 300 ? undefined : { why: `the client answered ${status}`, final: false };
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    return { why: error.message, final: error.reason === 'refused' };
  }
}
