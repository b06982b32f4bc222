import type { FastifyReply } from 'fastify';
import { DomainError } from '../../kernel/errors.ts';

/** Answers 204 to a DELETE, whether or not the thing was there: this dialect's deletes are idempotent. */
export async function deleteIdempotently(reply: FastifyReply, deletion: Promise<void>): Promise<FastifyReply> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'entity.not_found')) throw error;
  }
  return reply.code(204).send();
}
