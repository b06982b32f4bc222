import type { FastifyRequest } from 'fastify';

/** A field of the form that was sent; undefined when it is absent or empty, or the body is no form. */
export function formField(request: FastifyRequest, name: string): string | undefined {
  const value = request.body instanceof Map ? (request.body.get(name) as unknown) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The names of the form's fields. */
export const formFieldNames = (request: FastifyRequest): string[] =>
  request.body instanceof Map ? [...(request.body.keys() as Iterable<string>)] : [];
