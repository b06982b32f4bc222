import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerTo } from '../../src/http/native/errors-codes.ts';
import { DomainError, type ErrorCode, errorCatalogue, notFound } from '../../src/kernel/errors.ts';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';
import { delegatedCaller, makeOrganization, nativeToken } from './delegated.ts';

eachEngine('errors of the native API, as Logto’s clients know them', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine });
    token = await nativeToken(server);
  });
  after(() => server.close());

  const call = (method: string, path: string, json?: unknown): Promise<Answer> =>
    server.request(method, `/api${path}`, json === undefined ? { token } : { token, json });

  function assertError(answer: Answer, status: number, code: string): void {
    assert.deepEqual([answer.status, answer.body.code], [status, code], answer.text);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    const { type, title, detail, message, data, ...rest } = answer.body;
    assert.deepEqual([type, detail, rest], [`urn:sekisho:error:${code}`, message, { status, code }]);
    assert.equal(typeof title, 'string');
    assert.ok(data === undefined || typeof data === 'object');
  }

  test('no token, no Bearer, a bad token, another audience, no scope: each its own answer', async () => {
    const get = (headers: Record<string, string>) => server.request('GET', '/api/organizations', { headers });
    assertError(await get({}), 401, 'auth.authorization_header_missing');
    for (const authorization of ['Basic YTpi', 'token abc', 'abc']) {
      assertError(await get({ authorization }), 401, 'auth.authorization_token_type_not_supported');
    }
    for (const authorization of ['Bearer', 'Bearer a b', 'Bearer nonsense', 'bearer é']) {
      assertError(await get({ authorization }), 401, 'auth.unauthorized');
    }
    const wrong = await get({ authorization: `Bearer ${await server.managementToken()}` });
    assertError(wrong, 401, 'auth.unauthorized');
    assert.equal(wrong.body.data.expected, server.nativeAudience);
    assert.ok(wrong.body.message.includes(server.nativeAudience));
    const { token: reader } = await callerWith(server, ['read:users'], server.nativeAudience);
    const lacking = await get({ authorization: `Bearer ${reader}` });
    assertError(lacking, 403, 'auth.forbidden');
    assert.deepEqual(lacking.body.data, { scopes: ['read:organizations'] });
    assert.match(String(lacking.headers.get('www-authenticate')), /error="insufficient_scope", scope="read:organiz/);
  });

  test('a token that speaks for an organization, where that counts for nothing', async () => {
    const organizationId = await makeOrganization(server, 'Customer');
    const caller = await delegatedCaller(server, { organizationId, scopes: ['all'] });
    assertError(await server.request('GET', '/api/logs', { token: caller.token }), 403, 'auth.organization_token');
  });

  test('what is not there: one code to read, one to change, one to delete, and the path itself', async () => {
    for (const thing of ['/organizations', '/organization-roles', '/organization-scopes', '/roles', '/resources']) {
      assertError(await call('GET', `${thing}/nothing`), 404, 'entity.not_exists_with_id');
      assertError(await call('PATCH', `${thing}/nothing`, { name: 'x' }), 404, 'entity.not_exists');
      assertError(await call('DELETE', `${thing}/nothing`), 404, 'entity.not_found');
    }
    assertError(await call('GET', '/no/such/path'), 404, 'entity.not_found');
  });

  test('what is taken: 422 with the code of its kind, and nothing is made', async () => {
    const role = { name: 'Taken', description: 'd' };
    const api = { name: 'Taken', indicator: 'https://taken.example' };
    assert.equal((await call('POST', '/roles', role)).status, 200);
    assert.equal((await call('POST', '/organization-roles', { name: 'Taken' })).status, 201);
    assert.equal((await call('POST', '/organization-scopes', { name: 'taken' })).status, 201);
    const resource = await call('POST', '/resources', api);
    assert.equal(resource.status, 201, resource.text);
    const scopes = `/resources/${resource.body.id}/scopes`;
    assert.equal((await call('POST', scopes, { name: 'taken' })).status, 201);
    assert.equal((await call('POST', '/organizations', { name: 'Taken', slug: 'taken' })).status, 201);
    const state = await server.stateHash();
    assertError(await call('POST', '/roles', role), 422, 'role.name_in_use');
    assertError(await call('POST', '/organization-roles', { name: 'Taken' }), 422, 'entity.unique_integrity_violation');
    assertError(
      await call('POST', '/organization-scopes', { name: 'taken' }),
      422,
      'entity.unique_integrity_violation',
    );
    assertError(await call('POST', '/resources', api), 422, 'resource.resource_identifier_in_use');
    assertError(await call('POST', scopes, { name: 'taken' }), 422, 'scope.name_exists');
    const slug = await call('POST', '/organizations', { name: 'Other', slug: 'taken' });
    assertError(slug, 422, 'entity.unique_integrity_violation');
    assert.equal(await server.stateHash(), state);
  });

  test('a reference that is not there: 422 below organizations, 404 elsewhere', async () => {
    const organizationId = await makeOrganization(server, 'Refers');
    const state = await server.stateHash();
    const below = await call('POST', `/organizations/${organizationId}/users`, { userIds: ['nobody'] });
    assertError(below, 422, 'entity.relation_foreign_key_not_found');
    const elsewhere = await call('POST', '/roles', { name: 'Refers', description: 'd', scopeIds: ['nothing'] });
    assertError(elsewhere, 404, 'entity.relation_foreign_key_not_found');
    assert.equal(await server.stateHash(), state);
  });

  test('a shape that is wrong: the field is named; paging has its own code', async () => {
    const body = await call('POST', '/organizations', { name: 7 });
    assertError(body, 400, 'guard.invalid_input');
    assert.deepEqual(body.body.data, { path: 'name', part: 'body' });
    for (const query of ['page=0', 'page_size=101', 'page=x']) {
      assertError(await call('GET', `/organizations?${query}`), 400, 'guard.invalid_pagination');
    }
  });

  test('the system’s own API resource stays', async () => {
    const { body: resources } = await call('GET', '/resources?page=1&page_size=100');
    const system = resources.find(({ indicator }: { indicator: string }) => indicator === server.nativeAudience);
    const id = system?.id ?? 'management-api';
    const state = await server.stateHash();
    assertError(await call('DELETE', `/resources/${id}`), 400, 'resource.cannot_delete_management_api');
    assertError(await call('PATCH', `/resources/${id}`, { name: 'x' }), 400, 'resource.cannot_modify_management_api');
    assert.equal(await server.stateHash(), state);
  });
});

