import type { Application, ApplicationType, CustomClientMetadata, OidcClientMetadata } from '@sekisho/contract';
import type { Client, ClientType } from '../../../domain/clients/client.ts';
import type { Context } from '../../../domain/context.ts';

/** What of an application only Logto has words for; kept in the client's `extras.logto`. */
interface Kept {
  oidcClientMetadata?: OidcClientMetadata;
  customClientMetadata?: CustomClientMetadata;
  customData?: Record<string, unknown>;
}

export const keptOf = ({ extras }: Pick<Client, 'extras'>): Kept => (extras.logto ?? {}) as Kept;

const shownTypes: Record<ClientType, ApplicationType> = {
  machine: 'MachineToMachine',
  resource_server: 'MachineToMachine',
  web: 'Traditional',
  browser: 'SPA',
  native: 'Native',
};

/** Of a client that says nothing of its kind: a web application with a server. */
export const applicationTypeOf = (type: ClientType | null): ApplicationType =>
  type === null ? 'Traditional' : shownTypes[type];

/** An application in Logto's words; `status`, `ownerOrganizationId` and `updatedAt` are ours. Never a secret. */
export function applicationBody({ site }: Pick<Context, 'site'>, client: Client): Application {
  const { oidcClientMetadata, customClientMetadata = {}, customData = {} } = keptOf(client);
  return {
    tenantId: site.tenantId,
    id: client.id,
    name: client.name,
    description: client.description,
    type: applicationTypeOf(client.type),
    oidcClientMetadata: { redirectUris: [], postLogoutRedirectUris: [], ...oidcClientMetadata },
    customClientMetadata,
    protectedAppMetadata: null,
    customData,
    isThirdParty: !client.firstParty,
    appLevelAccessControlEnabled: false,
    createdAt: client.createdAt,
    updatedAt: client.updatedAt,
    status: client.status,
    ownerOrganizationId: client.ownerOrganizationId,
  };
}
