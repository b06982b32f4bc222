import type { Context } from './context.ts';

/**
 * Runs several verbs in one transaction: all of them happen or none does. The verbs inside see each other's changes, and
 * each writes its own log event.
 */
export function inOneTransaction<T>(ctx: Context, work: (ctx: Context) => Promise<T>): Promise<T> {
  return ctx.db.transact((trx) => {
    const joined: Context['db'] = Object.create(ctx.db, {
      read: { value: trx },
      reports: { value: trx },
      run: { value: (statement: never, args: never) => ctx.db.runWithin(trx, statement, args) },
      transact: { value: (inner: (handle: typeof trx) => Promise<unknown>) => inner(trx) },
    });
    return work({ ...ctx, db: joined });
  });
}
