/**
 * Somebody makes an account of their own, where the tenant lets people do so. The address is not verified by that, so it
 * makes nobody a member of an organization. Who asks with an address or name that is taken learns that it can't be used,
 * and nothing else: without a message to the address there is no way to say less, so tries are counted.
 */
import { isOffered } from '../../domain/auth-policies/offer-lists.ts';
import { offerListsOf, type SignInTarget } from '../../domain/auth-policies/offers.ts';
import { builtInPasswordId } from '../../domain/auth-policies/policy.ts';
import { inOneTransaction } from '../../domain/one-transaction.ts';
import { tenantSignIn } from '../../domain/tenants/sign-in.ts';
import { emailIdentity, usernameIdentity } from '../../domain/users/identity.ts';
import { assertPassword, hashPassword } from '../../domain/users/passwords.ts';
import { createUser } from '../../domain/users/users.ts';
import { DomainError, invalid } from '../../kernel/errors.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { asRefusal, type SignedIn } from './by-password.ts';
import { notesAfter } from './known-device.ts';
import { contextOf, openSession } from './open-session.ts';

/** What the sign-up page sends. */
export interface SignUp {
  /** On the way to what: the password that is set has to be offered there. */
  readonly target: SignInTarget;
  /** E-mail address or username. */
  readonly identifier: string;
  readonly password: string;
  readonly name?: string | undefined;
  /** What the browser's cookies hold. */
  readonly knownDevice?: string | undefined;
  readonly sessionSecret?: string | undefined;
}

const longestName = 300;

/**
 * Makes a user and signs it in. Throws `sign_up_off`, `sign_up_refused` (the identifier can't be used), `rate_limited`,
 * and `input.invalid` naming `identifier`, `name` or `password`.
 */
export async function signUp(ctx: ProtocolContext, input: SignUp): Promise<SignedIn> {
  await assertSignUpOn(ctx, input.target);
  const { tenantId } = ctx.site;
  const identity = identityOf(input.identifier);
  const name = input.name?.trim() || null;
  if (name !== null && name.length > longestName)
    throw invalid('name', `A name has at most ${longestName} characters.`);
  assertPassword(input.password, 'password', [input.identifier.trim()]);
  try {
    ctx.services.limits.signIn.countSignUp(tenantId, ctx.origin.ip ?? '');
  } catch (error) {
    ctx.services.limits.countRefused(tenantId, undefined, ctx.origin.ip ?? '');
    throw error;
  }
  const passwordHash = await hashPassword(ctx.services.random, input.password).catch((error) => {
    throw asRefusal(error);
  });
  const { userId, begun } = await create(ctx, { ...identity, name, passwordHash }, input.sessionSecret);
  const knownDevice = notesAfter(ctx, { id: userId, passwordHash }, input.knownDevice);
  return { ...begun, userId, knownDevice };
}

/** Throws the refusal `sign_up_off`. */
export async function assertSignUpOn(ctx: ProtocolContext, target: SignInTarget): Promise<void> {
  const { tenantId } = ctx.site;
  const [{ signUp: isOn }, lists] = await Promise.all([
    tenantSignIn(ctx.services, tenantId),
    offerListsOf(ctx.services, tenantId, target),
  ]);
  if (!isOn || !isOffered(lists, builtInPasswordId)) throw new Refusal('sign_up_off');
}

/** Throws `input.invalid`. A name that reads as a phone number could be taken for one at sign-in. */
function identityOf(text: string): { email: string } | { username: string } {
  const path = 'identifier';
  if (text.includes('@')) return { email: emailIdentity(text, path).shown };
  const { shown } = usernameIdentity(text, path);
  if (/^\+?[\d ().-]+$/.test(shown)) throw invalid(path, 'A username is not a number.');
  return { username: shown };
}

/** A new account is signed in by the password it has just set. */
const opening = (presented: string | undefined) => ({
  amr: ['pwd'],
  authPolicyId: builtInPasswordId,
  by: 'sign-up',
  presented,
});

async function create(
  ctx: ProtocolContext,
  settings: { name: string | null; passwordHash: string } & ({ email: string } | { username: string }),
  presented: string | undefined,
) {
  try {
    return await inOneTransaction(contextOf(ctx), async (joined) =>
      joined.db.transact(async (trx) => {
        const { id: userId } = await createUser(joined, settings);
        await ctx.services.journal.within(trx, {
          tenantId: ctx.site.tenantId,
          kind: 'user.signed_up',
          userId,
          description: 'signed up',
          details: { target: userId },
          ...ctx.origin,
        });
        return { userId, begun: await openSession(ctx, trx, userId, opening(presented)) };
      }),
    );
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'entity.exists')) throw error;
    await ctx.services.journal.append({
      tenantId: ctx.site.tenantId,
      kind: 'user.sign_up_refused',
      reason: 'sign_up_refused',
      description: 'the identifier is taken',
      ...ctx.origin,
    });
    throw new Refusal('sign_up_refused', { detail: 'the identifier is taken' });
  }
}
