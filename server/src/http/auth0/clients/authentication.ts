/**
 * How a client proves itself, in this dialect's words: `token_endpoint_auth_method` for secrets, and for keys and
 * certificates `client_authentication_methods`, which names one method and its credentials.
 */
import {
  type AuthMethod,
  type CertificateMethod,
  type Client,
  credentialKindOf,
} from '../../../domain/clients/client.ts';
import type { GivenCertificate } from '../../../domain/clients/client-certificates.ts';
import type { GivenKey } from '../../../domain/clients/client-keys.ts';
import type { ClientChange, NewClient } from '../../../domain/clients/clients.ts';
import type { Credential } from '../../../domain/clients/credential.ts';
import type { ClientWithKeys } from '../../../domain/clients/read-clients.ts';
import { invalid } from '../../../kernel/errors.ts';
import { withoutUnset } from '../envelope.ts';
import type { CreateBody, CredentialBody, UpdateBody } from './schema.ts';

/** Of a new client. */
export function newAuthentication(body: CreateBody): Pick<NewClient, 'authMethod' | 'keys' | 'certificates'> {
  const { client_authentication_methods: methods, token_endpoint_auth_method: method = null, jwks } = body;
  const [named, credentials] = methods == null ? [undefined, []] : onlyOf(methods);
  const keys = (jwks?.keys ?? []).map((jwk): GivenKey => ({ jwk: jwk as Record<string, unknown>, kid: kidOf(jwk) }));
  if (named === undefined && keys.length === 0) return { authMethod: method };
  if (method !== null) throw exclusive();
  if (named === undefined || named === 'private_key_jwt') {
    return { authMethod: 'private_key_jwt', keys: [...credentials.map(givenKeyOf), ...keys] };
  }
  if (keys.length > 0) throw invalid('jwks', 'Keys are for private_key_jwt');
  return { authMethod: named, certificates: credentials.map((one) => givenCertificateOf(one, named)) };
}

/**
 * Of a change. `client_authentication_methods` and `token_endpoint_auth_method` exclude each other: clearing the first
 * with null goes with a method in the same body.
 */
export function changedAuthentication(body: UpdateBody, before: Client): Pick<ClientChange, 'authMethod' | 'keyIds'> {
  const { client_authentication_methods: methods, token_endpoint_auth_method: method } = body;
  if (methods != null) {
    if (method != null) throw exclusive();
    const [named, credentials] = onlyOf(methods);
    return { authMethod: named, keyIds: credentials.map(({ id }) => id) };
  }
  const usesCredentials = credentialKindOf(before) !== undefined;
  if (usesCredentials && methods === undefined) {
    if (method != null) throw exclusive();
    return {};
  }
  if (methods === null && usesCredentials) return { authMethod: (method ?? null) as AuthMethod | null, keyIds: [] };
  return method === undefined ? {} : { authMethod: method as AuthMethod | null };
}

type Method = 'private_key_jwt' | CertificateMethod;

/** The one method that is named, with its credentials. */
function onlyOf<T>(methods: Partial<Record<Method, { credentials: T[] }>>): [Method, T[]] {
  const [first, second] = Object.entries(methods) as [Method, { credentials: T[] }][];
  if (first === undefined || second !== undefined) throw invalid('client_authentication_methods', 'Name one method');
  return [first[0], first[1].credentials];
}

const exclusive = () =>
  invalid(
    'token_endpoint_auth_method',
    'client_authentication_methods and token_endpoint_auth_method exclude each other; set the other one to null',
  );

/** As a client shows it; which credentials it refers to only to who may see them. */
export function shownAuthentication(client: ClientWithKeys, isVisible: boolean): Record<string, unknown> {
  if (credentialKindOf(client) === undefined) return { token_endpoint_auth_method: client.authMethod };
  if (!isVisible) return {};
  const credentials = client.keyIds.map((id) => ({ id }));
  return { client_authentication_methods: { [client.authMethod as Method]: { credentials } } };
}

/** A credential body as the domain takes a key. */
export function givenKeyOf(body: Partial<CredentialBody>): GivenKey {
  return {
    pem: body.pem,
    jwk: body.jwk as Record<string, unknown> | undefined,
    name: body.name,
    kid: body.kid ?? kidOf(body.jwk),
    // Auth0 reads an absent algorithm of a PEM as RS256; a JWK says what it is.
    alg: body.alg ?? (body.pem === undefined || !/RSA/.test(body.pem) ? undefined : 'RS256'),
    expiresAt: body.expires_at === undefined ? undefined : timeOf(body.expires_at),
    expiryFromCertificate: body.parse_expiry_from_cert,
  };
}

const kidOf = (jwk: unknown): string | undefined => {
  const { kid } = (jwk ?? {}) as { kid?: unknown };
  return typeof kid === 'string' ? kid : undefined;
};

/** A credential body as the domain takes a certificate. */
export function givenCertificateOf(body: Partial<CredentialBody>, method: CertificateMethod): GivenCertificate {
  return {
    method,
    subject: body.subject_dn === undefined ? undefined : nameOf(body.subject_dn),
    certificate: body.pem,
    name: body.name,
    expiresAt: body.expires_at === undefined ? undefined : timeOf(body.expires_at),
  };
}

/** Auth0 also shows names as OpenSSL lists them: a line a part, in the order of the certificate. */
const nameOf = (subject: string): string =>
  subject.includes('\n') ? subject.trim().split(/\r?\n/).reverse().join(',') : subject;

/** An ISO 8601 time in milliseconds. */
export function timeOf(text: string): number {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw invalid('expires_at', 'Object did not pass validation for format date-time');
  return time;
}

/** A credential as this dialect shows it; never its key. */
export const credentialBodyOf = (credential: Credential): Record<string, unknown> =>
  withoutUnset({
    id: credential.id,
    name: credential.name,
    kid: credential.kid,
    alg: credential.alg,
    credential_type: credentialTypeOf(credential),
    subject_dn: credential.certificateSubject,
    thumbprint_sha256: credential.certificateThumbprint,
    created_at: new Date(credential.createdAt).toISOString(),
    updated_at: new Date(credential.updatedAt).toISOString(),
    expires_at: credential.expiresAt === null ? undefined : new Date(credential.expiresAt).toISOString(),
    last_used_at: credential.lastUsedAt === null ? undefined : new Date(credential.lastUsedAt).toISOString(),
  });

function credentialTypeOf({ kind, certificateSubject }: Credential): string {
  if (kind !== 'certificate') return 'public_key';
  return certificateSubject === null ? 'x509_cert' : 'cert_subject_dn';
}
