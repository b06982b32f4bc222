/** What every upstream answers with: whom it says it is, or why it does not say. Nothing here knows a user of ours. */

/** Somebody as an upstream knows them. */
export interface UpstreamIdentity {
  /** Who says so; together with `subject` it tells people apart, byte for byte. */
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  /** Only where the upstream itself, or whoever set it up, vouches for the address. */
  readonly emailVerified: boolean;
  /** What the person is called to sign in there. */
  readonly username: string | null;
  readonly name: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly picture: string | null;
  readonly groups: readonly string[];
  /** How the person proved who it is (RFC 8176), as far as it is known. */
  readonly amr: readonly string[];
  /** What the upstream told, for clients that ask for it; small, and no secret in it. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Why there is no identity.
 * - `credentials_refused`: the upstream does not accept them; an unknown person and a wrong password are one.
 * - `denied`: the person, or the upstream, said no.
 * - `unavailable`: it could not be reached, was late, or is out of order.
 * - `untrusted`: it could not prove who it is, or would have had to be told a password in the clear.
 * - `answer_invalid`: what it said breaks the protocol's rules.
 * - `misconfigured`: it does not accept how the policy is set up (client, names, mechanism).
 * - `forbidden`: our own rules do not let a request go there.
 */
export type UpstreamFailure =
  | 'credentials_refused'
  | 'denied'
  | 'unavailable'
  | 'untrusted'
  | 'answer_invalid'
  | 'misconfigured'
  | 'forbidden';

/** The message is for logs and administrators: it holds no secret and nothing that an upstream wrote at length. */
export class UpstreamError extends Error {
  readonly failure: UpstreamFailure;

  constructor(failure: UpstreamFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UpstreamError';
    this.failure = failure;
  }
}
