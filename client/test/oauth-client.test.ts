/** The client against a token endpoint that does what it is told; `server/test/client` has it against the server. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  ConfigurationError,
  MemoryTokenCache,
  NetworkError,
  OAuthClient,
  type OAuthClientOptions,
  OAuthError,
  ResponseError,
  TimeoutError,
} from '../src/index.ts';

const secret = 'MRK-0123456789abcdefghijklmnopqrstuvwxyz';

/** A token endpoint, and a client of it with a clock that is moved by hand. */
function setUp(
  answer: (count: number, body: URLSearchParams) => Response | Promise<Response>,
  options: Partial<OAuthClientOptions> = {},
) {
  const state = { nowMs: 1_000_000_000_000, requests: [] as URLSearchParams[] };
  const fetch = async (_url: string, init: RequestInit) => {
    const body = new URLSearchParams(init.body as string);
    state.requests.push(body);
    return answer(state.requests.length, body);
  };
  const now = () => state.nowMs;
  const settings = { tokenUrl: 'https://auth.test/oauth/token', clientId: 'machine', clientSecret: secret, fetch, now };
  return { state, client: new OAuthClient({ ...settings, ...options }), settings: { ...settings, ...options } };
}

const token = (count: number, expires_in = 1000) =>
  Response.json({ access_token: `token-${count}`, token_type: 'Bearer', expires_in });
const refused = (status: number, error: string, headers: Record<string, string> = {}) =>
  Response.json({ error, error_description: `no: ${error}` }, { status, headers });
const request = { audience: 'https://api.test' };

describe('clientCredentials', () => {
  test('sends what the contract says and answers its shape', async () => {
    const { client, state } = setUp((count) => token(count));
    const answer = await client.clientCredentials({ ...request, scope: ['b', 'a', 'b'], organization: 'org_1' });
    assert.deepEqual(answer, { access_token: 'token-1', token_type: 'Bearer', expires_in: 1000 });
    assert.deepEqual(Object.fromEntries(state.requests[0] as URLSearchParams), {
      grant_type: 'client_credentials',
      client_id: 'machine',
      client_secret: secret,
      audience: 'https://api.test',
      scope: 'a b',
      organization: 'org_1',
    });
    await client.clientCredentials({ resource: 'https://api.test', organizationId: 'org_1', scope: 'x' });
    const second = Object.fromEntries(state.requests[1] as URLSearchParams);
    assert.deepEqual([second.resource, second.organization_id, second.scope], ['https://api.test', 'org_1', 'x']);
    assert.equal(second.audience, undefined);
  });

  test('an answer that is none is a ResponseError', async () => {
    const bad = [
      {},
      { access_token: '', token_type: 'Bearer', expires_in: 1 },
      { access_token: 7, token_type: 'Bearer', expires_in: 1 },
      { access_token: 'x', token_type: 'DPoP', expires_in: 1 },
      { access_token: 'x', token_type: 'Bearer' },
      { access_token: 'x', token_type: 'Bearer', expires_in: '1' },
      [],
      'text',
    ];
    for (const body of bad) {
      const { client, state } = setUp(() => Response.json(body));
      await assert.rejects(client.clientCredentials(request), ResponseError);
      assert.equal(state.requests.length, 1);
    }
    for (const response of [new Response('<html>', { status: 403 }), new Response('x'.repeat(600_000))]) {
      await assert.rejects(setUp(() => response).client.clientCredentials(request), ResponseError);
    }
  });
});