const asked = { method: 'POST', route: '/api/users/:userId', authorization: undefined };
const exists = (thing: string, path?: string): DomainError =>
  new DomainError('entity.exists', 'x', { ...(path === undefined ? {} : { path }), data: { thing } });

test('the table: kinds of things and where they were asked for decide', () => {
  const cases: [DomainError, Partial<typeof asked>, number, string][] = [
    [exists('user', 'email'), {}, 422, 'user.email_already_in_use'],
    [exists('user', 'username'), {}, 422, 'user.username_already_in_use'],
    [exists('user', 'phone'), {}, 422, 'user.phone_already_in_use'],
    [exists('application secret', 'name'), {}, 422, 'application.secret_name_exists'],
    [exists('anything else'), {}, 422, 'entity.unique_integrity_violation'],
    [exists('tenant', 'id'), {}, 409, 'entity.exists'],
    [notFound('user'), { method: 'PUT' }, 404, 'entity.not_exists'],
    [notFound('user'), { method: 'HEAD' }, 404, 'entity.not_exists_with_id'],
    [new DomainError('role.wrong_subject', 'x'), { route: '/api/users/:userId/roles' }, 422, 'user.invalid_role_type'],
    [
      new DomainError('role.wrong_subject', 'x'),
      { route: '/api/applications/:id/roles' },
      422,
      'application.invalid_role_type',
    ],
    [
      new DomainError('role.wrong_subject', 'x'),
      { route: '/api/organizations/:id/users/:userId/roles' },
      422,
      'entity.db_constraint_violated',
    ],
    [new DomainError('organization.not_a_member', 'x'), {}, 422, 'organization.require_membership'],
    [new DomainError('input.invalid', 'x', { path: 'search.name' }), {}, 400, 'request.invalid_input'],
  ];
  for (const [error, where, status, code] of cases) {
    assert.deepEqual(answerTo(error, { ...asked, ...where }), [status, code], `${error.code} ${code}`);
  }
});

test('refusals by a rule stay 409 with our codes; every code of the catalogue has an answer', () => {
  const rules: ErrorCode[] = [
    'organization.has_children',
    'organization.last_owner',
    'organization.cycle',
    'organization.member_inherited',
    'client.last_administrator',
  ];
  for (const code of rules) assert.deepEqual(answerTo(new DomainError(code, 'x'), asked), [409, code]);
  for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
    const [status, told] = answerTo(new DomainError(code, 'x'), asked);
    assert.ok(status >= 400 && status <= 503, code);
    assert.match(told, /^[a-z_]+\.[a-z_]+$/, code);
  }
});
