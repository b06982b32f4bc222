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
      // Stricter than this and browsers would send `Origin: null` with our own forms.
      .header('referrer-policy', 'same-origin')
      .header('permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()')
      .header('cross-origin-resource-policy', 'same-origin')
      .header('cache-control', 'no-store')
  );
}

/**
 * The source expression that lets a form's redirect reach a client (CSP Level 3 §2.3.1): its origin; the scheme alone
 * where there is no origin, or a host that the policy's grammar can't say (IPv6, and characters that would end it).
 */
export function formActionOf(redirectUri: string): string | undefined {
  if (!URL.canParse(redirectUri)) return undefined;
  const { protocol, hostname, origin } = new URL(redirectUri);
  const isWeb = protocol === 'https:' || protocol === 'http:';
  return isWeb && /^[a-z0-9.-]+$/.test(hostname) ? origin : protocol;
}