describe('trying again', () => {
  for (const status of [429, 502, 503, 504]) {
    test(`${status}: until it works, and no longer than Retry-After says`, async () => {
      const answer = (count: number) => (count < 3 ? refused(status, 'slow', { 'retry-after': '0' }) : token(count));
      const { client, state } = setUp(answer);
      assert.equal((await client.clientCredentials(request)).access_token, 'token-3');
      assert.equal(state.requests.length, 3);
    });
  }

  test('Retry-After is waited for, in seconds or as a date', async () => {
    for (const after of [() => '1', () => new Date(Date.now() + 2000).toUTCString()]) {
      const { client } = setUp((count) =>
        count < 2 ? refused(429, 'slow', { 'retry-after': after() }) : token(count),
      );
      const startedAt = Date.now();
      await client.clientCredentials(request);
      assert.ok(Date.now() - startedAt >= 990, `${Date.now() - startedAt} ms`);
    }
  });

  test('one that is too long is not waited for, and is told', async () => {
    const { client, state } = setUp(() => refused(429, 'too_many_requests', { 'retry-after': '3600' }));
    await assert.rejects(client.clientCredentials(request), (error) => {
      assert.ok(error instanceof OAuthError);
      assert.deepEqual([error.status, error.code, error.retryAfterSeconds], [429, 'too_many_requests', 3600]);
      return true;
    });
    assert.equal(state.requests.length, 1);
  });

  test('ends after three attempts, with the last error', async () => {
    const { client, state } = setUp(() =>
      Promise.reject(Object.assign(new TypeError('x'), { cause: { code: 'ECONNREFUSED' } })),
    );
    await assert.rejects(client.clientCredentials(request), (error) => {
      assert.ok(error instanceof NetworkError);
      assert.match(error.message, /https:\/\/auth\.test can not be reached \(ECONNREFUSED\)/);
      return true;
    });
    assert.equal(state.requests.length, 3);
  });

  for (const status of [400, 401, 403, 404, 500]) {
    test(`${status} is not tried again`, async () => {
      const { client, state } = setUp(() => refused(status, 'access_denied'));
      await assert.rejects(client.clientCredentials(request), {
        name: 'OAuthError',
        status,
        error: 'access_denied',
        errorDescription: 'no: access_denied',
      });
      assert.equal(state.requests.length, 1);
    });
  }

  test('an answer that does not come is a TimeoutError, also when it stops in the middle', async () => {
    const never = (_url: string, { signal }: RequestInit) =>
      new Promise<Response>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const stops = async (_url: string, { signal }: RequestInit) =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(Buffer.from('{"access_token":'));
            signal?.addEventListener('abort', () => controller.error(signal.reason));
          },
        }),
      );
    for (const fetch of [never, stops]) {
      const { settings } = setUp(() => token(1));
      const client = new OAuthClient({ ...settings, fetch, timeoutMs: 30, retries: 1 });
      await assert.rejects(client.clientCredentials(request), TimeoutError);
    }
  });

  test('the signal ends it at once, with its own reason', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    // It leaves while the client waits: a minute, had it to wait to the end.
    const { client } = setUp(
      () => {
        setTimeout(() => controller.abort(reason), 20);
        return refused(503, 'x', { 'retry-after': '60' });
      },
      { totalTimeoutMs: 600_000 },
    );
    const startedAt = Date.now();
    await assert.rejects(client.clientCredentials(request, { signal: controller.signal }), reason);
    assert.ok(Date.now() - startedAt < 50_000);
    const { client: other, state } = setUp(() => token(1));
    await assert.rejects(other.clientCredentials(request, { signal: AbortSignal.abort(reason) }), reason);
    await assert.rejects(other.accessToken(request, { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(state.requests.length, 0);
  });
});

