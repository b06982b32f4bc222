/** The management client without a server: what it sends, what it tries again, what it throws. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { ConfigurationError, ManagementError, NetworkError, ResponseError } from '../src/index.ts';
import { createAccountsClient, createManagementClient } from '../src/management/index.ts';

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/** A client whose requests are kept and answered in turn; the last answer is repeated. */
function client(...answers: (() => Response)[]) {
  const sent: Sent[] = [];
  const options = {
    baseUrl: 'https://auth.example.com/',
    bearerToken: 'MRK.token',
    fetch: async (url: string, init: RequestInit): Promise<Response> => {
      const { method = '', headers, body } = init;
      sent.push({ method, url, headers: headers as Record<string, string>, body: body && JSON.parse(body as string) });
      return (answers[Math.min(sent.length, answers.length) - 1] as () => Response)();
    },
  };
  return { sent, management: createManagementClient(options), accounts: createAccountsClient(options) };
}

const json =
  (body: unknown, init: ResponseInit = {}) =>
  () =>
    Response.json(body, init);
const busy = (status = 503) => json({ code: 'busy', message: 'Busy.' }, { status, headers: { 'retry-after': '0' } });

describe('a call', () => {
  test('has path, query, body and headers where they belong', async () => {
    const { sent, management } = client(json({ id: 'org_1' }));
    await management.members.update(
      'org_1/..?a=b',
      'mem 1',
      { organizationRoleIds: [] },
      { dryRun: true, ifMatch: '"tag"' },
    );
    await management.organizations.create({ name: '東京' }, { idempotencyKey: 'k-1' });
    await management.organizations.delete('org_1', { cascade: true });
    const [update, create, remove] = sent as [Sent, Sent, Sent];
    assert.equal(update.method, 'PATCH');
    assert.equal(
      update.url,
      'https://auth.example.com/api/organizations/org_1%2F..%3Fa%3Db/members/mem%201?dry_run=true',
    );
    assert.equal(update.headers['if-match'], '"tag"');
    assert.equal(update.headers.authorization, 'Bearer MRK.token');
    assert.deepEqual(update.body, { organizationRoleIds: [] });
    assert.deepEqual([create.method, create.body], ['POST', { name: '東京' }]);
    assert.equal(create.headers['idempotency-key'], 'k-1');
    assert.equal(create.headers['if-match'], undefined);
    assert.deepEqual(
      [remove.method, remove.url, remove.body],
      ['DELETE', 'https://auth.example.com/api/organizations/org_1?cascade=true', undefined],
    );
  });

  test('with an id that would lead elsewhere is not made', async () => {
    const { sent, management, accounts } = client(json({}));
    for (const id of ['', '.', '..', undefined as never, 7 as never]) {
      await assert.rejects(management.organizations.delete(id), ConfigurationError);
      await assert.rejects(management.members.list(id).page(), ConfigurationError);
      await assert.rejects(accounts.deleteUser(id), ConfigurationError);
    }
    assert.equal(sent.length, 0);
  });

  test('goes over https, with one source of tokens, and with a token that is one', async () => {
    const wrong: [Parameters<typeof createManagementClient>[0], RegExp][] = [
      [{ baseUrl: 'http://auth.example.com', bearerToken: 't' }, /https/],
      [{ baseUrl: '/api', bearerToken: 't' }, /absolute/],
      [{ baseUrl: 'https://a.example/?x=1', bearerToken: 't' }, /query/],
      [{ baseUrl: 'https://a.example' }, /auth or bearerToken/],
      [{ baseUrl: 'https://a.example', bearerToken: 't', auth: 't' }, /auth or bearerToken/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => createManagementClient(options), { name: 'ConfigurationError', message });
    }
    const bad = createManagementClient({ baseUrl: 'https://a.example', bearerToken: 'MRK\r\nx: y' });
    await assert.rejects(bad.tenants.get('a'), (error: Error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.doesNotMatch(inspect(error), /MRK/);
      return true;
    });
  });
});

