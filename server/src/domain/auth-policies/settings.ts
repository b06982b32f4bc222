/** What of an auth policy is set from outside, checked and complete. */
import { invalid } from '../../kernel/errors.ts';
import type { Extras } from '../clients/client.ts';
import { emailDomainKey } from '../users/identity.ts';
import type { AuthPolicy, AuthPolicyRow, AuthPolicyType, RoleMapping } from './policy.ts';

/** A policy to be made. What is absent has the closed default: only users who are known already, none linked by a name. */
export interface NewAuthPolicy {
  readonly name: string;
  readonly type: AuthPolicyType;
  /** In the words of the native API, with its secrets; unknown fields are dropped. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly title?: string | null | undefined;
  /** True unless told. */
  readonly enabled?: boolean | undefined;
  /** True unless told. */
  readonly checkUserExists?: boolean | undefined;
  readonly checkUserApproved?: boolean | undefined;
  readonly linksByEmail?: boolean | undefined;
  readonly linksByUsername?: boolean | undefined;
  readonly newUserStatus?: AuthPolicy['newUserStatus'] | undefined;
  readonly roleMappings?: readonly RoleMapping[] | undefined;
  readonly emailDomains?: readonly string[] | undefined;
  readonly extras?: Extras | undefined;
}

/** What is absent or undefined stays; what is given replaces. */
export type AuthPolicyChange = { readonly [Field in keyof NewAuthPolicy]?: NewAuthPolicy[Field] | undefined };

export type AuthPolicySettings = Pick<
  AuthPolicy,
  | 'name'
  | 'title'
  | 'enabled'
  | 'checkUserExists'
  | 'checkUserApproved'
  | 'linksByEmail'
  | 'linksByUsername'
  | 'newUserStatus'
  | 'roleMappings'
  | 'extras'
>;

const longestName = 128;
const mostMappings = 100;
const mostRoles = 50;
const mostDomains = 100;
const longestGroup = 1024;

/** Completes them by what there was, or the defaults. Throws `input.invalid` naming the field. */
export function settingsOf(given: AuthPolicyChange, before?: AuthPolicySettings): AuthPolicySettings {
  const settings: AuthPolicySettings = {
    name: given.name ?? before?.name ?? '',
    title: (given.title === undefined ? before?.title : given.title) ?? null,
    enabled: given.enabled ?? before?.enabled ?? true,
    checkUserExists: given.checkUserExists ?? before?.checkUserExists ?? true,
    checkUserApproved: given.checkUserApproved ?? before?.checkUserApproved ?? false,
    linksByEmail: given.linksByEmail ?? before?.linksByEmail ?? false,
    linksByUsername: given.linksByUsername ?? before?.linksByUsername ?? false,
    newUserStatus: given.newUserStatus ?? before?.newUserStatus ?? 'active',
    roleMappings: (given.roleMappings ?? before?.roleMappings ?? []).map(({ group, organizationId, roleIds }) => ({
      group,
      organizationId,
      roleIds: [...roleIds],
    })),
    extras: given.extras ?? before?.extras ?? {},
  };
  assertText(settings.name, 'name');
  if (settings.title !== null) assertText(settings.title, 'title');
  assertMappings(settings.roleMappings);
  return settings;
}

const controls = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/;

function assertText(text: string, path: string): void {
  const isVisible = /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u.test(text);
  if (isVisible && text.length <= longestName && !controls.test(text) && text.trim() === text) return;
  throw invalid(path, `It has 1 to ${longestName} characters, one of them visible, and no space around it.`);
}

/** One entry for each group and organization, so that there is one answer to which roles a group gives. */
function assertMappings(mappings: readonly RoleMapping[]): void {
  if (mappings.length > mostMappings) throw invalid('roleMappings', `There are at most ${mostMappings}.`);
  const seen = new Set<string>();
  for (const [index, { group, organizationId, roleIds }] of mappings.entries()) {
    const path = `roleMappings.${index}`;
    if (group.trim() === '' || group.length > longestGroup) {
      throw invalid(`${path}.group`, `A group has 1 to ${longestGroup} characters.`);
    }
    if (roleIds.length === 0 || roleIds.length > mostRoles) {
      throw invalid(`${path}.roleIds`, `There are 1 to ${mostRoles} roles.`);
    }
    if (new Set(roleIds).size < roleIds.length) throw invalid(`${path}.roleIds`, 'A role stands here once.');
    const key = JSON.stringify([group, organizationId]);
    if (seen.has(key)) throw invalid(path, 'The group has an entry for this organization already.');
    seen.add(key);
  }
}

/** The domains as keys, in their order. Throws `input.invalid` naming `emailDomains.<index>`. */
export function emailDomainKeys(domains: readonly string[]): string[] {
  if (domains.length > mostDomains) throw invalid('emailDomains', `A policy has at most ${mostDomains} of them.`);
  const keys = domains.map((domain, index) => emailDomainKey(domain, `emailDomains.${index}`));
  const again = keys.findIndex((key, index) => keys.indexOf(key) !== index);
  if (again >= 0) throw invalid(`emailDomains.${again}`, 'A domain stands here once.');
  return keys;
}

const flag = (value: boolean): 0 | 1 => (value ? 1 : 0);

/** The columns of the settings, as they are stored. */
export const columnsOf = (settings: AuthPolicySettings) =>
  ({
    name: settings.name,
    title: settings.title,
    enabled: flag(settings.enabled),
    check_user_exists: flag(settings.checkUserExists),
    check_user_approved: flag(settings.checkUserApproved),
    links_by_email: flag(settings.linksByEmail),
    links_by_username: flag(settings.linksByUsername),
    new_user_status: settings.newUserStatus,
    role_mappings: JSON.stringify(settings.roleMappings),
    extras: JSON.stringify(settings.extras),
  }) satisfies Partial<AuthPolicyRow>;
