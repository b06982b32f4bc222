/** A setup link is used: it makes an administrator, once. */
import { notFound } from '../../kernel/errors.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import { makeAdministrator } from '../administrators/administrators.ts';
import type { Context } from '../context.ts';
import { inOneTransaction } from '../one-transaction.ts';
import { emailIdentity } from '../users/identity.ts';
import { assertPassword, hashPassword } from '../users/passwords.ts';
import type { User } from '../users/user.ts';
import { createUser } from '../users/users.ts';

/** What the page asks of the first administrator. */
export interface SetupInput {
  readonly token: string;
  /** An e-mail address; what one signs in with. */
  readonly identifier: string;
  readonly name?: string | undefined;
  readonly password: string;
}

/** Whether a link is good now. It is not used by being looked at. */
export async function isSetupLink(ctx: Pick<Context, 'db' | 'site' | 'clock'>, token: string): Promise<boolean> {
  const row = await ctx.db.read
    .selectFrom('setup_links')
    .select('token_hash')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('token_hash', '=', hashSecret(token))
    .where('expires_at', '>', ctx.clock.now())
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Makes the administrator and uses the link up, both or neither: of many at once one wins. Throws `entity.not_found`
 * (of thing `setup link`: unknown, over or used), `input.invalid` (naming `identifier`, `name` or `password`),
 * `entity.exists`, `rate.limited`.
 */
export async function useSetupLink(ctx: Context, input: SetupInput): Promise<User> {
  if (!(await isSetupLink(ctx, input.token))) throw notFound('setup link');
  const { shown: email } = emailIdentity(input.identifier, 'identifier');
  assertPassword(input.password, 'password', [email]);
  const passwordHash = await hashPassword(ctx.random, input.password);
  const name = input.name?.trim();
  return inOneTransaction(ctx, (joined) =>
    joined.db.transact(async (trx) => {
      // The check is the deletion.
      const { numDeletedRows } = await trx
        .deleteFrom('setup_links')
        .where('tenant_id', '=', joined.site.tenantId)
        .where('token_hash', '=', hashSecret(input.token))
        .where('expires_at', '>', joined.clock.now())
        .executeTakeFirst();
      if (numDeletedRows !== 1n) throw notFound('setup link');
      const user = await createUser(joined, {
        email,
        name: name === undefined || name === '' ? null : name,
        passwordHash,
      });
      await makeAdministrator(joined, trx, user.id);
      await joined.journal.within(trx, {
        tenantId: joined.site.tenantId,
        kind: 'setup_link.used',
        userId: user.id,
        description: 'setup link used',
        details: { target: user.id },
        ...joined.origin,
      });
      return user;
    }),
  );
}