describe('what is tried again', () => {
  test('reads, searches, and POST with an idempotency key; nothing else', async () => {
    const outcomes: [string, number][] = [];
    const tried = async (name: string, work: (made: ReturnType<typeof client>) => Promise<unknown>) => {
      const made = client(busy(), json({ data: [], id: 'x' }));
      const outcome = await work(made).then(
        () => 'answered',
        (error: ManagementError) => error.code,
      );
      outcomes.push([`${name}: ${outcome}`, made.sent.length]);
    };
    await tried('get', ({ management }) => management.users.get('a'));
    await tried('search', ({ accounts }) => accounts.searchAccounts('a', { query: 'x' }).page());
    await tried('keyed', ({ management }) => management.users.create({}, { idempotencyKey: 'k' }));
    await tried('post', ({ management }) => management.users.create({}));
    await tried('patch', ({ management }) => management.users.update('a', {}));
    await tried('delete', ({ management }) => management.users.delete('a'));
    assert.deepEqual(outcomes, [
      ['get: answered', 2],
      ['search: answered', 2],
      ['keyed: answered', 2],
      ['post: busy', 1],
      ['patch: busy', 1],
      ['delete: busy', 1],
    ]);
  });

  test('only 429, 502, 503, 504 and no connection, and not for ever', async () => {
    for (const [status, count] of [
      [429, 3],
      [502, 3],
      [503, 3],
      [504, 3],
      [500, 1],
      [409, 1],
      [401, 1],
    ] as const) {
      const { sent, management } = client(busy(status));
      await assert.rejects(management.users.get('a'), { name: 'ManagementError', status });
      assert.equal(sent.length, count, String(status));
    }
    const { sent, management } = client(() => {
      throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    });
    await assert.rejects(management.users.create({}, { idempotencyKey: 'k' }), NetworkError);
    assert.equal(sent.length, 3);
  });

  test('a Retry-After that is too long is thrown with its seconds', async () => {
    const { sent, management } = client(
      json({ code: 'x', message: 'y' }, { status: 429, headers: { 'retry-after': '99' } }),
    );
    await assert.rejects(management.users.get('a'), { retryAfterSeconds: 99 });
    assert.equal(sent.length, 1);
  });

  test('a signal ends the call', async () => {
    const { sent, management } = client(json({}));
    await assert.rejects(management.users.get('a', { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
    assert.equal(sent.length, 0);
  });
});

describe('an OAuthClient’s token that the API refuses', () => {
  const answering = (statuses: number[]) => {
    const asked: string[] = [];
    const tokens = ['one', 'two', 'three'];
    const seen: string[] = [];
    const management = createManagementClient({
      baseUrl: 'https://auth.example.com',
      organization: 'org_1',
      auth: {
        accessToken: async (request) => {
          asked.push(JSON.stringify(request));
          return tokens[0] as string;
        },
        invalidate: async (_request, refused) => {
          if (tokens[0] === refused) tokens.shift();
        },
      },
      fetch: async (_url, { headers }) => {
        seen.push((headers as Record<string, string>).authorization as string);
        const status = statuses.shift() as number;
        return Response.json(status === 200 ? { id: 'org_2' } : { code: 'auth.invalid', message: 'No.' }, { status });
      },
    });
    return { management, asked, seen };
  };

  test('is replaced once, for a change too, and the token is for the management audience', async () => {
    const { management, asked, seen } = answering([401, 200]);
    assert.equal((await management.organizations.create({ name: 'A' })).id, 'org_2');
    assert.deepEqual(seen, ['Bearer one', 'Bearer two']);
    assert.equal(asked[0], '{"audience":"https://auth.example.com/api","organization":"org_1"}');
  });

  test('and refused again is thrown', async () => {
    const { management, seen } = answering([401, 401, 200]);
    await assert.rejects(management.organizations.get('a'), { status: 401, code: 'auth.invalid' });
    assert.equal(seen.length, 2);
  });

  test('403 asks for no other token', async () => {
    const { management, seen } = answering([403, 200]);
    await assert.rejects(management.organizations.get('a'), { status: 403 });
    assert.equal(seen.length, 1);
  });
});

describe('an error', () => {
  const errorOf = async (answer: () => Response): Promise<ManagementError> =>
    client(answer)
      .management.users.update('a', {})
      .then(
        () => assert.fail('it was answered'),
        (error) => error,
      );

  test('has status, code, path and data, of either dialect', async () => {
    const native = await errorOf(
      json({ code: 'guard.invalid_input', message: 'Bad.', data: { path: 'name', part: 'body' } }, { status: 400 }),
    );
    assert.ok(native instanceof ManagementError);
    const { status, code, path, data, message } = native;
    assert.deepEqual(
      { status, code, path, data, message },
      {
        status: 400,
        code: 'guard.invalid_input',
        path: 'name',
        data: { path: 'name', part: 'body' },
        message: '400 guard.invalid_input: Bad.',
      },
    );
    const accounts = await errorOf(
      json(
        {
          error: 'conflict',
          error_description: 'Held above.',
          code: 'organization.member_inherited',
          account_id: 'org_1',
        },
        { status: 409 },
      ),
    );
    assert.deepEqual([accounts.code, accounts.data], ['organization.member_inherited', { account_id: 'org_1' }]);
    assert.equal((await errorOf(json({ error: 'invalid_request', field: 'role' }, { status: 400 }))).path, 'role');
  });

  test('is one whatever a proxy answers, and holds no token', async () => {
    for (const body of ['<html>', '', '[]', '"x"', 'null']) {
      const error = await errorOf(() => new Response(body, { status: 418 }));
      assert.ok(error instanceof ManagementError, body);
      assert.equal(error.code, 'http_418');
      assert.doesNotMatch(inspect(error, { showHidden: true, depth: 9 }), /MRK/);
    }
    await assert.rejects(client(() => new Response('<html>')).management.users.get('a'), { name: 'ResponseError' });
  });
});

describe('a list', () => {
  const native = [
    json([1, 2], {
      headers: {
        link: '<https://evil.example/api/roles?page=1>; rel="first", <https://evil.example/api/roles?cursor=c%2B1>; rel="next"',
      },
    }),
    json([3]),
  ];

  test('follows the cursor, at the base URL, with its query', async () => {
    const { sent, management } = client(...native);
    assert.deepEqual(await management.roles.list({ q: 'a', 'search.name': ['x', 'y'], page_size: 2 }).all(), [1, 2, 3]);
    assert.deepEqual(
      sent.map(({ url }) => url),
      [
        'https://auth.example.com/api/roles?q=a&search.name=x&search.name=y&page_size=2&cursor=',
        'https://auth.example.com/api/roles?q=a&search.name=x&search.name=y&page_size=2&cursor=c%2B1',
      ],
    );
  });

  test('reads no page before it is wanted', async () => {
    const { sent, management } = client(...native);
    const list = management.roles.list();
    assert.equal(sent.length, 0);
    for await (const item of list) if ((item as unknown) === 2) break;
    assert.equal(sent.length, 1);
  });

  test('a page at a time: by cursor, by number', async () => {
    const { sent, management } = client(native[0] as () => Response, json([9], { headers: { 'total-number': '41' } }));
    assert.deepEqual(await management.roles.list().page(), { items: [1, 2], next: 'c+1', total: undefined });
    assert.deepEqual(await management.roles.list().page({ page: 3 }), { items: [9], next: undefined, total: 41 });
    assert.equal(sent[1]?.url, 'https://auth.example.com/api/roles?page=3');
  });

  test('of accounts goes by next; a search carries the cursor in its body', async () => {
    const pages = [json({ data: [1], next: 'n' }), json({ data: [2], next: null })];
    const list = client(...pages);
    assert.deepEqual(await list.accounts.listAccounts({ parent_id: 'org_1', limit: 1 }).all(), [1, 2]);
    assert.deepEqual(
      list.sent.map(({ url }) => new URL(url).search),
      ['?parent_id=org_1&limit=1', '?parent_id=org_1&limit=1&cursor=n'],
    );
    const search = client(...pages);
    assert.deepEqual(await search.accounts.searchAccountMembers('a', { query: 'ada' }).all(), [1, 2]);
    assert.deepEqual(
      search.sent.map(({ body }) => body),
      [{ query: 'ada' }, { query: 'ada', cursor: 'n' }],
    );
  });

  test('ends when the server repeats a cursor, or answers no list', async () => {
    const { sent, accounts } = client(json({ data: [1], next: 'n' }));
    assert.deepEqual(await accounts.listAccounts().all(), [1, 1]);
    assert.equal(sent.length, 2);
    await assert.rejects(client(json({})).management.users.list().all(), ResponseError);
  });
});
