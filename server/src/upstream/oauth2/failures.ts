/** What the library throws, and the error codes of providers, in our words. */
import {
  AuthorizationResponseError,
  OperationProcessingError,
  ResponseBodyError,
  UnsupportedOperationError,
} from 'oauth4webapi';
import { UpstreamError, type UpstreamFailure } from '../identity.ts';

/**
 * Runs a part of the protocol; whatever it throws becomes an `UpstreamError`. The library's own errors hold tokens and
 * answers in their causes, so nothing but their text (which the library wrote) goes on.
 */
export async function inProtocol<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) throw refusal(error.error);
    if (error instanceof OperationProcessingError || error instanceof UnsupportedOperationError) {
      throw new UpstreamError('answer_invalid', `The provider's answer is not valid: ${error.message}.`);
    }
    // Junk that the library does not foresee: a key that is none, a header of another type.
    throw new UpstreamError('answer_invalid', `The provider's answer can't be read (${(error as Error).name}).`);
  }
}

/** Of an error code that a provider answered (RFC 6749 §4.1.2.1, §5.2; OpenID Connect Core §3.1.2.6; their own). */
export function refusal(code: string): UpstreamError {
  const isCode = /^[\w.-]{1,64}$/.test(code);
  const failure = isCode && Object.hasOwn(failures, code) ? failures[code]! : 'misconfigured';
  return new UpstreamError(failure, `The provider refused: ${isCode ? code : 'an error that is no code'}.`);
}

/** Everything else means that it does not accept how we ask: client, secret, redirect URI, scopes. */
const failures: Readonly<Record<string, UpstreamFailure>> = {
  access_denied: 'denied',
  login_required: 'denied',
  interaction_required: 'denied',
  consent_required: 'denied',
  account_selection_required: 'denied',
  // Apple.
  user_cancelled_authorize: 'denied',
  // The code is not one, was used, is another client's, or the verifier does not match.
  invalid_grant: 'denied',
  // GitHub, for the same.
  bad_verification_code: 'denied',
  server_error: 'unavailable',
  temporarily_unavailable: 'unavailable',
};
