/** A session begins, or is renewed: either way the browser gets a new secret, so that none it had before is worth anything. */
import { randomAlphanumeric, randomBase64Url } from '../../kernel/random.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { endSession } from './end.ts';
import { sessionLifetimeMs } from './sessions.ts';

/** What a browser, or an app, is given of its session. */
export interface BegunSession {
  /** Public: the claim `sid`. */
  readonly sessionId: string;
  /** 256 bits; for the browser's cookie, or the app, only. */
  readonly sessionSecret: string;
}

/** The app that holds a session, where it is not a browser's. */
export interface AppOfSession {
  readonly clientId: string;
  readonly device: string | null;
}

/**
 * Begins the session of a user who has just signed in. `presented` is what the browser's cookie held: a session of the
 * same user goes on under a new secret, so that what rests on it does not end; one of somebody else ends.
 */
export async function beginSession(
  ctx: Context,
  trx: Tx,
  userId: string,
  options: { amr: readonly string[]; authPolicyId: string; presented?: string | undefined; app?: AppOfSession },
): Promise<BegunSession> {
  const { tenantId } = ctx.site;
  const now = ctx.clock.now();
  const sessionSecret = randomBase64Url(ctx.random, 32);
  const columns = {
    secret_hash: hashSecret(sessionSecret),
    amr: JSON.stringify(options.amr),
    auth_policy_id: options.authPolicyId,
    ip: ctx.origin.ip ?? null,
    user_agent: ctx.origin.userAgent?.slice(0, 256) ?? null,
    authenticated_at: now,
    expires_at: now + sessionLifetimeMs,
  };
  const old = options.presented === undefined ? undefined : await presentedSession(ctx, trx, options.presented);
  if (old !== undefined && old.user_id === userId && old.expires_at > now) {
    await trx.updateTable('sessions').set(columns).where('tenant_id', '=', tenantId).where('id', '=', old.id).execute();
    // What rests on it goes on with it; a code that waits, no longer than it would.
    await trx
      .updateTable('authorizations')
      .set({ expires_at: columns.expires_at })
      .where('tenant_id', '=', tenantId)
      .where('session_id', '=', old.id)
      .where('expires_at', '>', now)
      .where((eb) => eb.or([eb('code_used_at', 'is not', null), eb('code_hash', 'is', null)]))
      .execute();
    return { sessionId: old.id, sessionSecret };
  }
  if (old !== undefined) await endSession(ctx, trx, { id: old.id, userId: old.user_id });
  const sessionId = randomAlphanumeric(ctx.random, 22);
  await trx
    .insertInto('sessions')
    .values({
      tenant_id: tenantId,
      id: sessionId,
      user_id: userId,
      client_id: options.app?.clientId ?? null,
      device: options.app?.device?.slice(0, 256) ?? null,
      created_at: now,
      ...columns,
    })
    .execute();
  return { sessionId, sessionSecret };
}

const presentedSession = (ctx: Context, trx: Tx, secret: string) =>
  trx
    .selectFrom('sessions')
    .select(['id', 'user_id', 'expires_at'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('secret_hash', '=', hashSecret(secret))
    .where('client_id', 'is', null)
    .executeTakeFirst();
