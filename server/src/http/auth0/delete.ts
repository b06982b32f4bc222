import type { FastifyReply } from 'fastify';
import { DomainError } from '../../kernel/errors.ts';

/** Waits for a deletion; that there is nothing to delete is no error: this dialect's deletes are idempotent. */
export async function whenThere(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'entity.not_found')) throw error;
  }
}

/** Answers 204 to a DELETE, whether or not the thing was there. */
export async function deleteIdempotently(reply: FastifyReply, deletion: Promise<unknown>): Promise<FastifyReply> {
  await whenThere(deletion);
  return reply.code(204).send();
}
