/** Each guard in its real framework, over real HTTP: who gets in, what the others are told, and that nothing ran. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { createGuard } from '../src/guards/node.ts';
import { ConfigurationError, createVerifier, type Refusal } from '../src/index.ts';
import { createTestIssuer, type TestIssuer } from '../src/testing/index.ts';
import { type Api, frameworks, startApi } from './apis.ts';
import { decoded, part, partsOf } from './support.ts';

const rights = { scope: 'org:create read:orders' };

for (const framework of frameworks) {
  describe(`guards of ${framework}`, () => {
    let issuer: TestIssuer;
    let api: Api;
    const refusals: Refusal[] = [];
    before(async () => {
      issuer = await createTestIssuer();
      const onRefused = (refusal: Refusal) => refusals.push(refusal);
      api = await startApi(framework, issuer.verifierOptions, { realm: 'orders', onRefused });
    });
    after(() => api.close());

    const call = (path: string, authorization?: string, method = path === '/orders' ? 'POST' : 'GET') =>
      fetch(`${api.origin}${path}`, {
        method,
        headers: authorization === undefined ? {} : { authorization },
        ...(method === 'POST' ? { body: '{}' } : {}),
      });

    /** The refusal has this shape, and nothing behind the guard ran. */
    async function refused(
      answer: Response,
      status: number,
      challenge: string,
      error: string,
      reason: Refusal['reason'],
    ) {
      const body = (await answer.json()) as { error: string; error_description: string };
      assert.equal(answer.status, status, JSON.stringify(body));
      assert.equal(answer.headers.get('www-authenticate'), challenge);
      assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.equal(body.error, error);
      assert.ok(body.error_description);
      assert.deepEqual(api.ran.splice(0), []);
      assert.equal(refusals.at(-1)?.reason, reason);
    }

    const refusedToken = (answer: Response, description: string) =>
      refused(
        answer,
        401,
        `Bearer realm="orders", error="invalid_token", error_description="${description}"`,
        'invalid_token',
        'token_invalid',
      );

    test('a good token gets in, and the handler has what it says', async () => {
      const answer = await call('/orders', `Bearer ${await issuer.mint(rights)}`);
      assert.equal(answer.status, 200, await answer.clone().text());
      assert.deepEqual(await answer.json(), { subject: 'test-client@clients', scopes: ['org:create', 'read:orders'] });
      assert.equal(api.ran.splice(0).at(-1), 'orders');
      assert.equal((await call('/me', `bearer  ${await issuer.mint()}`)).status, 200);
      assert.deepEqual(api.ran.splice(0), ['me']);
      assert.equal((await call('/open')).status, 200);
    });

    test('no token: a challenge without an error code', async () => {
      for (const path of ['/orders', '/me', '/organization', '/organizations/org_1/orders']) {
        for (const authorization of [undefined, 'Basic YTpi', 'DPoP abc', 'BearerX abc', '']) {
          await refused(
            await call(path, authorization),
            401,
            'Bearer realm="orders"',
            'token_missing',
            'token_missing',
          );
        }
      }
    });

    test('no token is taken from the query', async () => {
      const answer = await call(`/me?access_token=${await issuer.mint()}`);
      assert.ok([401, 404].includes(answer.status));
      assert.deepEqual(api.ran, []);
    });

    test('garbage', async () => {
      for (const text of [
        'Bearer',
        'Bearer x',
        'Bearer a.b.c',
        'Bearer a b',
        'Bearer ,',
        `Bearer ${'x'.repeat(9000)}`,
      ]) {
        await refusedToken(await call('/me', text), 'The access token is not a signed JWT.');
      }
      await refusedToken(await call('/me', `Bearer "${await issuer.mint()}"`), 'The access token is not a signed JWT.');
    });

    test('two Authorization headers, in either order', async () => {
      const good = `Bearer ${await issuer.mint()}`;
      for (const authorization of [
        [good, 'Bearer x'],
        ['Bearer x', good],
        [good, good],
      ]) {
        const status = await new Promise((resolve, reject) => {
          const options = { headers: { authorization } } as unknown as { headers: Record<string, string[]> };
          httpRequest(`${api.origin}/me`, options, (answer) => resolve(answer.resume().statusCode))
            .on('error', reject)
            .end();
        });
        assert.equal(status, 401);
        assert.deepEqual(api.ran, []);
      }
    });

    test('a wrong audience, issuer or key, and a token that has ended', async () => {
      const cases: [string, string][] = [
        [await issuer.mintForOtherAudience(rights), 'The token is for another audience.'],
        [await issuer.mintFromOtherIssuer(rights), 'The token is from an issuer that is not accepted here.'],
        [await issuer.mintWithWrongKey(rights), 'The signature of the token is wrong.'],
        [await issuer.mintExpired(rights), 'The token has expired.'],
      ];
      for (const [token, description] of cases)
        await refusedToken(await call('/orders', `Bearer ${token}`), description);
    });

    test('alg none, and HS256 with the public key', async () => {
      const [header, payload, signature] = partsOf(await issuer.mint(rights));
      const { createHmac } = await import('node:crypto');
      for (const alg of ['none', 'HS256']) {
        const start = `${part({ ...decoded(header), alg })}.${payload}`;
        const mac = createHmac('sha256', JSON.stringify(issuer.jwks.keys[0])).update(start).digest('base64url');
        const forged = `${start}.${alg === 'none' ? signature : mac}`;
        const description = 'The token is signed with an algorithm that is not accepted here.';
        await refusedToken(await call('/orders', `Bearer ${forged}`), description);
      }
    });

    test('a missing scope is named', async () => {
      for (const scope of [
        undefined,
        '',
        'org:create',
        'read:orders',
        'org:created read:orders',
        'ORG:CREATE read:orders',
      ]) {
        const token = await issuer.mint({ scope, permissions: ['org:create', 'read:orders'] } as never);
        await refused(
          await call('/orders', `Bearer ${token}`),
          403,
          'Bearer realm="orders", error="insufficient_scope", ' +
            'error_description="This needs the scope org:create read:orders.", scope="org:create read:orders"',
          'insufficient_scope',
          'scope_missing',
        );
      }
    });

    test('the organization of the path must be the token’s', async () => {
      const of = async (claims: object) => `Bearer ${await issuer.mint({ ...rights, ...claims })}`;
      const mine = await call('/organizations/org_1/orders', await of({ org_id: 'org_1' }));
      assert.equal(mine.status, 200);
      assert.equal(((await mine.json()) as { organizationId: string }).organizationId, 'org_1');
      assert.deepEqual(api.ran.splice(0), ['organization']);
      assert.equal((await call('/organization', await of({ organization_id: 'org_2' }))).status, 200);
      api.ran.splice(0);
      const challenge =
        'Bearer realm="orders", error="insufficient_scope", ' +
        'error_description="The token does not speak for this organization."';
      for (const [path, claims] of [
        ['/organizations/org_2/orders', { org_id: 'org_1' }],
        ['/organizations/ORG_1/orders', { org_id: 'org_1' }],
        ['/organizations/org_1%20/orders', { org_id: 'org_1' }],
        ['/organizations/undefined/orders', {}],
        ['/organizations/org_1/orders', {}],
        ['/organization', {}],
      ] as const) {
        const answer = await call(path, await of(claims));
        await refused(answer, 403, challenge, 'insufficient_scope', 'organization_wrong');
      }
      const withoutScope = `Bearer ${await issuer.mint({ org_id: 'org_1' })}`;
      assert.equal((await call('/organizations/org_1/orders', withoutScope)).status, 403);
      assert.deepEqual(api.ran, []);
    });

    test('a route without the parameter lets nobody in, and a handler without a guard has no token', async () => {
      const token = `Bearer ${await issuer.mint({ ...rights, org_id: 'org_1' })}`;
      assert.equal((await call('/mistake', token)).status, 500);
      assert.equal(api.ran.includes('mistake'), false);
      assert.equal((await call('/unguarded', token)).status, 500);
      api.ran.splice(0);
    });

    test('while the keys can not be read, nobody gets in: 503', async (t) => {
      const source = await createTestIssuer();
      const other = await startApi(framework, {
        ...source.verifierOptions,
        fetch: () => Promise.reject(new Error('x')),
      });
      t.after(() => other.close());
      const answer = await fetch(`${other.origin}/me`, { headers: { authorization: `Bearer ${await source.mint()}` } });
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get('retry-after'), '5');
      assert.equal(answer.headers.get('www-authenticate'), null);
      assert.equal(((await answer.json()) as { error: string }).error, 'temporarily_unavailable');
      assert.deepEqual(other.ran, []);
    });

    test('a refused request reads no body', async () => {
      await (await call('/orders')).text();
      assert.deepEqual(api.ran, []);
    });
  });
}

