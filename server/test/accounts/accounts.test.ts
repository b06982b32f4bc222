/** Accounts: golden bodies of every route, and each refusal with nothing changed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { accountMissing, assertGolden, assertRefused, type Call, caller, got, makeAccount } from './support.ts';

eachEngine('accounts', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let call: Call;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    call = caller(server);
  });
  after(() => server.close());

  const invalid = (field: string, error_description: string, code = 'input.invalid') => ({
    error: 'invalid_request',
    error_description,
    code,
    field,
  });

  test('a root account, made, read, renamed, suspended, deleted', async () => {
    const made = await got(call('POST', '/accounts', { name: 'Acme', metadata: { tier: 'gold' } }), 201);
    assert.match(made.id, /^org_[0-9A-Za-z]{16}$/);
    const golden = {
      id: made.id,
      name: 'Acme',
      parent_account_id: null,
      status: 'active',
      metadata: { tier: 'gold' },
    };
    assertGolden(made, golden);
    assert.equal(made.created_at, made.updated_at);
    assert.deepEqual(await got(call('GET', `/accounts/${made.id}`)), made);

    const renamed = await got(call('PATCH', `/accounts/${made.id}`, { name: 'Acme 🌵' }));
    assertGolden(renamed, { ...golden, name: 'Acme 🌵' });
    const suspended = await got(call('PATCH', `/accounts/${made.id}`, { status: 'suspended', metadata: { a: null } }));
    assertGolden(suspended, { ...golden, name: 'Acme 🌵', status: 'suspended', metadata: { a: null } });
    assert.equal(suspended.created_at, made.created_at);

    const deleted = await call('DELETE', `/accounts/${made.id}`);
    assert.deepEqual([deleted.status, deleted.text], [204, '']);
    await assertRefused(server, () => call('GET', `/accounts/${made.id}`), 404, accountMissing);
    await assertRefused(server, () => call('DELETE', `/accounts/${made.id}`), 404, accountMissing);
  });

  test('children, the tree, moving, deleting with cascade', async () => {
    const root = await makeAccount(call, 'Root');
    const child = await got(call('POST', `/accounts/${root}/accounts`, { name: 'Child', status: 'suspended' }), 201);
    assertGolden(child, {
      id: child.id,
      name: 'Child',
      parent_account_id: root,
      status: 'suspended',
      metadata: {},
    });
    const leaf = await makeAccount(call, 'Leaf', child.id);
    // Those of one millisecond stand in no order that is promised.
    clock.advance(1);
    const other = await makeAccount(call, 'Other', root);
    const tree = await got(call('GET', `/accounts/${root}/tree`));
    assert.equal(tree.next, null);
    const ids = tree.data.map(({ id }: { id: string }) => id);
    assert.deepEqual(ids.toSorted(), [root, child.id, leaf, other].toSorted());
    assert.equal(ids[0], root);
    assert.equal(ids.indexOf(leaf), ids.indexOf(child.id) + 1, 'a child comes right after its parent');
    const children = await got(call('GET', `/accounts/${root}/accounts`));
    assert.deepEqual(
      children.data.map(({ id }: { id: string }) => id),
      [child.id, other],
    );
    assert.deepEqual(await got(call('GET', `/accounts?parent_id=${root}`)), children);

    const moved = await got(call('POST', `/accounts/${child.id}/move`, { parent_id: other }));
    assertGolden(moved, {
      id: child.id,
      name: 'Child',
      parent_account_id: other,
      status: 'suspended',
      metadata: {},
    });
    const freed = await got(call('POST', `/accounts/${child.id}/move`, { parent_id: null }));
    assert.equal(freed.parent_account_id, null);
    await got(call('POST', `/accounts/${child.id}/move`, { parent_id: other }));

    await assertRefused(server, () => call('DELETE', `/accounts/${root}`), 409, {
      error: 'conflict',
      error_description: 'The account has children: delete or move them first, or ask for cascade=true.',
      code: 'organization.has_children',
    });
    const cycle = {
      error: 'conflict',
      error_description: 'An account can not be moved below itself.',
      code: 'organization.cycle',
      field: 'parent_id',
    };
    for (const parent_id of [root, leaf, child.id]) {
      await assertRefused(server, () => call('POST', `/accounts/${root}/move`, { parent_id }), 409, cycle);
    }
    for (const cascade of ['no', '1', '']) {
      const { status, body } = await call('DELETE', `/accounts/${root}?cascade=${cascade}`);
      assert.deepEqual([status, body.field], [400, 'cascade']);
    }
    await got(call('DELETE', `/accounts/${root}?cascade=true`), 204);
    for (const id of [root, child.id, leaf, other]) await got(call('GET', `/accounts/${id}`), 404);
  });

  test('the roots, page by page', async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      made.push(await makeAccount(call, `Paged ${index}`));
      clock.advance(1);
    }
    await makeAccount(call, 'Not a root', made[0]);
    const seen: string[] = [];
    let next: string | null = null;
    let pages = 0;
    do {
      const query: string = next === null ? '' : `&cursor=${encodeURIComponent(next)}`;
      const page = await got(call('GET', `/accounts?limit=2${query}`));
      assert.deepEqual(Object.keys(page), ['data', 'next']);
      seen.push(...page.data.map(({ id }: { id: string }) => id));
      next = page.next;
      pages += 1;
    } while (next !== null);
    assert.deepEqual(seen, [...new Set(seen)]);
    assert.deepEqual(
      seen.filter((id) => made.includes(id)),
      made,
    );
    assert.ok(pages >= 3);
    const page = await got(call('GET', '/accounts?limit=1'));
    const [position, tag] = page.next.split('.');
    const forgedTag = `${tag[0] === 'A' ? 'B' : 'A'}${tag.slice(1)}`;
    for (const [limit, said] of [
      ['0', 'at least 1'],
      ['101', 'at most 100'],
    ]) {
      await assertRefused(
        server,
        () => call('GET', `/accounts?limit=${limit}`),
        400,
        invalid('limit', `The field limit must be ${said}.`),
      );
    }
    const forged = invalid('cursor', 'The paging cursor is not valid for this list.', 'input.cursor_invalid');
    for (const [path, cursor] of [
      ['/accounts', 'x'],
      ['/accounts', `${position}.${forgedTag}`],
      [`/accounts/${made[0]}/accounts`, page.next],
      [`/accounts/${made[0]}/tree`, page.next],
      [`/accounts/${made[0]}/members`, page.next],
      ['/applications/admin/users', page.next],
    ]) {
      await assertRefused(server, () => call('GET', `${path}?cursor=${encodeURIComponent(cursor)}`), 400, forged);
    }
    await assertRefused(
      server,
      () => call('POST', `/accounts/${made[0]}/accounts/search`, { query: 'p', cursor: page.next }),
      400,
      forged,
    );
  });

  test('search: the beginning of a name, in any case, within the subtree', async () => {
    const root = await makeAccount(call, 'Search root');
    const names = ['Zebra', 'zebra crossing', 'ZEBRA 🦓', 'A zebra', 'Zeb_ra', 'Ｚｅｂｒａ'];
    for (const name of names) await makeAccount(call, name, root);
    await makeAccount(call, 'Zebra elsewhere');
    const found = async (query: string, more: object = {}) =>
      (await got(call('POST', `/accounts/${root}/accounts/search`, { query, ...more }))).data.map(
        ({ name }: { name: string }) => name,
      );
    assert.deepEqual(
      (await found('zEBRa')).toSorted(),
      ['Zebra', 'zebra crossing', 'ZEBRA 🦓', 'Ｚｅｂｒａ'].toSorted(),
    );
    assert.deepEqual(await found('zeb_'), ['Zeb_ra']);
    assert.deepEqual(await found('%'), []);
    assert.deepEqual(await found('nothing like it'), []);
    const search = (body: object) => call('POST', `/accounts/${root}/accounts/search`, body);
    const first = await got(search({ query: 'zebra', limit: 3 }));
    assert.equal(first.data.length, 3);
    const rest = await got(search({ query: 'zebra', limit: 3, cursor: first.next }));
    assert.deepEqual([rest.data.length, rest.next], [1, null]);
    for (const [body, field] of [
      [{}, 'query'],
      [{ query: '' }, 'query'],
      [{ query: 'x'.repeat(256) }, 'query'],
      [{ query: 'x', limit: 101 }, 'limit'],
      [{ query: 'x', limit: '5' }, 'limit'],
      [{ query: 'x', cursor: 5 }, 'cursor'],
    ] as const) {
      const { status, body: answer } = await search(body);
      assert.deepEqual([status, answer.error, answer.field], [400, 'invalid_request', field]);
    }
  });

  test('bad input is refused by its field', async () => {
    const root = await makeAccount(call, 'Strict');
    const cases: [string, string, unknown, string][] = [
      ['POST', '/accounts', {}, 'name'],
      ['POST', '/accounts', { name: 5 }, 'name'],
      ['POST', '/accounts', { name: '' }, 'name'],
      ['POST', '/accounts', { name: '\u200b\u200d' }, 'name'],
      ['POST', '/accounts', { name: 'x'.repeat(256) }, 'name'],
      ['POST', '/accounts', { name: 'x', id: 'org_0000000000000000' }, 'id'],
      ['POST', '/accounts', { name: 'x', parent_account_id: root }, 'parent_account_id'],
      ['POST', '/accounts', { name: 'x', status: 'gone' }, 'status'],
      ['POST', '/accounts', { name: 'x', metadata: [] }, 'metadata'],
      ['POST', '/accounts', { name: 'x', metadata: { big: 'x'.repeat(16_384) } }, 'metadata'],
      ['PATCH', `/accounts/${root}`, { name: null }, 'name'],
      ['PATCH', `/accounts/${root}`, { created_at: 'x' }, 'created_at'],
      ['PATCH', `/accounts/${root}`, { status: 'deleted' }, 'status'],
      ['POST', `/accounts/${root}/accounts`, { nome: 'x' }, 'name'],
      ['POST', `/accounts/${root}/move`, {}, 'parent_id'],
      ['POST', `/accounts/${root}/move`, { parent_id: 5 }, 'parent_id'],
    ];
    const before = await server.stateHash();
    for (const [method, path, body, field] of cases) {
      const answer = await call(method, path, body);
      assert.equal(answer.status, 400, `${method} ${path} ${JSON.stringify(body).slice(0, 80)}: ${answer.text}`);
      assert.deepEqual([answer.body.error, answer.body.field], ['invalid_request', field]);
      assert.deepEqual(Object.keys(answer.body).toSorted(), ['code', 'error', 'error_description', 'field']);
    }
    for (const body of ['{"__proto__":{"name":"x"}}', '{"name":"a","name":"b"}', '{', '[]', '"x"', '']) {
      const answer = await server.request('POST', '/api/accounts', {
        token: await server.managementToken(server.nativeAudience),
        body,
        headers: { 'content-type': 'application/json' },
      });
      assert.deepEqual([answer.status, answer.body.error], [400, 'invalid_request'], `${body}: ${answer.text}`);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('ids that name nothing: 404, the same answer for every one', async () => {
    const root = await makeAccount(call, 'Here');
    for (const id of ['org_0000000000000000', '__proto__', 'constructor', '%F0%9F%8C%B5', 'x'.repeat(500), '..%2F..']) {
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['PATCH', '', { name: 'x' }],
        ['DELETE', '', undefined],
        ['DELETE', '?cascade=true', undefined],
        ['GET', '/accounts', undefined],
        ['POST', '/accounts', { name: 'x' }],
        ['GET', '/tree', undefined],
        ['POST', '/move', { parent_id: root }],
        ['POST', '/accounts/search', { query: 'x' }],
      ] as const) {
        const answer = await call(method, `/accounts/${id}${path}`, body);
        assert.deepEqual([answer.status, answer.body], [404, accountMissing], `${method} ${id}${path}`);
      }
      await assertRefused(
        server,
        () => call('GET', `/accounts?parent_id=${id}`),
        id.length > 128 ? 400 : 404,
        id.length > 128
          ? invalid('parent_id', 'The field parent_id must be at most 128 characters long.')
          : accountMissing,
      );
    }
    await assertRefused(
      server,
      () => call('POST', `/accounts/${root}/move`, { parent_id: 'org_0000000000000000' }),
      404,
      { ...accountMissing, field: 'parent_id' },
    );
    await assertRefused(server, () => call('GET', `/accounts/${root}/nothing`), 404, {
      error: 'not_found',
      error_description: 'There is nothing here.',
    });
  });

  test('a tree no deeper than its limit', async () => {
    let parent = await makeAccount(call, 'Level 1');
    for (let level = 2; level <= 32; level += 1) parent = await makeAccount(call, `Level ${level}`, parent);
    await assertRefused(
      server,
      () => call('POST', `/accounts/${parent}/accounts`, { name: 'Level 33' }),
      400,
      invalid('parent_id', 'The tree of accounts would be deeper than its limit.', 'organization.too_deep'),
    );
  });

  test('dry_run, Idempotency-Key and If-Match', async () => {
    const before = await server.stateHash();
    const dry = await got(call('POST', '/accounts?dry_run=true', { name: 'Never' }), 201);
    assertGolden(dry, { id: dry.id, name: 'Never', parent_account_id: null, status: 'active', metadata: {} });
    assert.equal(await server.stateHash(), before);
    await got(call('GET', `/accounts/${dry.id}`), 404);

    const headers = { 'idempotency-key': 'once' };
    const once = await got(call('POST', '/accounts', { name: 'Once' }, headers), 201);
    assert.deepEqual(await got(call('POST', '/accounts', { name: 'Once' }, headers), 201), once);
    const reused = await call('POST', '/accounts', { name: 'Twice' }, headers);
    assert.deepEqual([reused.status, reused.body.code], [422, 'idempotency.key_reused']);

    const read = await call('GET', `/accounts/${once.id}`);
    const match = { 'if-match': String(read.headers.get('etag')) };
    await got(call('PATCH', `/accounts/${once.id}`, { name: 'Changed' }, match));
    await assertRefused(server, () => call('PATCH', `/accounts/${once.id}`, { name: 'Lost' }, match), 412, {
      error: 'precondition_failed',
      error_description: 'The thing was changed meanwhile: read it again.',
      code: 'etag.mismatch',
    });
  });

  test('401 and 403 in this dialect’s shape, on every route', async () => {
    const routes = (await server.composed.server.routes()).filter(({ path }) =>
      /^\/api\/(accounts|applications\/:application_id\/users)/.test(path),
    );
    const count = new Set(
      routes.filter(({ method }) => method !== 'HEAD').map(({ method, path }) => `${method} ${path}`),
    );
    assert.equal(count.size, 18);
    const none = await callerWith(server, [], server.nativeAudience);
    const forAuth0 = await server.managementToken();
    const before = await server.stateHash();
    for (const { method, path, scopes = [] } of routes) {
      if (method === 'HEAD') continue;
      const url = path.replace(/:[a-z_]+/g, 'nothing');
      const realm = `Bearer realm="${server.nativeAudience}"`;
      const missing = await server.request(method, url);
      assert.deepEqual(
        [missing.status, missing.body],
        [
          401,
          {
            error: 'invalid_token',
            error_description: `The request carries no access token; this API expects one for ${server.nativeAudience}.`,
            code: 'auth.missing',
            expected_audience: server.nativeAudience,
          },
        ],
        `${method} ${url}`,
      );
      assert.equal(missing.headers.get('www-authenticate'), realm);
      for (const [token, description] of [
        [forAuth0, `The access token is for another audience; this API expects ${server.nativeAudience}.`],
        ['nonsense', `The access token is not valid here; this API expects one for ${server.nativeAudience}.`],
      ] as const) {
        const wrong = await server.request(method, url, { token });
        assert.deepEqual(
          [wrong.status, wrong.body],
          [
            401,
            {
              error: 'invalid_token',
              error_description: description,
              code: 'auth.invalid_token',
              expected_audience: server.nativeAudience,
            },
          ],
        );
        assert.equal(
          wrong.headers.get('www-authenticate'),
          `${realm}, error="invalid_token", error_description="${description}"`,
        );
      }
      const lacking = await server.request(method, url, { token: none.token });
      assert.deepEqual(
        [lacking.status, lacking.body],
        [
          403,
          {
            error: 'insufficient_scope',
            error_description: `The token needs one of the scopes ${scopes[0]}.`,
            code: 'auth.insufficient_scope',
            scope: scopes[0],
          },
        ],
      );
      assert.equal(
        lacking.headers.get('www-authenticate'),
        `${realm}, error="insufficient_scope", scope="${scopes[0]}"`,
      );
    }
    assert.equal(await server.stateHash(), before);
  });
});
