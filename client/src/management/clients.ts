/** The two clients of the management API: in the words of the native API, and in those of the accounts API. */
import { Connection, type ConnectionOptions } from './connection.ts';
import { type CallOptions, type ClientOf, clientOf } from './methods.ts';
import { accountsOperations, nativeOperations } from './operations.ts';
import type { Account, AccountMember, ChangeOptions, ConditionalOptions, PostOptions } from './types.ts';

export type ManagementClientOptions = ConnectionOptions;
export type ManagementClient = ClientOf<typeof nativeOperations>;

/** Organizations, members, users, roles, applications, resources, and all else under `/api`. Throws `ConfigurationError`. */
export const createManagementClient = (options: ManagementClientOptions): ManagementClient =>
  clientOf(nativeOperations, new Connection(options), 'link');

type AccountsMethods = Omit<ClientOf<typeof accountsOperations>, 'addMember' | 'moveAccount'>;

export interface AccountsClient extends AccountsMethods {
  /** Adds a user with a role: `owner`, `member`, `viewer`, or one that was made. */
  addAccountMember(
    accountId: string,
    userId: string,
    role: string,
    options?: PostOptions & CallOptions,
  ): Promise<AccountMember>;
  /** Adds a machine client with a role that is made for machines. */
  addAccountClient(
    accountId: string,
    clientId: string,
    role: string,
    options?: PostOptions & CallOptions,
  ): Promise<AccountMember>;
  /** The role replaces all that the member has. */
  changeAccountMemberRole(
    accountId: string,
    memberId: string,
    role: string,
    options?: ChangeOptions & ConditionalOptions & CallOptions,
  ): Promise<AccountMember>;
  /** Below another parent; null: it becomes a root. */
  moveAccount(accountId: string, parentId: string | null, options?: PostOptions & CallOptions): Promise<Account>;
}

/** Accounts, their members, and the users of applications. Throws `ConfigurationError`. */
export function createAccountsClient(options: ConnectionOptions): AccountsClient {
  const { addMember, moveAccount, ...methods } = clientOf(accountsOperations, new Connection(options), 'data');
  return {
    ...methods,
    addAccountMember: (accountId, user_id, role, options) => addMember(accountId, { user_id, role }, options),
    addAccountClient: (accountId, client_id, role, options) => addMember(accountId, { client_id, role }, options),
    changeAccountMemberRole: (accountId, memberId, role, options) =>
      methods.updateAccountMember(accountId, memberId, { role }, options),
    moveAccount: (accountId, parent_id, options) => moveAccount(accountId, { parent_id }, options),
  };
}

/** The same by another name. */
export const createAdminClient = createAccountsClient;
