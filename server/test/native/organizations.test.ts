import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, rawRequest, withoutLimits } from '../management/support.ts';
import { AscendingClock } from './ascending-clock.ts';
import {
  type Call,
  callsWith,
  type DelegatedCaller,
  delegatedCaller,
  makeMembership,
  makeOrganizationRole,
  makeUser,
  nativeToken,
  nextOf,
  walk,
} from './delegated.ts';

const everything = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:organizations`);

eachEngine('organizations', (engine) => {
  let server: TestServer;
  let call: Call;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock: new AscendingClock() });
    call = callsWith(server, await nativeToken(server));
  });
  after(() => server.close());

  const made = async (body: object): Promise<Record<string, never> & { id: string }> => {
    const answer = await call('POST', '/organizations', body);
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  };

  /** A refusal: this status and code, and nothing changed. */
  async function refused(
    asked: Promise<Answer> | (() => Promise<Answer>),
    status: number,
    code?: string,
    path?: string,
  ) {
    const state = await server.stateHash();
    const answer = await (typeof asked === 'function' ? asked() : asked);
    assert.equal(answer.status, status, answer.text);
    if (code !== undefined) assert.equal(answer.body.code, code);
    if (path !== undefined) assert.equal(answer.body.data?.path, path);
    assert.equal(await server.stateHash(), state);
    return answer;
  }

  test('one is made with a name, read, changed and deleted', async () => {
    const { body, status } = await call('POST', '/organizations', { name: 'Acme Tokyo' });
    assert.equal(status, 201);
    const { id, createdAt, updatedAt, ...rest } = body;
    assert.match(id, /^org_[0-9A-Za-z]{16}$/);
    assert.ok(Math.abs(createdAt - Date.now()) < 60_000 && updatedAt === createdAt);
    assert.deepEqual(rest, {
      tenantId: 'default',
      name: 'Acme Tokyo',
      description: null,
      customData: {},
      isMfaRequired: false,
      color: {},
      branding: {},
      customCss: null,
      parentId: null,
      slug: 'acme-tokyo',
      status: 'active',
      authPolicyIds: null,
    });
    assert.deepEqual((await call('GET', `/organizations/${id}`)).body, body);
    const changed = await call('PATCH', `/organizations/${id}`, {
      name: 'Acme',
      description: 'Everything',
      isMfaRequired: true,
    });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(
      { ...changed.body, updatedAt: 0 },
      { ...body, name: 'Acme', description: 'Everything', isMfaRequired: true, updatedAt: 0 },
    );
    assert.deepEqual((await call('GET', `/organizations/${id}`)).body, changed.body);
    const deleted = await call('DELETE', `/organizations/${id}`);
    assert.equal(deleted.status, 204);
    assert.equal(deleted.text, '');
    await refused(call('GET', `/organizations/${id}`), 404, 'entity.not_exists_with_id');
    await refused(call('DELETE', `/organizations/${id}`), 404, 'entity.not_found');
    await refused(call('PATCH', `/organizations/${id}`, { name: 'x' }), 404, 'entity.not_exists');
    const kinds = (await server.logEvents()).filter((event) => event.details?.includes(id)).map((event) => event.kind);
    assert.deepEqual(kinds, ['organization.created', 'organization.updated', 'organization.deleted']);
  });

  test('PATCH replaces what is an object, and leaves what is absent', async () => {
    const { id } = await made({
      name: 'Replaced',
      customData: { a: 1, b: { c: 2 } },
      color: { primaryColor: '#123456', isDarkModeEnabled: true },
      branding: { logoUrl: 'https://img.example/logo.png', favicon: 'https://img.example/f.ico' },
      customCss: 'a { color: red }',
    });
    const { body } = await call('PATCH', `/organizations/${id}`, {
      customData: { d: 4 },
      branding: { darkLogoUrl: 'https://img.example/dark.png' },
    });
    assert.deepEqual(body.customData, { d: 4 });
    assert.deepEqual(body.branding, { darkLogoUrl: 'https://img.example/dark.png' });
    assert.deepEqual(body.color, { primaryColor: '#123456', isDarkModeEnabled: true });
    assert.equal(body.customCss, 'a { color: red }');
    const emptied = await call('PATCH', `/organizations/${id}`, { customCss: null, color: {}, description: null });
    assert.deepEqual([emptied.body.customCss, emptied.body.color], [null, {}]);
    assert.deepEqual(emptied.body.branding, body.branding);
  });

  test('what the server decides is not taken from a body', async () => {
    const evil = {
      id: 'org_AAAAAAAAAAAAAAAA',
      tenantId: 'other',
      path: 'x/',
      createdAt: 1,
      updatedAt: 1,
      ownerOrganizationId: 'org_B',
      extras: { auth0: { x: 1 } },
      color: { primaryColor: '#000', evil: 1 },
    };
    const organization = await made({ name: 'Assigned', ...evil });
    const { body } = await call('PATCH', `/organizations/${organization.id}`, { ...evil, parentId: organization.id });
    for (const one of [organization, body]) {
      assert.notEqual(one.id, evil.id);
      assert.equal(one.tenantId, 'default');
      assert.equal(one.parentId, null);
      assert.ok(one.createdAt > 1 && one.updatedAt > 1);
      assert.deepEqual(one.color, { primaryColor: '#000' });
    }
    const row = (await server.rows('organizations')).find(({ id }) => id === organization.id);
    assert.equal(row.path, `${organization.id.slice(4)}/`);
    assert.deepEqual(JSON.parse(row.extras), { logto: { color: { primaryColor: '#000' } } });
  });

  test('bad bodies are refused with the field, and change nothing', async () => {
    const { id } = await made({ name: 'Refused' });
    const bad: [object, string][] = [
      [{ name: '' }, 'name'],
      [{ name: 'x'.repeat(129) }, 'name'],
      [{ name: '\u200b\u200d' }, 'name'],
      [{ name: 7 }, 'name'],
      [{ name: 'x', description: 'x'.repeat(257) }, 'description'],
      [{ name: 'x', customData: [] }, 'customData'],
      [{ name: 'x', customData: { large: 'x'.repeat(16_400) } }, 'customData'],
      [{ name: 'x', isMfaRequired: 'yes' }, 'isMfaRequired'],
      [{ name: 'x', slug: 'Has Space' }, 'slug'],
      [{ name: 'x', slug: 'x'.repeat(51) }, 'slug'],
      [{ name: 'x', status: 'gone' }, 'status'],
      [{ name: 'x', branding: { logoUrl: 'javascript:alert(1)' } }, 'branding.logoUrl'],
      [{ name: 'x', customCss: 'x'.repeat(65_537) }, 'customCss'],
    ];
    for (const [body, path] of bad) {
      await refused(call('POST', '/organizations', body), 400, 'guard.invalid_input', path);
      await refused(call('PATCH', `/organizations/${id}`, body), 400, 'guard.invalid_input', path);
    }
    await refused(call('POST', '/organizations', {}), 400, 'guard.invalid_input', 'name');
    await refused(
      call('POST', '/organizations', { name: 'x', parentId: 'org_nobody' }),
      404,
      'entity.not_exists',
      'parentId',
    );
    await refused(call('POST', '/organizations', { name: 'x', parentId: '' }), 400, 'guard.invalid_input', 'parentId');
  });

  test('names may be emoji, right to left or the same as another; slugs are unique', async () => {
    const names = ['東京本社', '🏯🚀', 'שלום', 'a\u200bcme', '<b>&"\'', 'a/b?c#d', '..', '__proto__', 'constructor'];
    const slugs = new Set<string>();
    for (const name of [...names, ...names]) {
      const { id, slug } = (await made({ name })) as unknown as { id: string; slug: string };
      slugs.add(slug);
      assert.equal((await call('GET', `/organizations/${id}`)).body.name, name);
      assert.match(slug, /^[a-z0-9][a-z0-9_-]*$/);
    }
    assert.equal(slugs.size, names.length * 2);
    await made({ name: 'Given', slug: 'given-slug' });
    await refused(
      call('POST', '/organizations', { name: 'Other', slug: 'given-slug' }),
      422,
      'entity.unique_integrity_violation',
      'slug',
    );
    const other = await made({ name: 'Other' });
    await refused(
      call('PATCH', `/organizations/${other.id}`, { slug: 'given-slug' }),
      422,
      'entity.unique_integrity_violation',
      'slug',
    );
    assert.equal((await call('PATCH', `/organizations/${other.id}`, { slug: 'free-slug' })).body.slug, 'free-slug');
  });

  test('ids that are words of the language, and malformed ones, are not there', async () => {
    for (const id of [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'org_',
      'x'.repeat(1500),
      '%F0%9F%8F%AF',
      '..%2F..',
    ]) {
      await refused(call('GET', `/organizations/${id}`), 404, 'entity.not_exists_with_id');
      await refused(call('PATCH', `/organizations/${id}`, { name: 'x' }), 404);
      await refused(call('DELETE', `/organizations/${id}`), 404);
    }
    await refused(call('GET', '/organizations/a%00b'), 400);
  });

  test('two of the same slug at once: one is made; two PATCHes at once lose nothing', async () => {
    const both = await Promise.all(
      [1, 2].map(() => call('POST', '/organizations', { name: 'Race', slug: 'race-slug' })),
    );
    assert.deepEqual(both.map(({ status }) => status).sort(), [201, 422]);
    const { id } = await made({ name: 'Patched' });
    const changes = [
      { description: 'one' },
      { customData: { two: 2 } },
      { isMfaRequired: true },
      { customCss: 'x' },
      { color: { primaryColor: 'red' } },
    ];
    const answers = await Promise.all(changes.map((change) => call('PATCH', `/organizations/${id}`, change)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      changes.map(() => 200),
    );
    const { body } = await call('GET', `/organizations/${id}`);
    for (const change of changes) assert.deepEqual({ ...body, ...change }, body);
  });

  test('If-Match: the second of two who read the same is told', async () => {
    const { id } = await made({ name: 'Tagged' });
    const token = await nativeToken(server);
    const etag = (await call('GET', `/organizations/${id}`)).headers.get('etag') as string;
    const patch = (json: object) =>
      server.request('PATCH', `/api/organizations/${id}`, { token, json, headers: { 'if-match': etag } });
    assert.equal((await patch({ name: 'First' })).status, 200);
    await refused(() => patch({ name: 'Second' }), 412);
    await refused(call('PATCH', `/organizations/${id}?dry_run=true`, { name: 'Third' }), 200);
    await refused(call('POST', '/organizations?dry_run=true', { name: 'Dry' }), 201);
    await refused(call('DELETE', `/organizations/${id}?dry_run=true`), 204);
  });

  describe('lists', () => {
    const ids: string[] = [];
    before(async () => {
      for (let index = 0; index < 25; index += 1) {
        ids.push(
          (await made({ name: `Listed ${String(index).padStart(2, '0')} ${index % 2 ? 'ODD one' : 'even one'}` })).id,
        );
      }
    });

    test('by page with totals, by cursor without; the same ones in the same order', async () => {
      const page = await call('GET', '/organizations?q=listed&page=2&page_size=10');
      assert.equal(page.status, 200, page.text);
      assert.equal(page.headers.get('total-number'), '25');
      assert.deepEqual(
        page.body.map(({ id }: { id: string }) => id),
        ids.slice(10, 20),
      );
      for (const rel of ['first', 'prev', 'next', 'last'])
        assert.match(page.headers.get('link') ?? '', new RegExp(`q=listed.*rel="${rel}"`));
      const walked: string[] = [];
      for (let path: string | undefined = '/organizations?page_size=7&q=LISTED&cursor='; path !== undefined; ) {
        const answer = await call('GET', path);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.headers.get('total-number'), null);
        walked.push(...answer.body.map(({ id }: { id: string }) => id));
        path = nextOf(answer);
      }
      assert.deepEqual(walked, ids);
    });

    test('all of them by cursor are all of them by page', async () => {
      const walked = await walk(call, '/organizations?page_size=9&cursor=');
      const total = Number((await call('GET', '/organizations?page_size=1')).headers.get('total-number'));
      assert.equal(walked.length, total);
      assert.equal(new Set(walked).size, total);
    });

    test('q finds part of a name or id in any case, an empty one everything; namePrefix the beginning, in order', async () => {
      const count = async (query: string) =>
        Number((await call('GET', `/organizations?${query}`)).headers.get('total-number'));
      assert.equal(await count('q=odd%20ONE'), 12);
      assert.equal(await count(`q=${ids[3]?.slice(4).toLowerCase()}`), 1);
      assert.equal(await count('q=%25'), 0);
      assert.equal(await count('q=_isted'), 0);
      assert.equal(await count('q='), await count(''));
      assert.equal(await count('namePrefix=LISTED%201'), 10);
      assert.equal(await count('namePrefix=isted'), 0);
      assert.deepEqual(await walk(call, '/organizations?page_size=3&namePrefix=listed%201&cursor='), ids.slice(10, 20));
    });

    test('a cursor of another list, an edited one, and one of another tenant are refused', async () => {
      const first = await call('GET', '/organizations?page_size=3&cursor=');
      const cursor = new URL(`http://x${nextOf(first)}`).searchParams.get('cursor') as string;
      const refuses = async (path: string, with_: string, who: Call = call) => {
        const answer = await who('GET', `${path}cursor=${encodeURIComponent(with_)}`);
        assert.equal(answer.status, 400, `${path} ${answer.text}`);
        assert.equal(answer.body.code, 'input.cursor_invalid');
      };
      for (const path of ['?q=listed&', '?parentId=&', '?namePrefix=l&'])
        await refuses(`/organizations${path}`, cursor);
      await refuses(`/organizations/${ids[0]}/children?`, cursor);
      await refuses(`/organizations/${ids[0]}/subtree?`, cursor);
      for (const forged of [`${cursor}x`, cursor.replace('.', 'A.'), 'x.y', '.', cursor.split('.')[0] as string]) {
        await refuses('/organizations?', forged);
      }
      const other = await server.request('POST', '/api/tenants', {
        token: await nativeToken(server),
        json: { id: `t${engine}` },
      });
      assert.equal(other.status, 201, other.text);
      const { issuer, managementAudience, managementClient } = other.body;
      const { host } = new URL(issuer);
      const { clientId: client_id, clientSecret: client_secret } = managementClient;
      const asked = { grant_type: 'client_credentials', client_id, client_secret, audience: managementAudience };
      const headers = { 'content-type': 'application/json' };
      const got = await rawRequest(server, 'POST', '/oauth/token', { host, headers, body: JSON.stringify(asked) });
      assert.equal(got.status, 200, got.text);
      const there = (path: string) => rawRequest(server, 'GET', `/api${path}`, { host, token: got.body.access_token });
      const listed = await there(`/organizations?cursor=${encodeURIComponent(cursor)}`);
      assert.equal(listed.status, 400);
      assert.equal(listed.body.code, 'input.cursor_invalid');
      assert.equal((await there(`/organizations/${ids[0]}`)).status, 404);
      assert.deepEqual((await there('/organizations')).body, []);
    });

    test('limits of the query', async () => {
      for (const query of [
        'page=0',
        'page_size=0',
        'page_size=101',
        'page=x',
        'page_size=-1',
        'page=1e99',
        `q=${'x'.repeat(257)}`,
        'showFeatured=maybe',
      ]) {
        assert.equal((await call('GET', `/organizations?${query}`)).status, 400, query);
      }
      assert.equal((await call('GET', '/organizations?page=999999')).body.length, 0);
    });
  });

  test('showFeatured counts users that are direct members and shows the first three; it needs to read members', async () => {
    const { id } = await made({ name: 'Featured one' });
    const child = await made({ name: 'Featured two', parentId: id });
    const users: string[] = [];
    for (const name of ['A', 'B', 'C', 'D']) {
      const subjectId = await makeUser(server, { email: `${name}@featured.example`, name });
      users.push(subjectId);
      await makeMembership(server, { organizationId: id, subjectId, kind: 'user' });
    }
    await makeMembership(server, { organizationId: id, subjectId: 'some-client', kind: 'client' });
    const { body } = await call('GET', '/organizations?q=featured&showFeatured=true');
    const [one, two] = body;
    assert.deepEqual([one.id, one.usersCount, two.id, two.usersCount], [id, 4, child.id, 0]);
    assert.deepEqual(two.featuredUsers, []);
    assert.equal(one.featuredUsers.length, 3);
    for (const user of one.featuredUsers)
      assert.ok(users.includes(user.id) && user.avatar === null && user.name.length === 1);
    const plain = (await call('GET', '/organizations?q=featured')).body[0];
    assert.ok(!('usersCount' in plain) && !('featuredUsers' in plain));
    const reader = callsWith(server, (await callerWith(server, ['read:organizations'], server.nativeAudience)).token);
    assert.equal((await reader('GET', '/organizations?q=featured')).status, 200);
    await refused(reader('GET', '/organizations?q=featured&showFeatured=true'), 403, 'auth.forbidden');
  });

  test('each action needs its own scope', async () => {
    const { id } = await made({ name: 'Scoped' });
    const actions: [string, string, string, object?][] = [
      ['read:organizations', 'GET', '/organizations'],
      ['read:organizations', 'GET', `/organizations/${id}`],
      ['create:organizations', 'POST', '/organizations', { name: 'x' }],
      ['update:organizations', 'PATCH', `/organizations/${id}`, { name: 'x' }],
      ['update:organizations', 'POST', `/organizations/${id}/move`, { parentId: null }],
      ['delete:organizations', 'DELETE', `/organizations/${id}`],
    ];
    for (const scope of [...everything, 'read:users']) {
      const caller = callsWith(server, (await callerWith(server, [scope], server.nativeAudience)).token);
      for (const [needed, method, path, body] of actions) {
        if (needed !== scope) await refused(() => caller(method, path, body), 403, 'auth.forbidden');
      }
    }
    await refused(server.request('GET', '/api/organizations'), 401, 'auth.authorization_header_missing');
  });

  describe('a customer’s own backend', () => {
    let own: { id: string };
    let above: { id: string };
    let below: { id: string };
    let foreign: { id: string };
    let caller: DelegatedCaller;
    let theirs: Call;
    before(async () => {
      above = await made({ name: 'Reseller' });
      own = await made({ name: 'Customer', parentId: above.id });
      below = await made({ name: 'Customer branch', parentId: own.id });
      foreign = await made({ name: 'Customer of others', parentId: above.id });
      await made({ name: 'Other branch', parentId: foreign.id });
      caller = await delegatedCaller(server, { organizationId: own.id, scopes: everything });
      theirs = callsWith(server, caller.token);
    });

    test('sees itself as the top, and nothing outside', async () => {
      const ids = (answer: Answer) => answer.body.map(({ id }: { id: string }) => id);
      for (const path of [
        '/organizations',
        '/organizations?cursor=',
        '/organizations?q=customer',
        '/organizations?namePrefix=cus&cursor=',
      ]) {
        const answer = await theirs('GET', path);
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(ids(answer).sort(), [own.id, below.id].sort(), path);
      }
      assert.equal((await theirs('GET', '/organizations')).headers.get('total-number'), '2');
      assert.deepEqual(ids(await theirs('GET', '/organizations?parentId=')), [own.id]);
      assert.deepEqual(ids(await theirs('GET', '/organizations?parentId=&cursor=')), [own.id]);
      const { body } = await theirs('GET', `/organizations/${own.id}`);
      assert.equal(body.parentId, null);
      assert.equal((await call('GET', `/organizations/${own.id}`)).body.parentId, above.id);
      assert.equal((await theirs('GET', `/organizations/${below.id}`)).body.parentId, own.id);
    });

    test('what is another’s answers exactly as what is nobody’s, and stays as it is', async () => {
      const routes: [string, string, object?][] = [
        ['GET', '/organizations/:id'],
        ['PATCH', '/organizations/:id', { name: 'Mine now' }],
        ['DELETE', '/organizations/:id'],
        ['DELETE', '/organizations/:id?cascade=true'],
        ['GET', '/organizations/:id/children'],
        ['GET', '/organizations/:id/children?cursor='],
        ['GET', '/organizations/:id/ancestors'],
        ['GET', '/organizations/:id/tree'],
        ['GET', '/organizations/:id/subtree'],
        ['GET', '/organizations/:id/subtree?cursor='],
        ['POST', '/organizations/:id/move', { parentId: ':own' }],
        ['POST', '/organizations/:below/move', { parentId: ':id' }],
        ['GET', '/organizations?parentId=:id'],
        ['GET', '/organizations?parentId=:id&cursor='],
        ['POST', '/organizations', { name: 'Below others', parentId: ':id' }],
        ['GET', '/organizations/:id/jit/email-domains'],
        ['GET', '/organizations/:id/jit/roles'],
        ['GET', '/organizations/:id/jit/sso-connectors'],
      ];
      for (const [method, path, body] of routes) {
        const state = await server.stateHash();
        const answers: string[] = [];
        for (const id of [foreign.id, above.id, 'org_0000000000000000']) {
          const put = (text: string) =>
            text.replaceAll(':id', id).replaceAll(':own', own.id).replaceAll(':below', below.id);
          const answer = await theirs(method, put(path), body && JSON.parse(put(JSON.stringify(body))));
          assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`);
          answers.push(answer.text);
        }
        assert.equal(new Set(answers).size, 1, `${method} ${path}: ${answers.join('\n')}`);
        assert.equal(await server.stateHash(), state, `${method} ${path}`);
      }
    });

    test('makes, changes, suspends and deletes below itself', async () => {
      const answer = await theirs('POST', '/organizations', { name: 'New branch' });
      assert.equal(answer.status, 201, answer.text);
      assert.equal(answer.body.parentId, own.id);
      const { id } = answer.body;
      assert.equal((await theirs('PATCH', `/organizations/${id}`, { status: 'suspended' })).body.status, 'suspended');
      assert.equal((await theirs('PATCH', `/organizations/${id}`, { status: 'active', name: 'Branch' })).status, 200);
      const deeper = (await theirs('POST', '/organizations', { name: 'Deeper', parentId: id })).body;
      assert.equal((await theirs('POST', `/organizations/${deeper.id}/move`, { parentId: own.id })).status, 200);
      assert.equal((await theirs('DELETE', `/organizations/${deeper.id}`)).status, 204);
      assert.equal((await theirs('DELETE', `/organizations/${id}`)).status, 204);
      assert.equal(
        (await theirs('PATCH', `/organizations/${own.id}`, { name: 'Renamed', customData: { a: 1 } })).status,
        200,
      );
    });

    test('does not end, move or suspend the top of its reach, nor choose slugs', async () => {
      await refused(theirs('DELETE', `/organizations/${own.id}?cascade=true`), 403, 'auth.organization_token');
      await refused(
        theirs('PATCH', `/organizations/${own.id}`, { status: 'suspended' }),
        403,
        'auth.organization_token',
      );
      await refused(
        theirs('POST', `/organizations/${own.id}/move`, { parentId: below.id }),
        403,
        'auth.organization_token',
      );
      await refused(
        theirs('POST', `/organizations/${below.id}/move`, { parentId: null }),
        403,
        'auth.organization_token',
      );
      await refused(theirs('PATCH', `/organizations/${below.id}`, { slug: 'mine' }), 403, 'auth.organization_token');
      const taken = await refused(
        theirs('POST', '/organizations', { name: 'x', slug: 'given-slug' }),
        403,
        'auth.organization_token',
      );
      const free = await refused(theirs('POST', '/organizations', { name: 'x', slug: 'no-such-slug' }), 403);
      assert.equal(taken.text, free.text);
    });

    test('is told of no slug that is taken by others', async () => {
      const { slug } = (await theirs('POST', '/organizations', { name: 'given slug' })).body;
      const { slug: other } = (await theirs('POST', '/organizations', { name: 'never given before' })).body;
      assert.match(slug, /^given-slug-[0-9a-f]{8}$/);
      assert.match(other, /^never-given-before-[0-9a-f]{8}$/);
    });

    test('sees nothing more when a part of its subtree is moved away', async () => {
      const { id } = (await theirs('POST', '/organizations', { name: 'Leaving' })).body;
      assert.equal((await call('POST', `/organizations/${id}/move`, { parentId: foreign.id })).status, 200);
      await refused(theirs('GET', `/organizations/${id}`), 404);
      assert.equal((await call('PATCH', `/organizations/${own.id}`, { status: 'suspended' })).status, 200);
      await refused(theirs('GET', `/organizations/${own.id}`), 401);
      assert.equal((await call('PATCH', `/organizations/${own.id}`, { status: 'active' })).status, 200);
      assert.equal((await theirs('GET', `/organizations/${own.id}`)).status, 200);
      assert.equal((await call('PATCH', `/organizations/${above.id}`, { status: 'suspended' })).status, 200);
      await refused(theirs('GET', `/organizations/${own.id}`), 401);
      assert.equal((await call('PATCH', `/organizations/${above.id}`, { status: 'active' })).status, 200);
    });
  });

  test('deleting ends the machine clients it owns, frees its people, and never the last owner of another root', async () => {
    const root = await made({ name: 'Ending' });
    const child = await made({ name: 'Ending child', parentId: root.id });
    const caller = await delegatedCaller(server, { organizationId: child.id, scopes: ['read:organizations'] });
    const userId = await makeUser(server, { email: 'belongs@ending.example' });
    await server.composed.services.db.transact((trx) =>
      trx
        .updateTable('users')
        .set({ owner_organization_id: child.id, client_id: caller.clientId })
        .where('id', '=', userId)
        .execute(),
    );
    await makeMembership(server, { organizationId: child.id, subjectId: userId, kind: 'user' });
    const elsewhere = await made({ name: 'Elsewhere' });
    const ownerRole = await makeOrganizationRole(server, { scopes: [], isOwner: true });
    const owner = {
      organizationId: elsewhere.id,
      subjectId: caller.clientId,
      kind: 'client',
      roleIds: [ownerRole],
    } as const;
    await makeMembership(server, owner);
    await refused(call('DELETE', `/organizations/${root.id}`), 409, 'organization.has_children');
    await refused(call('DELETE', `/organizations/${root.id}?cascade=true`), 409, 'organization.last_owner');
    await makeMembership(server, { ...owner, subjectId: userId, kind: 'user' });
    assert.equal((await call('DELETE', `/organizations/${root.id}?cascade=true`)).status, 204);
    for (const id of [root.id, child.id]) assert.equal((await call('GET', `/organizations/${id}`)).status, 404);
    assert.ok(!(await server.rows('clients')).some(({ id }) => id === caller.clientId));
    assert.ok(!(await server.rows('credentials')).some(({ client_id }) => client_id === caller.clientId));
    const user = (await server.rows('users')).find(({ id }) => id === userId);
    assert.deepEqual([user.owner_organization_id, user.client_id], [null, null]);
    const memberships = await server.rows('memberships');
    assert.ok(!memberships.some(({ organization_id }) => [root.id, child.id].includes(organization_id)));
    assert.ok(!memberships.some(({ subject_id }) => subject_id === caller.clientId));
    const events = (await server.logEvents()).filter(
      ({ kind }) => kind === 'client.deleted' || kind === 'organization.deleted',
    );
    assert.deepEqual(
      events.slice(-2).map(({ kind }) => kind),
      ['client.deleted', 'organization.deleted'],
    );
    const token = await server.token({
      client_id: caller.clientId,
      client_secret: caller.clientSecret,
      audience: server.nativeAudience,
    });
    assert.equal(token.status, 401);
  });
});
