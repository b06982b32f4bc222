import type { X509Certificate } from 'node:crypto';
import type { LastUse } from '../domain/clients/last-use.ts';
import type { Origin, Services } from '../domain/context.ts';
import type { Site } from '../domain/tenants/sites.ts';
import type { RequestLimits } from './limits.ts';

/** What the protocol has once per process, beside the domain's services. */
export interface ProtocolServices extends Services {
  readonly limits: RequestLimits;
  readonly lastUse: LastUse;
  /** The authorities whose certificates clients may prove themselves with (RFC 8705 §2.1). */
  readonly clientAuthorities: readonly X509Certificate[];
  /** Whether clients can show certificates at all, by TLS or through a proxy. */
  readonly takesCertificates: boolean;
}

/** What one protocol request gets. */
export interface ProtocolContext {
  readonly services: ProtocolServices;
  readonly site: Site;
  readonly origin: Origin;
}