describe('a redirect', () => {
  test('is not followed: the secret goes to no other place', async (t) => {
    const asked: string[] = [];
    const server = createServer((incoming, response) => {
      asked.push(incoming.url as string);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    const client = new OAuthClient({ tokenUrl, clientId: 'machine', clientSecret: secret, retries: 0 });
    await assert.rejects(client.clientCredentials(request), NetworkError);
    assert.deepEqual(asked, ['/token']);
  });
});

describe('the cache', () => {
  test('twenty who ask at once share one request; one of them may leave', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { client, state } = setUp((count) => gate.then(() => token(count)));
    const leaving = new AbortController();
    const gone = assert.rejects(client.accessToken(request, { signal: leaving.signal }), { name: 'AbortError' });
    const all = Array.from({ length: 20 }, () => client.accessToken(request));
    while (state.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    leaving.abort();
    await gone;
    release();
    assert.deepEqual([...new Set(await Promise.all(all))], ['token-1']);
    assert.equal(await client.accessToken(request), 'token-1');
    assert.equal(state.requests.length, 1);
  });

  test('a failure is shared too, and not kept', async () => {
    const { client, state } = setUp((count) => (count === 1 ? refused(403, 'access_denied') : token(count)));
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => client.accessToken(request)));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      Array(5).fill('rejected'),
    );
    assert.equal(await client.accessToken(request), 'token-2');
    assert.equal(state.requests.length, 2);
  });

  test('audience, scope and organization tell tokens apart; the order of scopes does not', async () => {
    const { client, state } = setUp((count) => token(count));
    const requests = [
      request,
      { audience: 'https://other.test' },
      { resource: 'https://api.test' },
      { ...request, scope: 'a b' },
      { ...request, organization: 'org_1' },
      { ...request, organizationId: 'org_1' },
      { ...request, organization: 'org_2' },
    ];
    const found = [];
    for (const one of requests) found.push(await client.accessToken(one));
    assert.equal(new Set(found).size, requests.length);
    assert.equal(await client.accessToken({ scope: ['b', 'a'], ...request }), found[3]);
    assert.equal(state.requests.length, requests.length);
  });

  test('a token is replaced early: by the leeway and at most half of it again', async () => {
    for (const [life, leeway] of [
      [1000, 60],
      [100, 20],
    ] as const) {
      const { client, state } = setUp((count) => token(count, life));
      assert.equal(await client.accessToken(request), 'token-1');
      state.nowMs += (life - leeway * 1.5) * 1000 - 1;
      assert.equal(await client.accessToken(request), 'token-1', 'not before');
      state.nowMs += leeway * 500 + 1;
      assert.equal(await client.accessToken(request), 'token-2', 'not later');
    }
  });

  test('while the server is away the old token serves to its end, and it is not asked at every call', async () => {
    let isDown = false;
    const { client, state } = setUp((count) => (isDown ? refused(503, 'x') : token(count)));
    await client.accessToken(request);
    isDown = true;
    state.nowMs += 950_000;
    for (let count = 0; count < 10; count += 1) assert.equal(await client.accessToken(request), 'token-1');
    assert.equal(state.requests.length, 2);
    state.nowMs += 6_000;
    assert.equal(await client.accessToken(request), 'token-1');
    assert.equal(state.requests.length, 3);
    state.nowMs += 50_000;
    await assert.rejects(client.accessToken(request), OAuthError);
    isDown = false;
    assert.match(await client.accessToken(request), /token-/);
  });

  test('a refusal at the early refresh ends the old token', async () => {
    const { client, state } = setUp((count) => (count === 1 ? token(1) : refused(403, 'access_denied')));
    await client.accessToken(request);
    state.nowMs += 950_000;
    await assert.rejects(client.accessToken(request), OAuthError);
    state.nowMs -= 900_000;
    await assert.rejects(client.accessToken(request), OAuthError);
  });

  test('invalidate drops the token; when one is named, only that one', async () => {
    const { client, state } = setUp((count) => token(count));
    const first = await client.accessToken(request);
    await client.invalidate(request);
    const second = await client.accessToken(request);
    assert.notEqual(second, first);
    await Promise.all(Array.from({ length: 20 }, () => client.invalidate(request, first)));
    assert.equal(await client.accessToken(request), second);
    await client.invalidate(request, second);
    assert.equal(await client.accessToken(request), 'token-3');
    assert.equal(state.requests.length, 3);
  });

  test('what was on its way when invalidate was called is not kept', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { client, state } = setUp((count) => (count === 1 ? gate.then(() => token(1)) : token(count)));
    const early = client.accessToken(request);
    while (state.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await client.invalidate(request);
    assert.equal(await client.accessToken(request), 'token-2');
    release();
    assert.equal(await early, 'token-1');
    assert.equal(await client.accessToken(request), 'token-2');
  });

  test('can be shared; neither its keys nor its values hold the secret, and rubbish in it costs one request', async () => {
    const store = new Map<string, string>();
    const ttls: number[] = [];
    const cache = {
      get: async (key: string) => store.get(key) ?? null,
      set: async (key: string, value: string, ttlSeconds: number) => {
        store.set(key, value);
        ttls.push(ttlSeconds);
      },
      delete: async (key: string) => store.delete(key),
    };
    const one = setUp((count) => token(count), { cache });
    const two = setUp((count) => token(count + 10), { cache });
    const other = setUp((count) => token(count + 20), { cache, clientId: 'other' });
    assert.equal(await one.client.accessToken(request), 'token-1');
    assert.equal(await two.client.accessToken(request), 'token-1');
    assert.equal(await other.client.accessToken(request), 'token-21');
    assert.deepEqual(ttls, [1000, 1000]);
    assert.doesNotMatch(JSON.stringify([...store]), /MRK/);
    for (const key of store.keys()) assert.match(key, /^sekisho:token:[A-Za-z0-9_-]{43}$/);
    for (const rubbish of ['', 'x', '{}', '[]', '{"token":7}', '{"token":"t","issuedAt":1,"endsAt":"x"}']) {
      for (const key of store.keys()) store.set(key, rubbish);
      assert.match(await two.client.accessToken(request), /^token-1\d$/);
    }
  });

  test('that fails costs a request, not the token', async () => {
    const heard: unknown[] = [];
    const broken = () => Promise.reject(new Error('down'));
    const cache = { get: broken, set: broken, delete: broken };
    const { client } = setUp((count) => token(count), { cache, onCacheError: (error) => heard.push(error) });
    assert.equal(await client.accessToken(request), 'token-1');
    assert.equal(await client.accessToken(request), 'token-2');
    assert.equal(heard.length, 4);
  });

  test('in memory is bounded and forgets in time', () => {
    let nowMs = 0;
    const cache = new MemoryTokenCache({ maximumEntries: 3, now: () => nowMs });
    for (const key of ['a', 'b', 'c', 'd']) cache.set(key, key, 10);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => cache.get(key)),
      [undefined, 'b', 'c', 'd'],
    );
    nowMs = 10_000;
    assert.equal(cache.get('d'), undefined);
  });
});

