/** What browsers are told about every page: nothing from elsewhere, no frame around it, nothing kept. */
import type { FastifyReply } from 'fastify';

export interface PagePolicy {
  /** Where forms, and the redirects that answer them, may lead beside here. */
  readonly formAction?: string | undefined;
  /** The page has a script of ours. */
  readonly script?: boolean;
}

/** Sets the headers of a page. Scripts, styles and fonts written into a page never run (ASVS 3.4.3, 3.4.6). */
export function setPageHeaders(reply: FastifyReply, { formAction, script = false }: PagePolicy = {}): FastifyReply {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    ...(script ? ["script-src 'self'"] : []),
    "img-src 'self' https: data:",
    `form-action 'self'${formAction === undefined ? '' : ` ${formAction}`}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return (
    reply
      .header('content-security-policy', policy.join('; '))
      .header('x-frame-options', 'DENY')
      // Stricter than this and browsers would send `Origin: null` with our own forms; a page without any may be.
      .header('referrer-policy', reply.getHeader('referrer-policy') ?? 'same-origin')
      .header('permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()')
      .header('cross-origin-resource-policy', 'same-origin')
      .header('cache-control', 'no-store')
  );
}

/**
 * What lets a form's redirects reach a client, and an upstream on the way (CSP Level 3 §2.3.1): the schemes of their URIs.
 * Chromium holds every redirect that follows a form against the policy, those of the client too: one whose callback goes
 * on to another of its hosts, or that signs people in for somebody else, could not be reached by its origin alone.
 */
export function formActionOf(...uris: readonly string[]): string | undefined {
  const protocols = uris.filter((uri) => URL.canParse(uri)).map((uri) => new URL(uri).protocol);
  const schemes = protocols.flatMap((protocol) => (protocol === 'http:' ? ['http:', 'https:'] : [protocol]));
  return schemes.length === 0 ? undefined : [...new Set(schemes)].join(' ');
}
