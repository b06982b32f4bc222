/** How often a code may be typed wrongly (RFC 8628 §5.1): by a browser or its session, and by an address. */
import { hashSecret } from '../../kernel/secrets.ts';
import type { Browser } from '../authorize/request.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import type { Attempt } from '../sign-in/limits.ts';

/** Runs one try under the limits; a refused one counts, and leaves its event. Throws `rate_limited`. */
export async function countedEntry<T>(
  ctx: ProtocolContext,
  { browserSecret = '', sessionSecret }: Browser,
  look: () => Promise<T>,
): Promise<T> {
  const attempt = begin(ctx, hashSecret(sessionSecret ?? browserSecret));
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const usedUp = attempt.failed();
    await Promise.all([log(ctx, error.reason), ...usedUp.map((by) => log(ctx, 'rate_limited', by))]);
    throw error;
  } finally {
    attempt.end();
  }
}

function begin({ services: { limits }, site: { tenantId }, origin }: ProtocolContext, holder: string): Attempt {
  const address = origin.ip ?? '';
  try {
    return limits.signIn.beginUserCode({ tenantId, address, holder });
  } catch (error) {
    limits.countRefused(tenantId, undefined, address);
    throw error;
  }
}

/** What was typed is not kept. */
const log = (ctx: ProtocolContext, reason: string, by?: string): Promise<void> =>
  ctx.services.journal.append({
    tenantId: ctx.site.tenantId,
    kind: 'device.code_refused',
    reason,
    description: by === undefined ? reason.replaceAll('_', ' ') : `too many wrong codes, by ${by.replaceAll('_', ' ')}`,
    ...(by === undefined ? {} : { details: { by } }),
    ...ctx.origin,
  });
