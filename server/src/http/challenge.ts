import type { FastifyRequest } from 'fastify';
import { DomainError } from '../kernel/errors.ts';
import { dpopAlgorithms } from '../protocol/binding/dpop.ts';

/**
 * A challenge for the `WWW-Authenticate` header, given as RFC 6750 §3 writes it; as RFC 9449 §7.1 does where the request
 * used a DPoP token or should have.
 */
export function challengeFor(request: FastifyRequest, error: unknown, bearer: string): string {
  const isOfProof = error instanceof DomainError && error.code === 'auth.dpop_proof_invalid';
  if (!isOfProof && !/^dpop\b/i.test(request.headers.authorization ?? '')) return bearer;
  const parameters = bearer.replace(/^Bearer */, '');
  const named = isOfProof ? parameters.replace('error="invalid_token"', 'error="invalid_dpop_proof"') : parameters;
  return `DPoP ${named === '' ? '' : `${named}, `}algs="${dpopAlgorithms.join(' ')}"`;
}
