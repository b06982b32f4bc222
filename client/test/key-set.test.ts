/** How the keys of an issuer are read, kept, and read anew. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createVerifier, UnavailableError } from '../src/index.ts';
import { createTestIssuer } from '../src/testing/index.ts';
import { keysCoolDownMs, keysMaximumAgeMs, keysStaleMs } from '../src/verifier/key-set.ts';
import { counted, refuses } from './support.ts';

/** An issuer whose clock stands still and whose line can be cut. */
async function setUp() {
  const state = { nowMs: Date.now(), isDown: false };
  const now = () => state.nowMs;
  let current = await createTestIssuer({ now });
  const watched = counted(async (url, init) => {
    if (state.isDown) throw new TypeError('fetch failed');
    return current.fetch(url, init);
  });
  const verifier = createVerifier({ ...current.verifierOptions, fetch: watched.fetch });
  return {
    state,
    watched,
    verifier,
    mint: (header: Record<string, unknown> = {}) => current.mint({}, { header, expiresInSeconds: 10 * 86_400 }),
    rotate: async () => {
      current = await createTestIssuer({ now });
    },
  };
}

const unavailable = (work: Promise<unknown>) => assert.rejects(work, UnavailableError);

describe('the keys of an issuer', () => {
  test('are read once for twenty tokens at the same time, and then kept', async () => {
    const { verifier, mint, watched, state } = await setUp();
    const token = await mint();
    await Promise.all(Array.from({ length: 20 }, () => verifier.verifyAccessToken(token)));
    state.nowMs += keysMaximumAgeMs - 1;
    await verifier.verifyAccessToken(token);
    assert.deepEqual(watched.calls, ['/.well-known/openid-configuration', '/jwks']);
    state.nowMs += 1;
    await verifier.verifyAccessToken(token);
    assert.equal(watched.count('/jwks'), 2);
  });

  test('are read anew for an unknown kid, at most once in the cool-down', async () => {
    const { verifier, mint, watched, state } = await setUp();
    await verifier.verifyAccessToken(await mint());
    state.nowMs += keysCoolDownMs;
    for (let number = 0; number < 200; number += 1) {
      await refuses(verifier, await mint({ kid: `unknown-${number}` }), 'key_unknown');
    }
    assert.equal(watched.count('/jwks'), 2);
    await verifier.verifyAccessToken(await mint());
  });

  test('a new key is found by its kid, and a withdrawn one ends with the next reading', async () => {
    const { verifier, mint, rotate, state } = await setUp();
    const old = await mint();
    await verifier.verifyAccessToken(old);
    await rotate();
    await verifier.verifyAccessToken(old);
    state.nowMs += keysMaximumAgeMs;
    await verifier.verifyAccessToken(await mint());
    await refuses(verifier, old, 'signature_wrong');
  });

  test('serve on while the issuer can not be reached, for a day, and it is not asked at every token', async () => {
    const { verifier, mint, watched, state } = await setUp();
    const token = await mint();
    await verifier.verifyAccessToken(token);
    state.isDown = true;
    state.nowMs += keysMaximumAgeMs;
    for (let count = 0; count < 20; count += 1) await verifier.verifyAccessToken(token);
    assert.equal(watched.count('/jwks'), 2);
    await unavailable(verifier.verifyAccessToken(await mint({ kid: 'new' })));
    state.nowMs += keysStaleMs;
    await unavailable(verifier.verifyAccessToken(token));
    state.isDown = false;
    state.nowMs += keysCoolDownMs;
    await verifier.verifyAccessToken(token);
  });

  test('that could never be read are tried again after a second', async () => {
    const { verifier, mint, watched, state } = await setUp();
    const token = await mint();
    state.isDown = true;
    for (let count = 0; count < 5; count += 1) await unavailable(verifier.verifyAccessToken(token));
    assert.equal(watched.calls.length, 1);
    state.isDown = false;
    state.nowMs += 1000;
    await verifier.verifyAccessToken(token);
  });

  test('a clock that was set back keeps no key young', async () => {
    const { verifier, mint, rotate, state } = await setUp();
    const old = await mint();
    await verifier.verifyAccessToken(old);
    await rotate();
    state.nowMs -= 365 * 86_400_000;
    await verifier.verifyAccessToken(await mint());
    await refuses(verifier, old, 'signature_wrong');
  });
});

