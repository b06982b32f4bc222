/** Sign-ins with a provider that turns to lying while the person is there. */
import assert from 'node:assert/strict';
import type { UpstreamFailure, UpstreamIdentity } from '../../../src/upstream/identity.ts';
import type { OidcConfiguration } from '../../../src/upstream/oauth2/configuration.ts';
import { oidcUpstream } from '../../../src/upstream/oidc/upstream.ts';
import type { Liar, Lies } from '../../labs/liar.ts';
import { failure, finish, goAndReturn } from '../oauth2/support.ts';

export const setupOf = (liar: Liar, configuration: Partial<OidcConfiguration> = {}) => ({
  upstream: oidcUpstream,
  configuration: { ...liar.oidc, ...configuration },
  secrets: { clientSecret: liar.clientSecret },
});

/** It is honest while the browser goes there, so that what is refused is refused when it comes back. */
export async function signInWith(
  liar: Liar,
  lies: Lies,
  configuration: Partial<OidcConfiguration> = {},
): Promise<UpstreamIdentity> {
  liar.lies = {};
  const back = await goAndReturn(setupOf(liar, configuration), { answers: {} });
  liar.lies = lies;
  return finish(setupOf(liar, configuration), back);
}

export const refusedWith = (liar: Liar, lies: Lies, expected: UpstreamFailure): Promise<void> =>
  assert.rejects(signInWith(liar, lies), failure(expected, liar.clientSecret, 'an access token'), JSON.stringify(lies));
