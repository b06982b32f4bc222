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
 * What lets a form's redirect reach a client (CSP Level 3 §2.3.1): the scheme of its redirect URI. Chromium holds every
 * redirect that follows a form against the policy, those of the client too: one whose callback goes on to another of its
 * hosts, or that signs people in for somebody else, could not be reached by its origin alone.
 */
export function formActionOf(redirectUri: string): string | undefined {
  if (!URL.canParse(redirectUri)) return undefined;
  const { protocol } = new URL(redirectUri);
  return protocol === 'http:' ? 'http: https:' : protocol;
}
