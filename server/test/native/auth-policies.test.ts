/** `/api/auth-policies`: made, read, changed, deleted; who may, and what is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import {
  configurations,
  ldap,
  mask,
  oauth2,
  openid,
  policyOf,
  secrets,
  type Type,
  unused,
} from './auth-policies-samples.ts';
import { delegatedCaller, makeOrganization } from './delegated.ts';
import { Members } from './members-support.ts';

const path = '/auth-policies';
const invalid = [400, 'guard.invalid_input'] as const;

eachEngine('/api/auth-policies', (engine) => {
  let server: TestServer;
  let native: Members;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
  });
  after(() => server.close());

  const create = (body: unknown) => native.expect(201, 'POST', path, body);
  const refused = async (body: unknown, field: string) => {
    const { data } = await native.refuse(invalid, 'POST', path, body);
    assert.equal(data.path, field);
  };

  test('a policy of each type is made, and read as it was answered', async () => {
    const allNull = (...names: string[]) => Object.fromEntries(names.map((name) => [name, null]));
    const fields = allNull(
      ...['id', 'email', 'emailVerified', 'username', 'name', 'givenName', 'familyName', 'picture', 'groups'],
    );
    const completed = {
      password: {},
      ldap: {
        startTls: false,
        ...allNull('caCertificates', 'dn', 'dnPrefix', 'realm'),
        allowsClearText: false,
        authMethod: 'simple',
        attributes: { id: null, email: 'mail', name: 'cn', givenName: 'givenName', familyName: 'sn', groups: null },
        emailIsVerified: false,
      },
      oauth1: { fields, emailIsVerified: false },
      oauth2: {
        issuer: null,
        scopes: [],
        clientAuthMethod: 'client_secret_basic',
        fields,
        emailIsVerified: false,
      },
      openid: {
        scopes: ['openid', 'email', 'profile'],
        clientAuthMethod: 'client_secret_basic',
        responseMode: 'query',
        fields,
        emailIsVerified: false,
      },
    };
    for (const type of Object.keys(configurations) as Type[]) {
      const name = unused();
      const made = await create(policyOf(type, { name, extra: 1 }));
      const { id, createdAt, updatedAt, callbackUrls, ...body } = made;
      assert.match(id, /^[a-z0-9]{24}$/);
      assert.ok(createdAt > 0 && createdAt === updatedAt);
      const [secret] = secrets[type] ?? [];
      assert.deepEqual(body, {
        tenantId: 'default',
        name,
        title: null,
        type,
        configuration: { ...configurations[type], ...completed[type], ...(secret && { [secret]: mask }) },
        enabled: true,
        checkUserExists: true,
        checkUserApproved: false,
        linksByEmail: false,
        linksByUsername: false,
        newUserStatus: 'active',
        roleMappings: [],
        emailDomains: [],
      });
      const addresses = [`${server.origin}/sign-in/callback/${id}`, `${server.origin}/box/srv/1.1/arm/authCallback`];
      assert.deepEqual(callbackUrls, type === 'password' || type === 'ldap' ? [] : addresses);
      assert.deepEqual(await native.expect(200, 'GET', `${path}/${id}`), made);
    }
    const event = (await server.logEvents()).filter(({ kind }) => kind === 'auth_policy.created').at(-1);
    assert.equal(event.client_id, 'admin');
    assert.equal(JSON.parse(event.details).type, 'openid');
  });

  test('a change leaves what it does not say; what it says replaces', async () => {
    const { id } = await create(policyOf('openid', { title: 'Sign in with Id', emailDomains: ['Kept.example'] }));
    const settings = {
      name: unused(),
      title: null,
      checkUserExists: false,
      checkUserApproved: true,
      linksByEmail: true,
      linksByUsername: true,
      newUserStatus: 'awaiting_approval',
    };
    const changed = await native.expect(200, 'PATCH', `${path}/${id}`, settings);
    assert.deepEqual({ ...changed, ...settings }, changed);
    assert.deepEqual(changed.emailDomains, ['kept.example']);
    assert.equal(changed.configuration.issuer, openid.issuer);
    const replaced = await native.expect(200, 'PATCH', `${path}/${id}`, {
      configuration: { issuer: openid.issuer, clientId: 'other', scopes: ['openid'] },
      emailDomains: [],
    });
    assert.deepEqual(replaced.configuration.scopes, ['openid']);
    assert.equal(replaced.configuration.clientSecret, mask, 'it goes where it went');
    assert.deepEqual(replaced.emailDomains, []);
    assert.equal(replaced.name, settings.name);
    const details = (await server.logEvents()).filter(({ kind }) => kind === 'auth_policy.updated').at(-1).details;
    assert.deepEqual(JSON.parse(details).fields.sort(), ['configuration', 'emailDomains']);
  });

  test('another type needs another configuration, and forgets who was linked', async () => {
    const { id } = await create(policyOf('oauth2'));
    const { data } = await native.refuse(invalid, 'PATCH', `${path}/${id}`, { type: 'openid' });
    assert.equal(data.path, 'configuration');
    const { clientSecret: _, ...withoutSecret } = openid;
    const changed = await native.expect(200, 'PATCH', `${path}/${id}`, {
      type: 'openid',
      configuration: withoutSecret,
    });
    assert.equal(changed.configuration.clientSecret, undefined, 'the secret was of another type');
    assert.equal(changed.configuration.clientAuthMethod, 'none');
  });

  test('lists are in order of the names, by page and by cursor', async () => {
    const tag = unused('listed');
    for (const end of ['c', 'a', 'b']) await create(policyOf('openid', { name: `${tag}-${end}` }));
    const all = await native.expect(200, 'GET', `${path}?page=1&page_size=100`);
    const listed = all.filter(({ name }: { name: string }) => name.startsWith(tag));
    assert.deepEqual(
      listed.map(({ name }: { name: string }) => name.slice(-1)),
      ['a', 'b', 'c'],
    );
    assert.equal(listed[0].configuration.clientSecret, mask);
    const walked: string[] = [];
    for (let next: string | undefined = `${path}?cursor=&page_size=2`; next !== undefined; ) {
      const answer = await native.call('GET', next);
      assert.equal(answer.status, 200, answer.text);
      walked.push(...answer.body.map(({ id }: { id: string }) => id));
      next = /<[^>]*\/api([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(
      walked,
      all.map(({ id }: { id: string }) => id),
    );
    const { data } = await native.refuse([400, 'input.cursor_invalid'], 'GET', `${path}?cursor=made-up`);
    assert.equal(data.path, 'cursor');
  });

  test('a name is there once, and can be seen', async () => {
    const name = unused();
    const { id } = await create(policyOf('password', { name }));
    const { data } = await native.refuse([409, 'entity.exists'], 'POST', path, policyOf('ldap', { name }));
    assert.deepEqual(data, { thing: 'auth policy', path: 'name' });
    const other = await create(policyOf('password'));
    await native.refuse([409, 'entity.exists'], 'PATCH', `${path}/${other.id}`, { name });
    await native.expect(200, 'PATCH', `${path}/${id}`, { name });
    for (const bad of ['', ' ', ' padded', 'two\nlines', '\u200b', 'x'.repeat(129)]) {
      await refused(policyOf('password', { name: bad }), 'name');
    }
    await refused(policyOf('password', { title: '\u200b' }), 'title');
    await refused({ ...policyOf('password'), name: undefined }, 'name');
    await refused(policyOf('password', { type: 'LDAP' }), 'type');
    await refused(policyOf('password', { newUserStatus: 'blocked' }), 'newUserStatus');
    await refused(policyOf('password', { checkUserExists: 'true' }), 'checkUserExists');
  });

  test('of two made at once with one name, one is', async () => {
    const name = unused();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => native.call('POST', path, policyOf('password', { name }))),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409]);
  });

  test('an e-mail domain leads to one policy', async () => {
    const domain = `${unused('d')}.example`;
    const first = await create(policyOf('openid', { emailDomains: [domain.toUpperCase(), 'bücher.example'] }));
    assert.deepEqual(first.emailDomains.sort(), [domain, 'xn--bcher-kva.example'].sort());
    const taken = policyOf('openid', { emailDomains: ['free.example', domain] });
    const { data } = await native.refuse([409, 'entity.exists'], 'POST', path, taken);
    assert.equal(data.path, 'emailDomains.1');
    await refused(policyOf('openid', { emailDomains: ['a.example', 'nodot'] }), 'emailDomains.1');
    await refused(policyOf('openid', { emailDomains: ['a@b.example'] }), 'emailDomains.0');
    await refused(policyOf('openid', { emailDomains: ['twice.example', 'TWICE.example'] }), 'emailDomains.1');
    await native.expect(200, 'PATCH', `${path}/${first.id}`, { emailDomains: [domain] });
    await create(policyOf('openid', { emailDomains: ['bücher.example'] }));
    await native.expect(204, 'DELETE', `${path}/${first.id}`);
    await create(policyOf('openid', { emailDomains: [domain] }));
  });

  test('what is not there: 404, and alike by every method', async () => {
    for (const id of ['000000000000000000000000', 'password', '__proto__', 'a/b']) {
      const at = `${path}/${encodeURIComponent(id)}`;
      await native.refuse([404, 'entity.not_exists_with_id'], 'GET', at);
      await native.refuse([404, 'entity.not_exists'], 'PATCH', at, { title: 'x' });
      await native.refuse([404, 'entity.not_found'], 'DELETE', at);
      await native.refuse([404, 'entity.not_exists'], 'POST', `${at}/test`);
      await native.refuse([404, 'entity.not_exists_with_id'], 'GET', `${at}/users`);
      await native.refuse([404, 'entity.not_exists'], 'POST', `${at}/users`, { userIds: ['x'] });
      await native.refuse([404, 'entity.not_found'], 'DELETE', `${at}/users/x`);
    }
  });

  test('without a token, a scope, or the whole tenant: nothing', async () => {
    const { id } = await create(policyOf('openid'));
    const calls = [
      ['GET', path],
      ['POST', path, policyOf('password')],
      ['GET', `${path}/${id}`],
      ['PATCH', `${path}/${id}`, { enabled: false }],
      ['DELETE', `${path}/${id}`],
      ['POST', `${path}/${id}/test`],
      ['GET', `${path}/${id}/users`],
      ['POST', `${path}/${id}/users`, { userIds: ['x'] }],
      ['DELETE', `${path}/${id}/users/x`],
    ] as const;
    const verbs = ['read', 'create', 'update', 'delete'];
    const scopes = verbs.flatMap((verb) => [`${verb}:auth_policies`, `${verb}:users`]);
    const organizationId = await makeOrganization(server, 'Customer');
    const delegated = await delegatedCaller(server, { organizationId, scopes, isOwner: true });
    const other = await callerWith(server, ['read:users', 'update:users', 'read:roles'], server.nativeAudience);
    for (const [method, at, json] of calls) {
      await native.refuse([401, 'auth.unauthorized'], method, at, json, 'no-token');
      await native.refuse([403, 'auth.forbidden'], method, at, json, other.token);
      const { status, body } = await native.call(method, at, json, delegated.token);
      assert.deepEqual([status, body.code], [403, 'auth.organization_token'], `${method} ${at}`);
    }
    const reader = await callerWith(server, ['read:auth_policies'], server.nativeAudience);
    await native.expect(200, 'GET', `${path}/${id}`, undefined, reader.token);
    const { message } = await native.refuse(
      [403, 'auth.forbidden'],
      'GET',
      `${path}/${id}/users`,
      undefined,
      reader.token,
    );
    assert.match(message, /read:users/);
    for (const [method, at, json] of calls) {
      if (method !== 'GET') await native.refuse([403, 'auth.forbidden'], method, at, json, reader.token);
    }
  });

  test('a policy that is listed somewhere stays, and the answer says where', async () => {
    const { id } = await create(policyOf('openid'));
    const organizationId = await makeOrganization(server, 'Lister');
    const { clientId } = await native.machine('Lister');
    const lists = {
      organization: [`/organizations/${organizationId}`, organizationId],
      client: [`/applications/${clientId}`, clientId],
      tenant: ['/sign-in-exp', 'default'],
    } as const;
    for (const [kind, [at, listerId]] of Object.entries(lists)) {
      await native.expect(200, 'PATCH', at, { authPolicyIds: ['password', id] });
      const { data } = await native.refuse([409, 'entity.in_use'], 'DELETE', `${path}/${id}`);
      assert.deepEqual(data, { thing: 'auth policy', kind, id: listerId });
      await native.expect(200, 'PATCH', at, { authPolicyIds: null });
    }
    await native.expect(204, 'DELETE', `${path}/${id}`);
    assert.equal((await server.logEvents()).at(-1).kind, 'auth_policy.deleted');
  });

  test('dry runs, entity tags and keys work as everywhere', async () => {
    const before = await server.stateHash();
    const answer = await native.call('POST', `${path}?dry_run=true`, policyOf('ldap'));
    assert.deepEqual([answer.status, answer.headers.get('dry-run')], [201, 'true']);
    assert.equal(await server.stateHash(), before);
    const { id } = await create(policyOf('oauth2'));
    const read = await native.call('GET', `${path}/${id}`);
    const tag = read.headers.get('etag') ?? '';
    const conditional = (json: unknown) =>
      server.request('PATCH', `/api${path}/${id}`, { token: native.token, json, headers: { 'if-match': tag } });
    assert.equal((await conditional({ configuration: { ...oauth2, scopes: ['user'] } })).status, 200);
    assert.equal((await conditional({ title: 'Late' })).status, 412);
    const json = policyOf('openid');
    const headers = { 'idempotency-key': unused('key') };
    const keyed = () => server.request('POST', `/api${path}`, { token: native.token, json, headers });
    const [first, second] = [await keyed(), await keyed()];
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.equal(second.headers.get('idempotency-replayed'), 'true');
    assert.equal(second.body.id, first.body.id);
    assert.ok(!second.text.includes(openid.clientSecret));
  });

  test('of a configuration only an object is taken', async () => {
    for (const configuration of ['x', 7, [ldap], true])
      await refused(policyOf('ldap', { configuration }), 'configuration');
    await refused(policyOf('ldap', { configuration: undefined }), 'configuration.url');
  });
});
