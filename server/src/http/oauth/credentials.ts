import type { PresentedCredentials } from '../../protocol/client-auth/presented.ts';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Reads what a client proves itself with, from the Authorization header, the body and the connection, into one typed
 * value (RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2). A certificate beside a secret or an assertion is no second way: a
 * token may be bound to it. More than one way at once is refused later, by the pipeline.
 */
export function readCredentials(
  authorization: string | undefined,
  parameter: (name: string) => string | undefined,
  certificate: Buffer | undefined,
): PresentedCredentials {
  const clientId = parameter('client_id');
  const secret = parameter('client_secret');
  const assertion = parameter('client_assertion');
  const ways = [authorization, secret, assertion].filter((way) => way !== undefined).length;
  if (ways > 1) return { method: 'unreadable', clientId, problem: 'several_auth_methods' };
  if (authorization !== undefined) return readBasic(authorization, clientId);
  if (assertion !== undefined) return readAssertion(assertion, parameter('client_assertion_type'), clientId);
  if (secret === undefined) return { method: 'none', clientId, certificate };
  return clientId === undefined
    ? { method: 'none', clientId: undefined }
    : { method: 'client_secret_post', clientId, secret };
}

/** RFC 6749 §2.3.1: id and secret are form-encoded, then joined and encoded as RFC 7617 says. */
function readBasic(authorization: string, bodyClientId: string | undefined): PresentedCredentials {
  const malformed: PresentedCredentials = {
    method: 'unreadable',
    clientId: bodyClientId,
    problem: 'credentials_malformed',
  };
  const match = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization);
  if (match === null || authorization.length > 8192) return malformed;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(match[1] as string, 'base64'));
    const colon = text.indexOf(':');
    if (colon < 1) return malformed;
    const clientId = formDecode(text.slice(0, colon));
    const secret = formDecode(text.slice(colon + 1));
    if (secret === '' || /\0/.test(clientId + secret)) return malformed;
    if (bodyClientId !== undefined && bodyClientId !== clientId) return malformed;
    return { method: 'client_secret_basic', clientId, secret };
  } catch {
    return malformed;
  }
}

const formDecode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));

function readAssertion(
  assertion: string,
  type: string | undefined,
  bodyClientId: string | undefined,
): PresentedCredentials {
  const clientId = bodyClientId ?? subjectOf(assertion);
  if (type !== assertionType || clientId === undefined || assertion.length > 16_384) {
    return { method: 'unreadable', clientId, problem: 'credentials_malformed' };
  }
  return { method: 'private_key_jwt', clientId, assertion };
}

/** The client an assertion says it is from; only to look it up, the signature is checked with that client's keys. */
function subjectOf(assertion: string): string | undefined {
  try {
    const payload = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString('utf8')) as unknown;
    const { sub } = payload as { sub?: unknown };
    return typeof sub === 'string' && /^[^\p{Cc}\p{Cs}]{1,64}$/u.test(sub) ? sub : undefined;
  } catch {
    return undefined;
  }
}
