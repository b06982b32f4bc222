import type { FastifyRequest } from 'fastify';
import type { Origin } from '../domain/context.ts';
import type { Site } from '../domain/tenants/sites.ts';
import { DomainError } from '../kernel/errors.ts';
import type { PresentedAccessToken } from '../protocol/binding/present.ts';
import type { ProtocolContext, ProtocolServices } from '../protocol/context.ts';
import { logForbidden } from '../protocol/management.ts';
import { clientAddress, type TrustedProxies } from './edge/address.ts';
import type { CertificateSource } from './edge/client-certificate.ts';
import { presentedBinding } from './edge/presented-binding.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant the Host header names; set before any handler of a tenant runs. */
    site: Site;
    origin: Origin;
    /** The certificate the client showed, DER; nothing of it is believed yet. */
    clientCertificate: Buffer | undefined;
  }
}

/** What every surface needs of the server. */
export interface HttpServices extends ProtocolServices {
  readonly trustedProxies: TrustedProxies;
  readonly certificateSource: CertificateSource;
}

/** Reads who asks, once per request: the address (through trusted proxies only), the agent, the host. */
export function originOf(request: FastifyRequest, trusted: TrustedProxies): Origin {
  const forwarded = request.headers['x-forwarded-for'];
  return {
    ip: clientAddress({
      remoteAddress: request.socket.remoteAddress,
      forwardedFor: Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
      trusted,
    }),
    userAgent: request.headers['user-agent'],
    host: request.headers.host,
  };
}

/**
 * A verb that refuses an authorized caller leaves its event like any other refusal; for the error handlers of the
 * management APIs.
 */
export async function logRefusedByVerb(
  services: ProtocolServices,
  request: FastifyRequest,
  error: unknown,
): Promise<void> {
  if (!(error instanceof DomainError) || error.kind !== 'forbidden' || !request.context) return;
  await logForbidden(protocolContext(services, request), request.context.actor, error);
}

/** The protocol's view of a request. */
export const protocolContext = (services: ProtocolServices, request: FastifyRequest): ProtocolContext => ({
  services,
  site: request.site,
  origin: request.origin,
});

/** The token of an `Authorization` header (RFC 6750 §2.1, RFC 9449 §7.1; the scheme's case does not matter). */
export function presentedToken(request: FastifyRequest): PresentedAccessToken | undefined {
  const match = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i.exec(request.headers.authorization ?? '');
  if (match === null) return undefined;
  const [, scheme = '', token = ''] = match;
  const isDpop = scheme.toLowerCase() === 'dpop';
  return { token, scheme: isDpop ? 'DPoP' : 'Bearer', binding: presentedBinding(request) };
}