describe('a guard', () => {
  test('is refused what can’t be a scope or a realm', async () => {
    const issuer = await createTestIssuer();
    const guard = createGuard(createVerifier(issuer.verifierOptions));
    for (const scope of ['', 'a b', 'a"b', 'a\\b', 'é', 'a\nb']) {
      assert.throws(() => guard.requireScopes(scope), ConfigurationError);
    }
    assert.throws(() => guard.requireScopes(...([] as unknown as ['x'])), ConfigurationError);
    assert.throws(() => createGuard(issuer.verifierOptions, { realm: 'a\r\nb' }), ConfigurationError);
  });

  test('has no token of a request that it refused, and looks again when the header is another one', async () => {
    const issuer = await createTestIssuer();
    const guard = createGuard(issuer.verifierOptions);
    const headers = { authorization: `Bearer ${await issuer.mint({ scope: 'a' })}` };
    const request = { headers } as never;
    const status = (middleware: ReturnType<typeof guard.requireToken>) =>
      new Promise((resolve) => {
        const response = { writeHead: (code: number) => resolve(code), end() {} } as never;
        middleware(() => resolve('let in'))(request, response);
      });
    assert.equal(await status(guard.requireToken()), 'let in');
    assert.equal(await status(guard.requireScopes('a', 'b')), 403);
    assert.throws(() => guard.accessToken(request), ConfigurationError);
    assert.equal(await status(guard.requireScopes('a')), 'let in');
    headers.authorization = `Bearer ${await issuer.mintExpired({ scope: 'a' })}`;
    assert.equal(await status(guard.requireScopes('a')), 401);
    assert.throws(() => guard.accessToken(request), ConfigurationError);
  });

  test('does not take the word of another guard', async () => {
    const issuer = await createTestIssuer();
    const request = { headers: { authorization: `Bearer ${await issuer.mint()}` } } as never;
    const lax = createGuard(issuer.verifierOptions);
    const strict = createGuard({ ...issuer.verifierOptions, audience: 'https://strict.test' });
    const ran: string[] = [];
    const status = await new Promise((resolve) => {
      const response = { writeHead: (code: number) => resolve(code), end() {} } as never;
      lax.requireToken()((next, answer) => {
        ran.push('lax');
        strict.requireToken()(() => ran.push('strict'))(next, answer);
      })(request, response);
    });
    assert.equal(status, 401);
    assert.deepEqual(ran, ['lax']);
    lax.accessToken(request);
    assert.throws(() => strict.accessToken(request), ConfigurationError);
  });
});
