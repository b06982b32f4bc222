import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, type RawAnswer, rawRequest, withoutLimits } from './support.ts';

/** A second tenant, spoken to by its own host. */
interface Neighbour {
  id: string;
  host: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  token: string;
  nativeToken: string;
}

eachEngine('tenants', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    token = await server.managementToken(server.nativeAudience);
  });
  after(() => server.close());

  const call = (method: string, path: string, json?: unknown): Promise<Answer> =>
    server.request(method, `/api/tenants${path}`, json === undefined ? { token } : { token, json });

  const at = (host: string, method: string, path: string, bearer?: string, json?: unknown): Promise<RawAnswer> =>
    rawRequest(server, method, path, {
      host,
      ...(bearer === undefined ? {} : { token: bearer }),
      ...(json === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }),
    });

  const tokenAt = (host: string, parameters: Record<string, string>): Promise<RawAnswer> =>
    rawRequest(server, 'POST', '/oauth/token', {
      host,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }).toString(),
    });

  let made = 0;
  async function neighbour(): Promise<Neighbour> {
    made += 1;
    const id = `next-${made}`;
    const created = await call('POST', '', { id });
    assert.equal(created.status, 201, created.text);
    const host = `${id}.localhost:${server.port}`;
    const { clientId, clientSecret } = created.body.managementClient;
    const credentials = { client_id: clientId, client_secret: clientSecret };
    const first = await tokenAt(host, { ...credentials, audience: `http://${host}/api/v2/` });
    assert.equal(first.status, 200, first.text);
    const native = await tokenAt(host, { ...credentials, audience: `http://${host}/api` });
    assert.equal(native.status, 200, native.text);
    return {
      id,
      host,
      issuer: `http://${host}/`,
      clientId,
      clientSecret,
      token: first.body.access_token,
      nativeToken: native.body.access_token,
    };
  }

  async function assertProblem(
    request: Promise<Answer>,
    expected: { status: number; title: string; code: string; path?: string },
  ): Promise<void> {
    const before = await server.stateHash();
    const { status, body, headers, text } = await request;
    assert.equal(status, expected.status, text);
    assert.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8');
    const { data, ...rest } = body;
    assert.deepEqual(rest, {
      type: `urn:sekisho:error:${expected.code}`,
      title: expected.title,
      status: expected.status,
      detail: body.message,
      code: expected.code,
      message: body.message,
    });
    assert.ok(body.message.length > 0);
    if (expected.path !== undefined) assert.equal(data.path, expected.path);
    assert.equal(await server.stateHash(), before, 'a refusal changes nothing');
  }

  test('a tenant is created with its own issuer, keys, system APIs and first client, whose secret is shown once', async () => {
    const created = await call('POST', '', { id: 'golden', name: 'Golden GmbH', environment: 'staging' });
    assert.equal(created.status, 201, created.text);
    const { createdAt, updatedAt, managementClient, ...rest } = created.body;
    const origin = `http://golden.localhost:${server.port}`;
    assert.deepEqual(rest, {
      id: 'golden',
      name: 'Golden GmbH',
      environment: 'staging',
      status: 'active',
      issuer: `${origin}/`,
      managementAudience: `${origin}/api`,
    });
    assert.equal(createdAt, updatedAt);
    assert.match(managementClient.clientId, /^[0-9A-Za-z]{32}$/);
    assert.match(managementClient.clientSecret, /^[0-9A-Za-z]{64}$/);
    const read = await call('GET', '/golden');
    assert.deepEqual(read.body, { ...rest, createdAt, updatedAt });
    assert.ok(!(await call('GET', '')).text.includes(managementClient.clientSecret));
    const discovery = await at(`golden.localhost:${server.port}`, 'GET', '/.well-known/openid-configuration');
    assert.equal(discovery.body.issuer, `${origin}/`);
    const ours = await server.request('GET', '/.well-known/jwks.json');
    const theirs = await at(`golden.localhost:${server.port}`, 'GET', '/.well-known/jwks.json');
    // biome-ignore lint/suspicious/noExplicitAny: key ids are compared
    const kids = (keys: any[]) => keys.map(({ kid }) => kid);
    assert.equal(theirs.body.keys.length, 2);
    for (const kid of kids(theirs.body.keys)) assert.ok(!kids(ours.body.keys).includes(kid));
  });

  test('name and environment have defaults; what is unknown is dropped, as on the whole native API', async () => {
    const created = await call('POST', '', {
      id: 'plain',
      status: 'suspended',
      unknown: true,
      issuer: 'https://evil.example/',
    });
    assert.equal(created.status, 201, created.text);
    assert.equal(created.body.name, 'plain');
    assert.equal(created.body.environment, 'production');
    assert.equal(created.body.status, 'active');
    assert.equal(created.body.issuer, `http://plain.localhost:${server.port}/`);
  });

  test('an id becomes a host name, so it must be able to', async () => {
    const bad = [
      '',
      'A',
      'acme.example',
      '-a',
      'a-',
      'a_b',
      'a b',
      'ä',
      'x'.repeat(64),
      'a/b',
      '..',
      'a\n',
      '__proto__',
      ' a',
      'a%2e',
      'ａ',
    ];
    for (const id of bad) {
      await assertProblem(call('POST', '', { id }), {
        status: 400,
        title: 'Bad Request',
        code: 'guard.invalid_input',
        path: 'id',
      });
    }
    for (const id of [null, 7, true, [], {}, ['acme']]) {
      await assertProblem(call('POST', '', { id }), {
        status: 400,
        title: 'Bad Request',
        code: 'guard.invalid_input',
        path: 'id',
      });
    }
    await assertProblem(call('POST', '', { name: 'x' }), {
      status: 400,
      title: 'Bad Request',
      code: 'guard.invalid_input',
      path: 'id',
    });
    for (const id of ['x'.repeat(63), 'constructor', 'a', '0', 'a--b', 'tostring']) {
      const created = await call('POST', '', { id });
      assert.equal(created.status, 201, created.text);
      assert.equal((await call('DELETE', `/${id}`)).status, 204);
    }
  });

  test('an id that exists, the default one included: 409', async () => {
    const { id } = await neighbour();
    for (const taken of [id, 'default']) {
      await assertProblem(call('POST', '', { id: taken }), {
        status: 409,
        title: 'Conflict',
        code: 'entity.exists',
        path: 'id',
      });
    }
  });

  test('one that is not there: 404 to read, change and delete', async () => {
    for (const id of [
      'nobody',
      '__proto__',
      'constructor',
      'DEFAULT',
      '%20',
      'a%2Fb',
      "'%20OR%201=1--",
      'x'.repeat(500),
    ]) {
      const missing = { status: 404, title: 'Not Found' };
      await assertProblem(call('GET', `/${id}`), { ...missing, code: 'entity.not_exists_with_id' });
      await assertProblem(call('PATCH', `/${id}`, { name: 'x' }), { ...missing, code: 'entity.not_exists' });
      await assertProblem(call('DELETE', `/${id}`), { ...missing, code: 'entity.not_found' });
    }
  });

  test('name, environment and status are changed, each alone; the id is not', async () => {
    const { id } = await neighbour();
    const changed = await call('PATCH', `/${id}`, { name: 'Neu 新しい', id: 'other', createdAt: 1 });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual([changed.body.id, changed.body.name, changed.body.environment], [id, 'Neu 新しい', 'production']);
    assert.equal((await call('PATCH', `/${id}`, { environment: 'development' })).body.environment, 'development');
    assert.equal((await call('PATCH', `/${id}`, { status: 'suspended' })).body.status, 'suspended');
    assert.equal((await call('PATCH', `/${id}`, { status: 'active' })).body.status, 'active');
    assert.equal((await call('PATCH', `/${id}`, {})).body.name, 'Neu 新しい');
    for (const [field, value] of Object.entries({ name: '', environment: 'test', status: 'deleted' })) {
      await assertProblem(call('PATCH', `/${id}`, { [field]: value }), {
        status: 400,
        title: 'Bad Request',
        code: 'guard.invalid_input',
        path: field,
      });
    }
  });

  test('the default tenant can be renamed, but neither suspended nor deleted', async () => {
    assert.equal((await call('PATCH', '/default', { name: 'Ours' })).status, 200);
    const refused = { status: 409, title: 'Conflict', code: 'tenant.default_protected' };
    await assertProblem(call('PATCH', '/default', { status: 'suspended' }), refused);
    await assertProblem(call('PATCH', '/default', { status: 'suspended', name: 'x' }), refused);
    await assertProblem(call('DELETE', '/default'), refused);
  });

  test('the list by page has totals and links; by cursor it gives each tenant exactly once', async () => {
    for (let index = 0; index < 5; index += 1) await call('POST', '', { id: `listed-${index}` });
    const everything = (await server.rows('tenants')).map(({ id }) => id).sort();
    const first = await call('GET', '?page=1&page_size=2');
    assert.equal(first.body.length, 2);
    assert.equal(first.headers.get('total-number'), String(everything.length));
    assert.match(String(first.headers.get('link')), /rel="first".*rel="last".*rel="next"/);
    assert.ok(String(first.headers.get('link')).startsWith(`<${server.origin}/api/tenants?`));
    const past = await call('GET', '?page=1000&page_size=100');
    assert.deepEqual([past.status, past.body], [200, []]);

    const walk = async (start: string, next: (answer: Answer) => string | undefined): Promise<string[]> => {
      const seen: string[] = [];
      for (let query: string | undefined = start; query !== undefined; ) {
        const answer = await call('GET', query);
        assert.equal(answer.status, 200, answer.text);
        seen.push(...answer.body.map(({ id }: { id: string }) => id));
        query = next(answer);
      }
      return seen.sort();
    };
    const nextLink = (answer: Answer) => /tenants(\?[^>]*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    assert.deepEqual(await walk('?page_size=2&page=1', nextLink), everything);
    assert.deepEqual(await walk('?page_size=2&cursor=', nextLink), everything);
    assert.deepEqual(await walk('?page_size=100&cursor=', nextLink), everything);
  });

  test('a page that is none, a cursor that is none: 400 naming the parameter', async () => {
    for (const query of [
      'page=0',
      'page=-1',
      'page=x',
      'page=NaN',
      'page=1e3',
      'page=1000000000000',
      'page=1.5',
      'page=1&page=2',
    ]) {
      await assertProblem(call('GET', `?${query}`), {
        status: 400,
        title: 'Bad Request',
        code: 'guard.invalid_pagination',
        path: 'page',
      });
    }
    for (const query of [
      'page_size=0',
      'page_size=-1',
      'page_size=101',
      'page_size=1000000000',
      'page_size=NaN',
      'page_size=',
    ]) {
      await assertProblem(call('GET', `?${query}`), {
        status: 400,
        title: 'Bad Request',
        code: 'guard.invalid_pagination',
        path: 'page_size',
      });
    }
    const link = (await call('GET', '?page_size=1&cursor=')).headers.get('link') ?? '';
    const cursor = new URL(/<([^>]+)>/.exec(link)?.[1] ?? '').searchParams.get('cursor') as string;
    const [payload, tag] = cursor.split('.') as [string, string];
    const flipped = `${payload}.${tag[0] === 'A' ? 'B' : 'A'}${tag.slice(1)}`;
    const forged = `${Buffer.from('[0,""]').toString('base64url')}.${tag}`;
    for (const wrong of [
      'x',
      '.',
      'a.b',
      payload,
      `.${tag}`,
      flipped,
      forged,
      `${cursor}x`,
      `${cursor}.x`,
      `${cursor}=`,
      ` ${cursor}`,
      '[]',
      '__proto__',
    ]) {
      await assertProblem(call('GET', `?cursor=${encodeURIComponent(wrong)}`), {
        status: 400,
        title: 'Bad Request',
        code: 'input.cursor_invalid',
      });
    }
  });

  test('without a token 401 with a bare challenge, with a bad one error="invalid_token"', async () => {
    const missing = { status: 401, title: 'Unauthorized', code: 'auth.authorization_header_missing' };
    const none = await server.request('GET', '/api/tenants');
    await assertProblem(Promise.resolve(none), missing);
    assert.equal(none.headers.get('www-authenticate'), `Bearer realm="${server.origin}/api"`);
    const bad = await server.request('GET', '/api/tenants', { token: 'nonsense' });
    await assertProblem(Promise.resolve(bad), { status: 401, title: 'Unauthorized', code: 'auth.unauthorized' });
    assert.equal(bad.headers.get('www-authenticate'), `Bearer realm="${server.origin}/api", error="invalid_token"`);
  });

  test('the scope all does not bring manage:tenants', async () => {
    const { token: umbrella } = await callerWith(server, ['all', 'introspect:tokens'], server.nativeAudience);
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['GET', '/default'],
      ['PATCH', '/default'],
      ['DELETE', '/default'],
    ]) {
      const answer = await server.request(method as string, `/api/tenants${path}`, { token: umbrella });
      await assertProblem(Promise.resolve(answer), {
        status: 403,
        title: 'Forbidden',
        code: 'auth.forbidden',
      });
      assert.equal(
        answer.headers.get('www-authenticate'),
        `Bearer realm="${server.origin}/api", error="insufficient_scope", scope="manage:tenants"`,
      );
    }
    const { token: single } = await callerWith(server, ['manage:tenants'], server.nativeAudience);
    assert.equal((await server.request('GET', '/api/tenants', { token: single })).status, 200);
  });

  test('manage:tenants exists in the default tenant only', async () => {
    const next = await neighbour();
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['PATCH', `/${next.id}`],
      ['DELETE', '/default'],
    ]) {
      const before = await server.stateHash();
      const answer = await at(
        next.host,
        method as string,
        `/api/tenants${path}`,
        next.nativeToken,
        method === 'GET' ? undefined : { id: 'x' },
      );
      assert.equal(answer.status, 403, answer.text);
      assert.equal(await server.stateHash(), before);
    }
    const grant = await at(next.host, 'POST', '/api/v2/client-grants', next.token, {
      client_id: next.clientId,
      audience: `http://${next.host}/api`,
      scope: ['manage:tenants'],
    });
    assert.ok([400, 403, 409].includes(grant.status), grant.text);
    const scopes = (await server.rows('scopes')).filter(({ value }) => value === 'manage:tenants');
    assert.deepEqual(
      scopes.map(({ tenant_id }) => tenant_id),
      ['default'],
    );
  });

  test('tokens: one of a tenant opens nothing at another', async () => {
    const [a, b] = [await neighbour(), await neighbour()];
    const ours = await server.managementToken();
    const cases: [string, string, string][] = [
      [a.host, b.token, '/api/v2/clients'],
      [b.host, a.token, '/api/v2/clients'],
      [a.host, ours, '/api/v2/clients'],
      [`localhost:${server.port}`, a.token, '/api/v2/clients'],
      [`localhost:${server.port}`, a.nativeToken, '/api/tenants'],
      [a.host, token, '/api/tenants'],
    ];
    for (const [host, bearer, path] of cases) {
      const answer = await at(host, 'GET', path, bearer);
      assert.equal(answer.status, 401, `${host} ${path}: ${answer.text}`);
    }
    for (const header of ['x-tenant-id', 'x-org-id', 'x-forwarded-host', 'x-original-host', 'forwarded']) {
      const answer = await rawRequest(server, 'GET', '/api/v2/clients', {
        host: a.host,
        token: b.token,
        headers: { [header]: header === 'forwarded' ? `host=${b.host}` : b.host },
      });
      assert.equal(answer.status, 401, header);
    }
  });

  test('clients: a secret of a tenant gives no token at another, nor for its audiences', async () => {
    const [a, b] = [await neighbour(), await neighbour()];
    const credentials = { client_id: a.clientId, client_secret: a.clientSecret };
    for (const audience of [`http://${a.host}/api/v2/`, `http://${b.host}/api/v2/`, server.managementAudience]) {
      const answer = await tokenAt(b.host, { ...credentials, audience });
      assert.equal(answer.status, 401, answer.text);
    }
    for (const audience of [
      `http://${b.host}/api/v2/`,
      server.managementAudience,
      server.nativeAudience,
      'https://default.logto.app/api',
    ]) {
      const answer = await tokenAt(a.host, { ...credentials, audience });
      assert.equal(answer.status, 403, `${audience}: ${answer.text}`);
    }
    const administrator = { client_id: admin.clientId, client_secret: admin.clientSecret };
    assert.equal((await tokenAt(a.host, { ...administrator, audience: `http://${a.host}/api/v2/` })).status, 401);
  });

  test('things: by id, identifier or list nothing of another tenant is seen, changed or deleted', async () => {
    const [a, b] = [await neighbour(), await neighbour()];
    const api = { identifier: 'https://shared-name.example', name: 'Of A', scopes: [{ value: 'read:a' }] };
    const apiOfA = (await at(a.host, 'POST', '/api/v2/resource-servers', a.token, api)).body;
    const clientOfA = (
      await at(a.host, 'POST', '/api/v2/clients', a.token, { name: 'Of A', app_type: 'non_interactive' })
    ).body;
    const grantBody = { client_id: clientOfA.client_id, audience: api.identifier, scope: ['read:a'] };
    const grantOfA = (await at(a.host, 'POST', '/api/v2/client-grants', a.token, grantBody)).body;
    assert.ok(grantOfA.id);

    const paths = [
      `/api/v2/clients/${clientOfA.client_id}`,
      `/api/v2/client-grants/${grantOfA.id}`,
      `/api/v2/resource-servers/${apiOfA.id}`,
      `/api/v2/resource-servers/${encodeURIComponent(api.identifier)}`,
    ];
    const before = await server.stateHash();
    for (const path of paths) {
      assert.equal((await at(b.host, 'GET', path, b.token)).status, 404, path);
      const patch = await at(
        b.host,
        'PATCH',
        path,
        b.token,
        path.includes('grants') ? { scope: [] } : { name: 'Stolen' },
      );
      assert.equal(patch.status, 404, `${path}: ${patch.text}`);
      const gone = await at(b.host, 'DELETE', path, b.token);
      const never = await at(b.host, 'DELETE', `${path}x`, b.token);
      assert.deepEqual([gone.status, gone.text], [never.status, never.text], 'not yours answers like not there');
    }
    const rotate = await at(b.host, 'POST', `/api/v2/clients/${clientOfA.client_id}/rotate-secret`, b.token);
    assert.equal(rotate.status, 404, rotate.text);
    const foreignClient = await at(b.host, 'POST', '/api/v2/client-grants', b.token, {
      ...grantBody,
      audience: `http://${b.host}/api/v2/`,
      scope: [],
    });
    assert.equal(foreignClient.status, 404, foreignClient.text);
    const foreignApi = await at(b.host, 'POST', '/api/v2/client-grants', b.token, {
      ...grantBody,
      client_id: b.clientId,
    });
    assert.equal(foreignApi.status, 404, foreignApi.text);
    const link = await at(b.host, 'POST', '/api/v2/clients', b.token, {
      name: 'Linked',
      app_type: 'resource_server',
      resource_server_identifier: api.identifier,
    });
    assert.ok([400, 404].includes(link.status), link.text);
    assert.equal(await server.stateHash(), before);

    for (const path of ['/api/v2/clients', '/api/v2/client-grants', '/api/v2/resource-servers']) {
      const lists = [
        await at(b.host, 'GET', `${path}?include_totals=true`, b.token),
        await at(b.host, 'GET', path, b.token),
      ];
      for (const list of lists) {
        assert.equal(list.status, 200);
        for (const mark of ['Of A', clientOfA.client_id, apiOfA.id, grantOfA.id, a.clientId, admin.clientId]) {
          assert.ok(!list.text.includes(`"${mark}"`), `${path} shows ${mark}`);
        }
      }
    }
    // The same identifier can be registered again: it is another API.
    const second = await at(b.host, 'POST', '/api/v2/resource-servers', b.token, { ...api, name: 'Of B', scopes: [] });
    assert.equal(second.status, 201, second.text);
    const untouched = await at(
      a.host,
      'GET',
      `/api/v2/resource-servers/${encodeURIComponent(api.identifier)}`,
      a.token,
    );
    assert.deepEqual([untouched.body.name, untouched.body.scopes], ['Of A', [{ value: 'read:a' }]]);
    const issued = await tokenAt(a.host, {
      client_id: clientOfA.client_id,
      client_secret: clientOfA.client_secret,
      audience: api.identifier,
    });
    assert.equal(issued.body.scope, 'read:a');
  });

  test('cursors: one of a tenant is refused at another', async () => {
    const [a, b] = [await neighbour(), await neighbour()];
    await at(a.host, 'POST', '/api/v2/clients', a.token, { name: 'Second' });
    const { next } = (await at(a.host, 'GET', '/api/v2/clients?take=1', a.token)).body;
    assert.ok(next);
    assert.equal((await at(a.host, 'GET', `/api/v2/clients?from=${next}`, a.token)).status, 200);
    assert.equal((await at(b.host, 'GET', `/api/v2/clients?from=${next}`, b.token)).status, 400);
    assert.equal(
      (await at(a.host, 'GET', `/api/v2/client-grants?from=${next}`, a.token)).status,
      400,
      'nor at another list',
    );
  });

  test('introspection and revocation know nothing of a token of another tenant', async () => {
    const [a, b] = [await neighbour(), await neighbour()];
    const post = (path: string) =>
      rawRequest(server, 'POST', path, {
        host: b.host,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ token: a.token, client_id: b.clientId, client_secret: b.clientSecret }).toString(),
      });
    assert.deepEqual((await post('/oauth/introspect')).body, { active: false });
    const before = await server.stateHash();
    assert.equal((await post('/oauth/revoke')).status, 200);
    assert.equal(await server.stateHash(), before);
    assert.equal((await at(a.host, 'GET', '/api/v2/clients', a.token)).status, 200);
  });

  test('log events belong to the tenant they happened in', async () => {
    const a = await neighbour();
    await at(a.host, 'POST', '/api/v2/clients', a.token, { name: 'Logged' });
    const events = (await server.logEvents()).filter(({ client_id }) => client_id === a.clientId);
    assert.ok(events.length > 0);
    assert.ok(events.every(({ tenant_id }) => tenant_id === a.id));
  });

  test('a suspended tenant issues nothing and accepts nothing, at once; resumed it goes on', async () => {
    const a = await neighbour();
    const credentials = { client_id: a.clientId, client_secret: a.clientSecret, audience: `http://${a.host}/api/v2/` };
    assert.equal((await call('PATCH', `/${a.id}`, { status: 'suspended' })).status, 200);
    const before = await server.stateHash();
    const refused = await tokenAt(a.host, credentials);
    assert.ok(refused.status >= 400 && refused.status < 500, refused.text);
    assert.equal(refused.body.access_token, undefined);
    assert.equal((await at(a.host, 'GET', '/api/v2/clients', a.token)).status, 401);
    assert.equal((await at(a.host, 'POST', '/api/v2/clients', a.token, { name: 'No' })).status, 401);
    assert.equal(await server.stateHash(), before);
    assert.equal((await call('PATCH', `/${a.id}`, { status: 'active' })).status, 200);
    assert.equal((await tokenAt(a.host, credentials)).status, 200);
    assert.equal((await at(a.host, 'GET', '/api/v2/clients', a.token)).status, 200);
  });

  test('a deleted tenant leaves no row, its tokens and secrets are worth nothing, also when the id is used again', async () => {
    const a = await neighbour();
    await at(a.host, 'POST', '/api/v2/resource-servers', a.token, {
      identifier: 'https://gone.example',
      scopes: [{ value: 'x' }],
    });
    const client = (await at(a.host, 'POST', '/api/v2/clients', a.token, { name: 'Gone' })).body;
    await at(a.host, 'POST', '/api/v2/client-grants', a.token, {
      client_id: client.client_id,
      audience: 'https://gone.example',
      scope: ['x'],
    });
    const others = async () => (await server.rows('clients')).filter(({ tenant_id }) => tenant_id !== a.id).length;
    const before = await others();
    assert.equal((await call('DELETE', `/${a.id}`)).status, 204);
    const tables = [
      'signing_keys',
      'resource_servers',
      'scopes',
      'clients',
      'credentials',
      'client_grants',
      'client_grant_scopes',
      'users',
      'revoked_tokens',
    ];
    for (const table of tables) {
      const left = (await server.rows(table)).filter(({ tenant_id }) => tenant_id === a.id);
      assert.deepEqual(left, [], table);
    }
    assert.ok(!(await server.rows('tenants')).some(({ id }) => id === a.id));
    assert.equal(await others(), before);
    const credentials = { client_id: a.clientId, client_secret: a.clientSecret, audience: `http://${a.host}/api/v2/` };
    const afterwards = async () => {
      const issued = await tokenAt(a.host, credentials);
      assert.ok(issued.status >= 400 && issued.status < 500, issued.text);
      const listed = await at(a.host, 'GET', '/api/v2/clients', a.token);
      assert.equal(listed.status, 401, listed.text);
    };
    await afterwards();
    await assertProblem(call('DELETE', `/${a.id}`), { status: 404, title: 'Not Found', code: 'entity.not_found' });
    assert.equal((await call('POST', '', { id: a.id })).status, 201);
    await afterwards();
  });

  test('a host without a tenant: nothing to have, and nothing that tells which hosts have one', async () => {
    const host = `nobody-here.localhost:${server.port}`;
    for (const path of [
      '/.well-known/openid-configuration',
      '/.well-known/jwks.json',
      '/api/v2/clients',
      '/api/tenants',
    ]) {
      const answer = await at(host, 'GET', path);
      assert.ok([401, 404, 421].includes(answer.status), `${path}: ${answer.status} ${answer.text}`);
      assert.ok(!answer.text.includes('"kid"'));
    }
    const issued = await tokenAt(host, {
      client_id: admin.clientId,
      client_secret: admin.clientSecret,
      audience: server.managementAudience,
    });
    assert.ok(issued.status >= 400 && issued.status < 500, issued.text);
    for (const foreign of [
      'evil.example',
      `localhost.evil.example:${server.port}`,
      `localhost:${server.port + 1}`,
      `a.b.localhost:${server.port}`,
      `default.localhost:${server.port}`,
      `_x.localhost:${server.port}`,
    ]) {
      const answer = await at(foreign, 'GET', '/api/v2/clients', await server.managementToken());
      assert.equal(answer.status, 421, `${foreign}: ${answer.text}`);
    }
  });
});
