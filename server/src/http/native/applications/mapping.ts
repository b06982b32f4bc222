import type {
  Application,
  ApplicationSecret,
  ApplicationType,
  CreateApplication,
  UpdateApplication,
} from '@sekisho/contract';
import type { Client, ClientSettings, ClientType } from '../../../domain/clients/client.ts';
import type { NewClient } from '../../../domain/clients/clients.ts';
import type { Credential } from '../../../domain/clients/credential.ts';
import { type ClientSignIn, noSignIn } from '../../../domain/clients/sign-in.ts';
import type { Context } from '../../../domain/context.ts';
import { DomainError, invalid } from '../../../kernel/errors.ts';
import { withNames } from '../field-names.ts';
import {
  customMetadataOf,
  grantTypesOf,
  type KeptMetadata,
  keptMetadata,
  oidcMetadataOf,
  signInFacts,
  signInNames,
} from './sign-in.ts';

/** What of an application only Logto has words for; kept in the client's `extras.logto`. */
interface Kept {
  customClientMetadata?: KeptMetadata;
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
  const { customClientMetadata = {}, customData = {} } = keptOf(client);
  return {
    tenantId: site.tenantId,
    id: client.id,
    name: client.name,
    description: client.description,
    type: applicationTypeOf(client.type),
    oidcClientMetadata: oidcMetadataOf(client),
    customClientMetadata: customMetadataOf(client, customClientMetadata),
    protectedAppMetadata: null,
    customData,
    isThirdParty: !client.firstParty,
    appLevelAccessControlEnabled: false,
    authPolicyIds: client.signIn.authPolicyIds === undefined ? null : [...client.signIn.authPolicyIds],
    createdAt: client.createdAt,
    updatedAt: client.updatedAt,
    status: client.status,
    ownerOrganizationId: client.ownerOrganizationId,
  };
}

const storedTypes: Record<ApplicationType, ClientType> = {
  MachineToMachine: 'machine',
  Traditional: 'web',
  SPA: 'browser',
  Native: 'native',
};

const typeNames = [...Object.keys(storedTypes), 'Protected', 'SAML'];

/** The types of clients that a list of Logto's stands for. Throws `input.invalid`. */
export function clientTypesOf(given: string | readonly string[]): Client['type'][] {
  const wanted = [given].flat() as string[];
  const unknown = wanted.find((type) => !typeNames.includes(type));
  if (unknown !== undefined) throw invalid('types', `A type is one of ${typeNames.join(', ')}.`);
  const all: Client['type'][] = ['machine', 'resource_server', 'web', 'browser', 'native', null];
  return all.filter((type) => wanted.includes(applicationTypeOf(type)));
}

/** Fields whose name in Logto's bodies is not the domain's. */
const names = { ownerOrganizationId: 'organizationId', firstParty: 'isThirdParty', ...signInNames };

/** What a verb throws names the field as the caller wrote it. */
export const inLogtosWords = <T>(work: Promise<T>): Promise<T> => withNames(names, work);

/** A new application in the domain's words. Throws `input.invalid`. */
export function createInputOf(body: CreateApplication): NewClient {
  const { type } = body;
  if (type === 'Protected' || type === 'SAML') {
    throw new DomainError('input.invalid', `Applications of type ${type} are not possible here.`, {
      path: 'type',
      data: { rule: 'application_type' },
    });
  }
  const isMachine = type === 'MachineToMachine';
  const before = {
    grantTypes: isMachine ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    extras: {},
    signIn: noSignIn,
  };
  return {
    ...before,
    ...changeOf(body, before),
    name: body.name,
    type: storedTypes[type],
    authMethod: type === 'SPA' || type === 'Native' ? 'none' : null,
    secretName: 'Default secret',
    ownerOrganizationId: body.organizationId,
  };
}

/** A change of an application in the domain's words; each object that is given replaces the one there was. */
export function changeOf(
  body: UpdateApplication,
  before: Pick<Client, 'grantTypes' | 'extras' | 'signIn'>,
): Partial<ClientSettings> {
  const { customClientMetadata: custom, customData } = body;
  const kept: Kept = {
    ...(custom && { customClientMetadata: keptMetadata(custom) }),
    ...(customData && { customData: bounded(customData) }),
  };
  const change = {
    name: body.name,
    description: body.description,
    status: body.status,
    firstParty: body.isThirdParty === undefined ? undefined : !body.isThirdParty,
    grantTypes: custom === undefined ? undefined : grantTypesOf(before.grantTypes, custom),
    extras: withKept(before, kept),
    signIn: signInAfter(body, before),
  };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

/** Undefined where nothing of it is said. */
function signInAfter(body: UpdateApplication, { signIn }: Pick<Client, 'signIn'>): ClientSignIn | undefined {
  const { oidcClientMetadata: oidc, customClientMetadata: custom, authPolicyIds } = body;
  if (oidc === undefined && custom === undefined && authPolicyIds === undefined) return undefined;
  const after = {
    ...signIn,
    ...signInFacts(oidc, custom),
    ...(authPolicyIds === undefined ? {} : { authPolicyIds: authPolicyIds ?? undefined }),
  };
  return after as ClientSignIn;
}

/** Custom data merged key by key; null removes a key. */
export function customDataChange(given: Record<string, unknown>, before: Client): Partial<ClientSettings> {
  const merged = new Map(Object.entries(keptOf(before).customData ?? {}));
  for (const [key, value] of Object.entries(given)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return { extras: withKept(before, { customData: bounded(Object.fromEntries(merged)) }) as Client['extras'] };
}

const withKept = ({ extras }: Pick<Client, 'extras'>, kept: Kept): Client['extras'] | undefined =>
  Object.keys(kept).length === 0 ? undefined : { ...extras, logto: { ...extras.logto, ...kept } };

/** Largest custom data, in UTF-16 units of JSON. */
const largestCustomData = 16_384;

function bounded(customData: Record<string, unknown>): Record<string, unknown> {
  if (JSON.stringify(customData).length <= largestCustomData) return customData;
  throw invalid('customData', `It has more than ${largestCustomData} characters of JSON.`);
}

/** A secret; its value only where it is made. */
export const secretBody = (
  { site }: Pick<Context, 'site'>,
  applicationId: string,
  secret: Credential,
): ApplicationSecret => ({
  tenantId: site.tenantId,
  applicationId,
  name: secret.name,
  value: null,
  prefix: secret.prefix ?? '',
  createdAt: secret.createdAt,
  expiresAt: secret.expiresAt,
  lastUsedAt: secret.lastUsedAt,
});
