/** The helper that mints tokens for the tests of one's own API. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { createVerifier } from '../src/index.ts';
import { createTestIssuer } from '../src/testing/index.ts';
import { refuses } from './support.ts';

describe('createTestIssuer', () => {
  for (const algorithm of ['ES256', 'RS256', 'PS384', 'ES512', 'EdDSA'] as const) {
    test(`${algorithm}: what it mints, jose takes too`, async () => {
      const issuer = await createTestIssuer({ algorithm });
      const keys = createLocalJWKSet(issuer.jwks as never);
      const { issuer: iss, audience } = issuer;
      const { payload } = await jwtVerify(await issuer.mint({ scope: ['a', 'b'] }), keys, {
        issuer: iss,
        audience,
        typ: 'at+jwt',
      });
      assert.equal(payload.scope, 'a b');
      await createVerifier(issuer.verifierOptions).verifyAccessToken(await issuer.mint());
    });
  }

  test('publishes no private member', async () => {
    for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
      const { jwks } = await createTestIssuer({ algorithm });
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth'])
        assert.equal(member in (jwks.keys[0] as object), false);
    }
  });

  test('each helper makes a token that is bad for one reason', async () => {
    const issuer = await createTestIssuer({ issuer: 'https://auth.example/oidc', audience: 'https://orders.example' });
    const verifier = createVerifier(issuer.verifierOptions);
    await verifier.verifyAccessToken(await issuer.mint());
    await refuses(verifier, await issuer.mintExpired(), 'expired');
    await refuses(verifier, await issuer.mintForOtherAudience(), 'audience_not_accepted');
    await refuses(verifier, await issuer.mintFromOtherIssuer(), 'issuer_not_accepted');
    await refuses(verifier, await issuer.mintWithWrongKey(), 'signature_wrong');
    const introspecting = createVerifier({
      ...issuer.verifierOptions,
      introspection: { clientId: 'a', clientSecret: 'b' },
    });
    const token = await issuer.mint();
    await introspecting.verifyAccessToken(token);
    issuer.revoke(token);
    await refuses(introspecting, token, 'revoked');
  });

  test('never reaches the network', async () => {
    const issuer = await createTestIssuer();
    await assert.rejects(issuer.fetch('https://elsewhere.test/', {}), /nothing at/);
  });
});
