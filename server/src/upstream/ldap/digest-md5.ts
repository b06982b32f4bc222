/** DIGEST-MD5 (RFC 2831), with qop `auth`: the password does not cross the wire, and the server proves that it knows it. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { UpstreamError } from '../identity.ts';
import { malformed } from './ber.ts';
import type { LdapConnection } from './connection.ts';
import type { LdapCredentials } from './credentials.ts';
import { type DigestChallenge, readChallenge } from './digest-challenge.ts';
import { bindSasl } from './operations.ts';
import { challengeOf, codes, refusalOf } from './result.ts';

const mechanism = 'DIGEST-MD5';
const nonceCount = '00000001';

/** `realm`: null takes the first that is offered. Throws `credentials_refused`, `misconfigured`, `untrusted`, `answer_invalid`. */
export async function bindDigestMd5(
  connection: LdapConnection,
  { user, password }: LdapCredentials,
  realm: string | null,
): Promise<void> {
  const challenge = readChallenge(challengeOf(await bindSasl(connection, mechanism)));
  const answer = answerTo(challenge, {
    user,
    password,
    realm: realmOf(challenge, realm),
    uri: `ldap/${connection.host}`,
    clientNonce: randomBytes(16).toString('base64'),
  });
  const second = await bindSasl(connection, mechanism, answer.text);
  if (second.code !== codes.success && second.code !== codes.saslBindInProgress) {
    throw refusalOf(second, { wasChallenged: true });
  }
  assertProof(second.saslCredentials, answer.expectedProof);
  if (second.code === codes.success) return;
  // The proof may be one more challenge, which is answered with nothing (RFC 2831 §2.1.3).
  const last = await bindSasl(connection, mechanism, Buffer.alloc(0));
  if (last.code !== codes.success) throw refusalOf(last, { wasChallenged: true });
}

function realmOf({ realms }: DigestChallenge, wanted: string | null): string {
  if (wanted !== null && realms.length > 0 && !realms.includes(wanted)) {
    throw new UpstreamError('misconfigured', 'the directory does not offer the realm of the policy');
  }
  return wanted ?? realms[0] ?? '';
}

function assertProof(proof: Buffer | undefined, expected: string): void {
  const wanted = Buffer.from(`rspauth=${expected}`);
  if (proof?.length === wanted.length && timingSafeEqual(proof, wanted)) return;
  throw new UpstreamError('untrusted', "the directory does not prove that it knows the person's password");
}

interface DigestInput extends LdapCredentials {
  readonly realm: string;
  readonly uri: string;
  readonly clientNonce: string;
}

/** RFC 2831 §2.1.2; `expectedProof` is the `rspauth` of an honest server, in hexadecimal (§2.1.3). */
export function answerTo(challenge: DigestChallenge, input: DigestInput): { text: Buffer; expectedProof: string } {
  const { user, password, realm, uri, clientNonce } = input;
  const { nonce, isUtf8 } = challenge;
  const secret = hash('md5', joined([user, realm, password].map(hashedText)), 'buffer');
  const session = md5(Buffer.concat([secret, Buffer.from(`:${nonce}:${clientNonce}`)]));
  const proofOf = (method: string) =>
    md5(Buffer.from([session, nonce, nonceCount, clientNonce, 'auth', md5(Buffer.from(`${method}:${uri}`))].join(':')));
  const directives = [
    ...(isUtf8 ? ['charset=utf-8'] : []),
    `username=${quoted(user)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `nc=${nonceCount}`,
    `cnonce=${quoted(clientNonce)}`,
    `digest-uri=${quoted(uri)}`,
    `response=${proofOf('AUTHENTICATE')}`,
    'qop=auth',
  ];
  if (!isUtf8 && ![user, realm, password].every(isLatin1)) throw malformed('it knows no UTF-8, which the name needs');
  return { text: Buffer.from(directives.join(','), isUtf8 ? 'utf8' : 'latin1'), expectedProof: proofOf('') };
}

const md5 = (bytes: Buffer): string => hash('md5', bytes, 'hex');

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

const isLatin1 = (text: string): boolean => /^[\0-\xff]*$/.test(text);

/** What can be written in ISO 8859-1 is hashed so, whatever crosses the wire (RFC 2831 §2.1.2.1). */
const hashedText = (text: string): Buffer => Buffer.from(text, isLatin1(text) ? 'latin1' : 'utf8');

const joined = (parts: readonly Buffer[]): Buffer =>
  Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(':'), part])));
