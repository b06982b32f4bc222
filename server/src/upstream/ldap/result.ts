/** What a directory says came of a request (RFC 4511 §4.1.9, appendix A), and what that means for us. */
import type { Element } from '../../kernel/der.ts';
import { logText } from '../../kernel/text.ts';
import { UpstreamError, type UpstreamFailure } from '../identity.ts';
import { malformed, readInteger, readText, tags } from './ber.ts';

export interface LdapResult {
  readonly code: number;
  /** The directory's own words, short. */
  readonly message: string;
  /** Of a SASL bind: the challenge, or the server's proof. */
  readonly saslCredentials: Buffer | undefined;
  /** Of an extended operation. */
  readonly value: Buffer | undefined;
}

export const codes = {
  success: 0,
  sizeLimitExceeded: 4,
  saslBindInProgress: 14,
  noSuchObject: 32,
  other: 80,
} as const;

const saslCredentialsTag = 0x87;
const extendedValueTag = 0x8b;
/** Longest text of a directory's that goes into an error, in characters. */
const messageLength = 128;

/** Reads the components of LDAPResult, and what bind and extended answers have beside. Throws `answer_invalid`. */
export function readResult([code, matched, message, ...others]: readonly Element[]): LdapResult {
  readText(matched);
  const other = (tag: number) => others.find((found) => found.tag === tag)?.content;
  return {
    code: readInteger(code, tags.enumerated),
    message: (logText(readText(message)) ?? '').slice(0, messageLength),
    saslCredentials: other(saslCredentialsTag),
    value: other(extendedValueTag),
  };
}

/** Codes that mean the same at every step; all others are a directory out of order. */
const meanings = new Map<number, UpstreamFailure>([
  [1, 'misconfigured'], // operationsError: Active Directory before a bind
  [2, 'misconfigured'], // protocolError: an extension it does not know
  [7, 'misconfigured'], // authMethodNotSupported
  [8, 'misconfigured'], // strongerAuthRequired
  [10, 'misconfigured'], // referral: never followed
  [12, 'misconfigured'], // unavailableCriticalExtension
  [13, 'misconfigured'], // confidentialityRequired
  [18, 'misconfigured'], // inappropriateMatching
  [codes.noSuchObject, 'misconfigured'],
  [34, 'misconfigured'], // invalidDNSyntax
  [48, 'misconfigured'], // inappropriateAuthentication
  [49, 'misconfigured'], // invalidCredentials: those of the policy
  [50, 'misconfigured'], // insufficientAccessRights
  [53, 'misconfigured'], // unwillingToPerform
]);

/**
 * What, in the answer to a person's bind, is about the person: locked (19), no such entry (32), without a password (48),
 * wrong password, disabled or expired (49), not allowed to (50), unwilling (53).
 */
const aboutThePerson: ReadonlySet<number> = new Set([19, codes.noSuchObject, 48, 49, 50, 53]);

export const failureOf = ({ code, message }: LdapResult, step: string): UpstreamError =>
  new UpstreamError(meanings.get(code) ?? 'unavailable', `${step}: the directory answers ${code} ${message}`.trim());

/** `wasChallenged`: SASL has asked for the proof already, so that 80 means what 49 does (Cyrus and unknown people). */
export function refusalOf(result: LdapResult, { wasChallenged }: { wasChallenged: boolean }): UpstreamError {
  const isAboutThePerson = aboutThePerson.has(result.code) || (wasChallenged && result.code === codes.other);
  if (!isAboutThePerson) return failureOf(result, 'sign-in');
  return new UpstreamError('credentials_refused', `the directory does not accept the credentials (${result.code})`);
}

/** What SASL's first round must bring; success without it would be no proof of anything. Throws `answer_invalid`. */
export function challengeOf(result: LdapResult): Buffer {
  if (result.code === codes.success) throw malformed('it accepts before it has asked');
  if (result.code !== codes.saslBindInProgress) throw refusalOf(result, { wasChallenged: false });
  if (result.saslCredentials === undefined) throw malformed('a challenge without one');
  return result.saslCredentials;
}
