/** What a sign-in page offers for an application and an organization: forms to fill in, and ways to somewhere else. */
import { offeredPolicies, type SignInTarget } from '../../domain/auth-policies/offers.ts';
import { type AuthPolicy, builtInPasswordId, isForm } from '../../domain/auth-policies/policy.ts';
import { findPoliciesWithDomains } from '../../domain/auth-policies/read-policies.ts';
import type { ProtocolContext } from '../context.ts';

/** A name and a password are asked for. */
export interface OfferedForm {
  readonly kind: 'form';
  readonly policyId: string;
  /** Undefined for the built-in password. */
  readonly title: string | undefined;
  /** The name is one of ours, or one that only a directory knows. */
  readonly nameOf: 'user' | 'directory';
}

/** The browser is sent away, and comes back. */
export interface OfferedRedirect {
  readonly kind: 'redirect';
  readonly policyId: string;
  readonly title: string;
}

export interface SignInOffer {
  /** The built-in password first, the others in order of their names. */
  readonly forms: readonly OfferedForm[];
  readonly redirects: readonly OfferedRedirect[];
  /** The name is asked for first: by the domain of an e-mail address it may lead to another policy. */
  readonly asksNameFirst: boolean;
  /** One address of each upstream: a page's policy has to let the browser go there. */
  readonly leadsTo: readonly string[];
}

/** Reads what is offered; the same lists decide when somebody signs in (`assertOffered`). */
export async function signInOffer(ctx: ProtocolContext, target: SignInTarget): Promise<SignInOffer> {
  const { tenantId } = ctx.site;
  const [{ builtInPassword, policies }, withDomains] = await Promise.all([
    offeredPolicies(ctx.services, tenantId, target),
    findPoliciesWithDomains(ctx.services, tenantId),
  ]);
  const forms = policies.filter(({ type }) => isForm(type)).map(formOf);
  const away = policies.filter(({ type }) => !isForm(type));
  return {
    forms: builtInPassword ? [builtInForm, ...forms] : forms,
    redirects: away.map((policy) => ({ kind: 'redirect', policyId: policy.id, title: titleOf(policy) })),
    asksNameFirst: policies.some(({ id }) => withDomains.has(id)),
    leadsTo: away.flatMap((policy) => addressOf(policy) ?? []),
  };
}

const builtInForm: OfferedForm = { kind: 'form', policyId: builtInPasswordId, title: undefined, nameOf: 'user' };

const titleOf = ({ title, name }: AuthPolicy): string => title ?? name;

const formOf = (policy: AuthPolicy): OfferedForm => ({
  kind: 'form',
  policyId: policy.id,
  title: titleOf(policy),
  nameOf: policy.type === 'ldap' ? 'directory' : 'user',
});

function addressOf(policy: AuthPolicy): string | null {
  switch (policy.type) {
    case 'oauth1':
      return policy.configuration.authorizeUrl;
    case 'oauth2':
      return policy.configuration.authorizationUrl ?? policy.configuration.issuer;
    case 'openid':
      return policy.configuration.issuer;
    default:
      return null;
  }
}

/** The form that is shown: the one that was chosen, where it is offered, else the first. */
export const formOffered = ({ forms }: SignInOffer, chosen: string | undefined): OfferedForm | undefined =>
  forms.find(({ policyId }) => policyId === chosen) ?? forms[0];

/** Whether the password is offered that people set when they make an account of their own. */
export const offersSignUp = ({ forms }: SignInOffer): boolean => forms[0]?.policyId === builtInPasswordId;
