import type { Schema } from '../../storage/schema.ts';
import { type ClientSignIn, signInOf } from './sign-in.ts';

/** How a client proves itself at the token endpoint. */
export type AuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'self_signed_tls_client_auth'
  | 'none';

export type CertificateMethod = 'tls_client_auth' | 'self_signed_tls_client_auth';

/** What kind of application it is, where that matters. */
export type ClientType = 'machine' | 'web' | 'browser' | 'native' | 'resource_server';

/** An application that asks for tokens. */
export interface Client {
  id: string;
  name: string;
  description: string | null;
  type: ClientType | null;
  status: 'active' | 'disabled';
  firstParty: boolean;
  grantTypes: string[];
  /** Null: either way of sending a secret. */
  authMethod: AuthMethod | null;
  /** The API this client is, if it is one. */
  resourceServerId: string | null;
  metadata: Record<string, string>;
  /** What only a dialect knows, by dialect. */
  extras: Extras;
  /** What counts where people sign in to it. */
  signIn: ClientSignIn;
  /** The organization whose subtree the client belongs to; null: the tenant's. */
  ownerOrganizationId: string | null;
  createdAt: number;
  updatedAt: number;
}

/** What may be set of a client. */
export interface ClientSettings
  extends Pick<
    Client,
    | 'name'
    | 'description'
    | 'type'
    | 'status'
    | 'firstParty'
    | 'grantTypes'
    | 'authMethod'
    | 'metadata'
    | 'extras'
    | 'signIn'
  > {
  /** Identifier or id of the API this client is. */
  resourceServer: string | null;
}

export type Extras = Record<string, Record<string, unknown>>;

/** A public client can't keep a secret: its method is none, or it is a browser or native one with none set. */
export const isPublicClient = (client: { authMethod: string | null; type: string | null }): boolean =>
  client.authMethod === 'none' || (client.authMethod === null && /^(browser|native)$/.test(client.type ?? ''));

/** What a client proves itself with that is not a secret: keys or certificates. */
export function credentialKindOf(client: { authMethod: string | null }): 'key' | 'certificate' | undefined {
  if (client.authMethod === 'private_key_jwt') return 'key';
  return client.authMethod !== null && isCertificateMethod(client.authMethod) ? 'certificate' : undefined;
}

/** RFC 8705 §2. */
const isCertificateMethod = (method: string): method is CertificateMethod =>
  method === 'tls_client_auth' || method === 'self_signed_tls_client_auth';

export type ClientRow = Schema['clients'];

export const clientOf = (row: ClientRow): Client => ({
  id: row.id,
  name: row.name,
  description: row.description,
  type: row.type as ClientType | null,
  status: row.status,
  firstParty: row.first_party === 1,
  grantTypes: JSON.parse(row.grant_types) as string[],
  authMethod: row.auth_method as AuthMethod | null,
  resourceServerId: row.resource_server_id,
  metadata: JSON.parse(row.metadata) as Record<string, string>,
  extras: JSON.parse(row.extras) as Extras,
  signIn: signInOf(row.sign_in),
  ownerOrganizationId: row.owner_organization_id,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