describe('secrets', () => {
  test('stand in no error, also when the server or the fetch repeats them, and not in the client itself', async () => {
    const answers = [
      () => Response.json({ error: secret, error_description: `wrong: ${secret}` }, { status: 401 }),
      () => new Response(secret, { status: 500 }),
      () => Promise.reject(Object.assign(new Error(secret), { cause: { code: secret } })),
    ];
    for (const answer of answers) {
      const { client } = setUp(answer, { retries: 0 });
      await assert.rejects(client.clientCredentials(request), (error: Error) => {
        assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /MRK/);
        return true;
      });
      assert.doesNotMatch(inspect(client, { depth: 9 }) + JSON.stringify(client), /MRK/);
    }
  });
});

describe('options that can not be right', () => {
  const good = { tokenUrl: 'https://auth.test/token', clientId: 'machine', clientSecret: secret };
  const wrong: Record<string, object> = {
    'no address': { tokenUrl: undefined },
    'http outside this machine': { tokenUrl: 'http://auth.test/token' },
    'a password in the address': { tokenUrl: 'https://a:b@auth.test/token' },
    'no client': { clientId: '' },
    'no proof': { clientSecret: undefined },
    'an empty secret': { clientSecret: '' },
    'two proofs': { privateKey: 'x' },
    'a key without its issuer': { clientSecret: undefined, privateKey: 'x' },
  };
  for (const [name, change] of Object.entries(wrong)) {
    test(name, () => {
      assert.throws(() => new OAuthClient({ ...good, ...change } as never), ConfigurationError);
    });
  }

  test('an empty audience is a mistake, not a token for everything', async () => {
    const { client, state } = setUp(() => token(1));
    for (const bad of [{ audience: '' }, { organization: '' }, { audience: 7 }]) {
      await assert.rejects(async () => client.clientCredentials(bad as never), ConfigurationError);
      await assert.rejects(client.accessToken(bad as never), ConfigurationError);
    }
    assert.equal(state.requests.length, 0);
  });
});