describe('discovery', () => {
  const issuer = 'https://issuer.test/oidc';
  const answering = async (answers: Record<string, () => Response>) => {
    const source = await createTestIssuer({ issuer });
    const watched = counted(async (url) => answers[new URL(url).pathname]?.() ?? new Response('', { status: 404 }));
    const verifier = createVerifier({ issuer, audience: source.audience, fetch: watched.fetch });
    return { watched, verify: async () => verifier.verifyAccessToken(await source.mint()), keys: source.jwks };
  };

  test('falls back to RFC 8414’s address', async () => {
    const answers: Record<string, () => Response> = {
      '/.well-known/oauth-authorization-server/oidc': () =>
        Response.json({ issuer, jwks_uri: 'https://issuer.test/k' }),
    };
    const { verify, keys, watched } = await answering(answers);
    answers['/k'] = () => Response.json(keys);
    await verify();
    assert.deepEqual(watched.calls, [
      '/oidc/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server/oidc',
      '/k',
    ]);
  });

  const bad: Record<string, [RegExp, () => Response]> = {
    'another issuer': [/calls itself "https:\/\/evil.test\/"/, () => Response.json({ issuer: 'https://evil.test/' })],
    'the issuer with a slash more': [/write the issuer exactly so/, () => Response.json({ issuer: `${issuer}/` })],
    'no keys': [/has no jwks_uri/, () => Response.json({ issuer })],
    'keys over http': [/must begin with https/, () => Response.json({ issuer, jwks_uri: 'http://evil.test/keys' })],
    'keys in a file': [/must begin with https/, () => Response.json({ issuer, jwks_uri: 'file:///etc/passwd' })],
    'a page': [/No metadata/, () => new Response('<html>')],
    'an error': [/No metadata .*500/, () => new Response('', { status: 500 })],
    'an endless answer': [/longer than/, () => new Response('x'.repeat(600_000))],
  };
  for (const [name, [message, answer]] of Object.entries(bad)) {
    test(`${name}: no token is taken, and the error says why`, async () => {
      const { verify } = await answering({ '/oidc/.well-known/openid-configuration': answer });
      await assert.rejects(verify(), (error) => {
        assert.ok(error instanceof UnavailableError);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

describe('introspection', () => {
  const credentials = { clientId: 'the-api', clientSecret: 'MRK-secret' };

  test('a revoked token is refused from the next request on; what is left of its scopes counts', async () => {
    const issuer = await createTestIssuer();
    const verifier = createVerifier({ ...issuer.verifierOptions, introspection: credentials });
    const token = await issuer.mint({ scope: 'read write' });
    assert.deepEqual((await verifier.verifyAccessToken(token)).scopes, ['read', 'write']);
    issuer.revoke(token);
    await refuses(verifier, token, 'revoked');
  });

  const answers: Record<string, [unknown, 'revoked' | readonly string[]]> = {
    'active as a text': [{ active: 'true' }, 'revoked'],
    'no word of it': [{}, 'revoked'],
    'fewer scopes': [{ active: true, scope: 'write' }, ['write']],
    'more scopes': [{ active: true, scope: 'read write all' }, ['read', 'write']],
    'no scope any more': [{ active: true }, []],
  };
  for (const [name, [answer, expected]] of Object.entries(answers)) {
    test(name, async () => {
      const issuer = await createTestIssuer();
      const fetch = (url: string, init: RequestInit) =>
        url.endsWith('/introspect') ? Promise.resolve(Response.json(answer)) : issuer.fetch(url, init);
      const verifier = createVerifier({ ...issuer.verifierOptions, fetch, introspection: credentials });
      const token = await issuer.mint({ scope: 'read write' });
      if (expected === 'revoked') await refuses(verifier, token, expected);
      else assert.deepEqual((await verifier.verifyAccessToken(token)).scopes, expected);
    });
  }

  test('without an answer no token is good, and the error holds neither secret nor token', async () => {
    const issuer = await createTestIssuer();
    const token = await issuer.mint();
    for (const answer of [
      () => Response.json({ error: 'invalid_client', error_description: `${token} MRK-secret` }, { status: 401 }),
      () => new Response('', { status: 500 }),
      () => new Response('active'),
      () => Promise.reject(new TypeError(`MRK-secret ${token}`)),
    ]) {
      const fetch = async (url: string, init: RequestInit) =>
        url.endsWith('/introspect') ? answer() : issuer.fetch(url, init);
      const verifier = createVerifier({ ...issuer.verifierOptions, fetch, introspection: credentials });
      await assert.rejects(verifier.verifyAccessToken(token), (error) => {
        assert.ok(error instanceof UnavailableError);
        assert.equal(error.code, 'introspection_unavailable');
        assert.doesNotMatch(JSON.stringify([error, error.message, error.stack]), new RegExp(`MRK|${token}`));
        return true;
      });
    }
  });

  test('is not asked about a token that is not good anyway', async () => {
    const issuer = await createTestIssuer();
    const watched = counted(issuer.fetch);
    const verifier = createVerifier({ ...issuer.verifierOptions, fetch: watched.fetch, introspection: credentials });
    await refuses(verifier, await issuer.mintExpired(), 'expired');
    await refuses(verifier, await issuer.mintWithWrongKey(), 'signature_wrong');
    assert.equal(watched.count('/introspect'), 0);
  });
});
