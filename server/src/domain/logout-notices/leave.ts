/**
 * Notices for clients that a person's session ended (OpenID Connect Back-Channel Logout). They are left in the transaction
 * of whatever ends the session, by any door, so that none is lost; `protocol/end-session/sender.ts` sends them.
 */
import { randomBase64Url } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import type { IssuerName, Schema } from '../../storage/schema.ts';
import { signInOf } from '../clients/sign-in.ts';
import type { Context } from '../context.ts';

/** Each engine bounds the parameters of a statement; a notice has ten. */
const rowsOfStatement = 50;

/**
 * Leaves a notice for each client that was let do something in the session, also where that goes on without it. Before
 * the authorizations are deleted: they say which clients these are.
 */
export async function leaveNoticesOfSession(
  ctx: Context,
  trx: Tx,
  session: { id: string; userId: string },
): Promise<void> {
  const told = await clientsToTell(ctx, trx, session.userId);
  const ofSession = told.filter(({ sessionId }) => sessionId === session.id);
  await leave(ctx, trx, session.userId, ofSession);
}

/**
 * The same when all sessions of a user end: one notice for each client that names no session and so means all of them
 * (§2.4), unless the client must be told of each.
 */
export async function leaveNoticesOfUser(ctx: Context, trx: Tx, userId: string): Promise<void> {
  const told = await clientsToTell(ctx, trx, userId);
  await leave(
    ctx,
    trx,
    userId,
    told.map((one) => (one.needsSession ? one : { ...one, sessionId: null })),
  );
}

/** The same when the sessions end that were begun by an auth policy, of one user or of all: others of them go on. */
export async function leaveNoticesOfPolicy(ctx: Context, trx: Tx, policyId: string, userId?: string): Promise<void> {
  const sessions = trx
    .selectFrom('sessions')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('auth_policy_id', '=', policyId);
  let query = signedIn(ctx, trx).where((eb) =>
    eb.or([eb('a.auth_policy_id', '=', policyId), eb('a.granted_in_session_id', 'in', sessions)]),
  );
  if (userId !== undefined) query = query.where('a.user_id', '=', userId);
  const byUser = Map.groupBy(await query.execute(), ({ user_id }) => user_id);
  for (const [id, rows] of byUser) await leave(ctx, trx, id, toldOf(rows));
}

interface Told {
  readonly issuer: IssuerName;
  readonly clientId: string;
  readonly uri: string;
  readonly sessionId: string | null;
  /** Its logout tokens must name the session (§2.2). */
  readonly needsSession: boolean;
}

const clientsToTell = async (ctx: Context, trx: Tx, userId: string): Promise<Told[]> =>
  toldOf(await signedIn(ctx, trx).where('a.user_id', '=', userId).execute());

/** What clients were let do in sessions, with the clients. */
const signedIn = (ctx: Context, trx: Tx) =>
  trx
    .selectFrom('authorizations as a')
    .innerJoin('clients as c', (join) =>
      join.onRef('c.tenant_id', '=', 'a.tenant_id').onRef('c.id', '=', 'a.client_id'),
    )
    .select(['a.issuer', 'a.client_id', 'a.user_id', 'a.granted_in_session_id', 'c.sign_in'])
    .distinct()
    .where('a.tenant_id', '=', ctx.site.tenantId)
    .where('a.granted_in_session_id', 'is not', null)
    // A code that nobody exchanged signed nobody in.
    .where((eb) => eb.or([eb('a.code_used_at', 'is not', null), eb('a.code_hash', 'is', null)]));

type SignedIn = Awaited<ReturnType<ReturnType<typeof signedIn>['execute']>>;

const toldOf = (rows: SignedIn): Told[] =>
  rows.flatMap((row) => {
    const { backchannelLogoutUri: uri, backchannelLogoutSessionRequired = false } = signInOf(row.sign_in);
    if (uri === undefined) return [];
    return {
      issuer: row.issuer,
      clientId: row.client_id,
      uri,
      sessionId: row.granted_in_session_id,
      needsSession: backchannelLogoutSessionRequired,
    };
  });

async function leave(ctx: Context, trx: Tx, userId: string, told: readonly Told[]): Promise<void> {
  const now = ctx.clock.now();
  const distinct = [...new Map(told.map((one) => [JSON.stringify(one), one])).values()];
  const rows: Schema['logout_notices'][] = distinct.map(({ issuer, clientId, uri, sessionId }) => ({
    tenant_id: ctx.site.tenantId,
    id: randomBase64Url(ctx.random, 16),
    issuer,
    client_id: clientId,
    uri,
    user_id: userId,
    session_id: sessionId,
    attempts: 0,
    created_at: now,
    due_at: now,
  }));
  for (let start = 0; start < rows.length; start += rowsOfStatement) {
    await trx
      .insertInto('logout_notices')
      .values(rows.slice(start, start + rowsOfStatement))
      .execute();
  }
}
