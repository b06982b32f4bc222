/** What this dialect calls things: the domain's organization is an account, its `parentId` is `parent_id`. */
import type { DomainError, ErrorCode } from '../../kernel/errors.ts';

const fields: Record<string, string> = {
  parentId: 'parent_id',
  from: 'cursor',
  organizationRoleIds: 'role',
  organizationRoleNames: 'role',
  userId: 'user_id',
  applicationId: 'client_id',
};

/** The field at fault, as a request of this dialect spells it. */
export const fieldOf = ({ path }: DomainError): string | undefined =>
  path === undefined ? undefined : (fields[path] ?? path);

const things: Record<string, string> = {
  organization: 'account',
  'organization role': 'role',
  client: 'application',
};

const sentences: Partial<Record<ErrorCode, (error: DomainError) => string>> = {
  'entity.not_found': missing,
  'entity.reference_not_found': missing,
  'organization.has_children': () => 'The account has children: delete or move them first, or ask for cascade=true.',
  'organization.cycle': () => 'An account can not be moved below itself.',
  'organization.too_deep': () => 'The tree of accounts would be deeper than its limit.',
  'organization.last_owner': () => 'A root account keeps at least one active owner.',
  'organization.member_inherited': () => 'The member comes from an account above; change it there.',
  'organization.not_a_machine': () => 'Only a client that can prove who it is can be a member.',
  'auth.organization_token': () => 'A token for one account can not do this.',
};

function missing({ data: { thing } }: DomainError): string {
  return `The ${things[String(thing)] ?? String(thing)} does not exist.`;
}

/** The error in this dialect's words; `audience` is what a token must be for. */
export function sentenceOf(error: DomainError, audience: string): string {
  const isOfToken = error.code === 'auth.missing' || error.code === 'auth.invalid_token';
  if (isOfToken && error.data.expected === undefined) {
    return `${error.message.replace(/\.$/, '')}; this API expects one for ${audience}.`;
  }
  if (error.code === 'entity.exists' && error.data.thing === 'member') return 'It is a member of the account already.';
  return sentences[error.code]?.(error) ?? error.message;
}
