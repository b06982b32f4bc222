import type { FastifyRequest } from 'fastify';
import type { PresentedBinding } from '../../protocol/binding/binding.ts';

/** What a request shows besides its credentials: a DPoP proof, a certificate. */
export function presentedBinding(request: FastifyRequest): PresentedBinding {
  const { dpop } = request.headers;
  const path = request.url.replace(/[?#].*$/, '');
  return {
    method: request.method,
    path,
    // A repeated header is joined, and then no proof.
    dpopProof: Array.isArray(dpop) ? dpop.join(',') : dpop,
    certificate: request.clientCertificate,
  };
}
