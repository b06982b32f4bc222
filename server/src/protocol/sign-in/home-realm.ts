/**
 * Home-realm discovery: the domain of an e-mail address says by which policy its people sign in. That a domain has a policy
 * is no secret; whether there is an account is never asked here, so a page can't tell by this.
 */
import { findPolicyOfDomain } from '../../domain/auth-policies/read-policies.ts';
import { emailDomainKey } from '../../domain/users/identity.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { ProtocolContext } from '../context.ts';
import type { OfferedForm, OfferedRedirect, SignInOffer } from './offer-page.ts';

/** The policy that people with this identifier are sent to; undefined where it says nothing, or that is not offered. */
export async function homeRealmOf(
  ctx: ProtocolContext,
  { forms, redirects, asksNameFirst }: SignInOffer,
  identifier: string,
): Promise<OfferedForm | OfferedRedirect | undefined> {
  if (!asksNameFirst) return undefined;
  const domain = domainOf(identifier);
  if (domain === undefined) return undefined;
  const policyId = await findPolicyOfDomain(ctx.services, ctx.site.tenantId, domain);
  return [...forms, ...redirects].find((offered) => offered.policyId === policyId);
}

/** Longer than any address; it bounds the work. */
const longestIdentifier = 320;

function domainOf(identifier: string): string | undefined {
  const text = identifier.trim();
  const at = text.lastIndexOf('@');
  if (at <= 0 || text.length > longestIdentifier) return undefined;
  try {
    return emailDomainKey(text.slice(at + 1), 'identifier');
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}
