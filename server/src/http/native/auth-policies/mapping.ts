import type { AuthPolicy, AuthPolicyPreset, AuthPolicyUser, CreateAuthPolicy } from '@sekisho/contract';
import { emailDomainsOfPolicies } from '../../../domain/auth-policies/email-domains.ts';
import { type AuthPolicy as DomainPolicy, isForm, secretMask } from '../../../domain/auth-policies/policy.ts';
import type { PolicyUser } from '../../../domain/auth-policies/read-policy-users.ts';
import type { NewAuthPolicy } from '../../../domain/auth-policies/settings.ts';
import type { Context } from '../../../domain/context.ts';
import { mapPage } from '../../../domain/paging.ts';
import type { Preset } from '../../../upstream/presets.ts';
import { appCallbackPath, pageCallbackPath } from '../../upstream-callbacks.ts';

/** A policy as it is shown: of a secret, only that it is there. */
export const policyBody = (ctx: Context, policy: DomainPolicy, emailDomains: readonly string[]): AuthPolicy => ({
  tenantId: ctx.site.tenantId,
  id: policy.id,
  name: policy.name,
  title: policy.title,
  type: policy.type,
  configuration: {
    ...(policy.configuration as AuthPolicy['configuration']),
    ...Object.fromEntries(policy.secrets.map((name) => [name, secretMask])),
  },
  enabled: policy.enabled,
  checkUserExists: policy.checkUserExists,
  checkUserApproved: policy.checkUserApproved,
  linksByEmail: policy.linksByEmail,
  linksByUsername: policy.linksByUsername,
  newUserStatus: policy.newUserStatus,
  roleMappings: policy.roleMappings.map((mapping) => ({ ...mapping, roleIds: [...mapping.roleIds] })),
  emailDomains: [...emailDomains],
  callbackUrls: isForm(policy.type) ? [] : callbackUrls(ctx, policy),
  createdAt: policy.createdAt,
  updatedAt: policy.updatedAt,
});

const callbackUrls = ({ site }: Context, { id }: DomainPolicy): string[] => [
  `${site.origin}${pageCallbackPath}/${id}`,
  `${site.origin}${appCallbackPath}`,
];

/** A page of policies as bodies. */
export async function policyBodies<Page extends { items: DomainPolicy[] }>(ctx: Context, page: Page) {
  const domains = await emailDomainsOfPolicies(
    ctx,
    page.items.map(({ id }) => id),
  );
  return mapPage(
    page,
    page.items.map((policy) => policyBody(ctx, policy, domains.get(policy.id) ?? [])),
  );
}

export const newPolicyOf = ({ configuration = {}, ...body }: CreateAuthPolicy): NewAuthPolicy => ({
  ...body,
  configuration,
});

export const policyUserBody = ({ id, email, picture, ...user }: PolicyUser): AuthPolicyUser => ({
  userId: id,
  primaryEmail: email,
  avatar: picture,
  ...user,
});

export const presetBody = ({ configuration, values, ...preset }: Preset): AuthPolicyPreset => ({
  ...preset,
  configuration: { ...configuration, scopes: [...configuration.scopes] },
  values: [...values],
});
