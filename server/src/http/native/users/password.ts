/** Hashing is slow, and the conventions of changes run a handler inside a transaction: so it is done before. */
import type { CreateUser } from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { assertPassword, hashPassword } from '../../../domain/users/passwords.ts';
import { getUser } from '../../../domain/users/read-users.ts';
import { verifyPassword } from '../../../domain/users/users.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the password in the body. */
    passwordHash?: string;
    /** Whether the password in the body is the user's. */
    passwordMatches?: boolean;
  }
}

/** Hook: hashes the body's password, if it has one. Throws `input.invalid`, `entity.not_found`, `rate.limited`. */
export async function hashBodyPassword(request: FastifyRequest): Promise<void> {
  const { password } = request.body as { password?: string };
  if (password === undefined) return;
  assertPassword(password, 'password', await identitiesOf(request));
  request.passwordHash = await hashPassword(request.context.random, password);
}

/** What the user signs in with, as it is or as it is being made. */
async function identitiesOf({ context, params, body }: FastifyRequest) {
  const { userId } = params as { userId?: string };
  if (userId === undefined) {
    const { primaryEmail, username, primaryPhone } = body as CreateUser;
    return [primaryEmail, username, primaryPhone];
  }
  const { email, username, phone } = await getUser(context, userId);
  return [email, username, phone];
}

/** Hook: compares the body's password with the user's. Throws `entity.not_found`. */
export async function compareBodyPassword(request: FastifyRequest): Promise<void> {
  const { userId } = request.params as { userId: string };
  const { password } = request.body as { password: string };
  request.passwordMatches = await verifyPassword(request.context, userId, password);
}

/** The hash made by the hook, as a setting. */
export const hashedPassword = ({ passwordHash }: FastifyRequest): { passwordHash?: string } =>
  passwordHash === undefined ? {} : { passwordHash };
