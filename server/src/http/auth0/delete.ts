import type { FastifyReply } from 'fastify';
import { DomainError } from '../../kernel/errors.ts';

const nothingThere: ReadonlySet<string> = new Set(['entity.not_found', 'organization.not_a_member']);

/** Waits for a deletion; that there is nothing to delete is no error: this dialect's deletes are idempotent. */
export async function whenThere(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof DomainError && nothingThere.has(error.code))) throw error;
  }
}

/** Answers 204 to a DELETE, whether or not the thing was there. */
export async function deleteIdempotently(reply: FastifyReply, deletion: Promise<unknown>): Promise<FastifyReply> {
  await whenThere(deletion);
  return reply.code(204).send();
}
