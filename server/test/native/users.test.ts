import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { nowhere } from '../../src/domain/context.ts';
import { createUser } from '../../src/domain/users/users.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { AscendingClock } from './ascending-clock.ts';
import { delegatedCaller, makeMembership, makeOrganization, makeOrganizationRole } from './delegated.ts';
import { Members } from './members-support.ts';

const invalidInput = [400, 'guard.invalid_input'] as const;
const missing = [404, 'entity.not_exists_with_id'] as const;
const digest = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$HnlADUXFQG7s7GEnWuM1tVbP4hJgLbNmMKP9kXUOQ2c';

eachEngine('/api/users', (engine) => {
  let server: TestServer;
  let native: Members;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock: new AscendingClock() });
    native = await Members.of(server);
  });
  after(() => server.close());

  const make = (body: object) => native.expect(200, 'POST', '/users', body);
  const idOf = async (body: object): Promise<string> => (await make(body)).id;

  test('a user is shown in whole, and the same wherever it is read', async () => {
    const profile = { familyName: 'Lovelace', locale: 'en', address: { country: 'UK' } };
    const made = await make({
      username: 'Ada',
      primaryEmail: 'Ada@Example.com',
      primaryPhone: '12025550123',
      password: 'correct horse',
      name: 'Ada 👩‍💻 עדה',
      avatar: 'https://example.com/ada.png',
      customData: { plan: { tier: 1 } },
      profile,
    });
    const { id, createdAt } = made;
    assert.match(id, /^[0-9a-f]{24}$/);
    assert.ok(Math.abs(createdAt - Date.now()) < 60_000);
    assert.deepEqual(made, {
      id,
      username: 'Ada',
      primaryEmail: 'ada@example.com',
      primaryPhone: '12025550123',
      name: 'Ada 👩‍💻 עדה',
      avatar: 'https://example.com/ada.png',
      customData: { plan: { tier: 1 } },
      identities: {},
      lastSignInAt: null,
      createdAt,
      updatedAt: createdAt,
      profile,
      applicationId: null,
      isSuspended: false,
      hasPassword: true,
      status: 'active',
      ownerOrganizationId: null,
    });
    assert.deepEqual(await native.expect(200, 'GET', `/users/${id}`), made);
    const listed = await native.expect(200, 'GET', '/users?search=ada%25');
    assert.deepEqual(listed, [made]);
    const [row] = (await server.rows('users')).filter((one) => one.id === id);
    assert.equal(row.email_verified, 1, 'what an administrator sets counts as verified');
    assert.match(row.password_hash, /^\$argon2id\$/);
    const events = JSON.stringify(await server.logEvents());
    assert.ok(!events.includes('correct horse') && !events.includes('argon2id'));
  });

  test('fields of the server can not be set, and unknown ones are dropped', async () => {
    const made = await make({
      id: 'mine',
      tenantId: 'other',
      createdAt: 1,
      updatedAt: 1,
      hasPassword: true,
      lastSignInAt: 1,
      isSuspended: true,
      password_hash: digest,
      passwordHash: digest,
      passwordEncrypted: digest,
      profile: { nickname: 'N', isAdmin: true },
      surprise: 1,
    });
    assert.notEqual(made.id, 'mine');
    assert.deepEqual(
      [made.hasPassword, made.isSuspended, made.lastSignInAt, made.profile, made.createdAt > 1],
      [false, false, null, { nickname: 'N' }, true],
    );
    const changed = await native.expect(200, 'PATCH', `/users/${made.id}`, {
      id: 'mine',
      createdAt: 1,
      hasPassword: true,
      isSuspended: true,
      password: 'not by this way',
    });
    assert.deepEqual({ ...changed, updatedAt: 0 }, { ...made, updatedAt: 0 });
  });

  test('a change replaces custom data and profile, their own addresses merge', async () => {
    const id = await idOf({
      name: 'Parts',
      customData: { a: 1, b: { c: 2 } },
      profile: { givenName: 'G', locale: 'en' },
    });
    const replaced = await native.expect(200, 'PATCH', `/users/${id}`, {
      customData: { d: 3 },
      profile: { website: 'https://example.com' },
      name: null,
    });
    assert.deepEqual(
      [replaced.customData, replaced.profile, replaced.name],
      [{ d: 3 }, { website: 'https://example.com' }, null],
    );
    assert.deepEqual(await native.expect(200, 'PATCH', `/users/${id}/custom-data`, { customData: { e: 4, d: null } }), {
      e: 4,
    });
    assert.deepEqual(await native.expect(200, 'GET', `/users/${id}/custom-data`), { e: 4 });
    assert.deepEqual(
      await native.expect(200, 'PATCH', `/users/${id}/profile`, { profile: { familyName: 'F', gender: 'x' } }),
      { familyName: 'F', website: 'https://example.com', gender: 'x' },
    );
    const large = { customData: { text: 'x'.repeat(17_000) } };
    const body = await native.refuse(invalidInput, 'PATCH', `/users/${id}`, large);
    assert.equal(body.data.path, 'customData');
  });

  test('a user that needs no value of its own answers GET, suspends, resumes and goes', async () => {
    const id = await idOf({});
    const suspended = await native.expect(200, 'PATCH', `/users/${id}/is-suspended`, { isSuspended: true });
    assert.deepEqual([suspended.isSuspended, suspended.status], [true, 'blocked']);
    const resumed = await native.expect(200, 'PATCH', `/users/${id}/is-suspended`, { isSuspended: false });
    assert.deepEqual([resumed.isSuspended, resumed.status], [false, 'active']);
    const waiting = await native.expect(200, 'PATCH', `/users/${id}`, { status: 'awaiting_approval' });
    assert.deepEqual([waiting.isSuspended, waiting.status], [true, 'awaiting_approval']);
    for (const [name, empty] of [
      ['personal-access-tokens', []],
      ['mfa-verifications', []],
      ['grants', { grants: [] }],
      ['sessions', { sessions: [] }],
      ['organizations', []],
    ] as const) {
      assert.deepEqual(await native.expect(200, 'GET', `/users/${id}/${name}`), empty, name);
      await native.refuse(missing, 'GET', `/users/nobody/${name}`);
    }
    await native.expect(204, 'DELETE', `/users/${id}`);
    await native.refuse(missing, 'GET', `/users/${id}`);
    await native.refuse([404, 'entity.not_found'], 'DELETE', `/users/${id}`);
    await native.refuse([404, 'entity.not_exists'], 'PATCH', `/users/${id}`, { name: 'x' });
    await native.refuse([404, 'entity.not_exists'], 'PATCH', `/users/${id}/password`, { password: 'long enough' });
    const kinds = (await server.logEvents()).filter((event) => event.user_id === id).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['user.created', 'user.updated', 'user.updated', 'user.updated', 'user.deleted']);
  });

  test('passwords are set, compared, and brought as Argon2id digests', async () => {
    const id = await idOf({ name: 'Password' });
    assert.deepEqual(await native.expect(200, 'GET', `/users/${id}/has-password`), { hasPassword: false });
    await native.refuse([422, 'session.invalid_credentials'], 'POST', `/users/${id}/password/verify`, {
      password: 'x',
    });
    const set = await native.expect(200, 'PATCH', `/users/${id}/password`, { password: 'long enough' });
    assert.equal(set.hasPassword, true);
    await native.expect(204, 'POST', `/users/${id}/password/verify`, { password: 'long enough' });
    await native.refuse([422, 'session.invalid_credentials'], 'POST', `/users/${id}/password/verify`, {
      password: 'long enough ',
    });
    await native.refuse(invalidInput, 'PATCH', `/users/${id}/password`, { password: 'short' });
    const [row] = (await server.rows('users')).filter((one) => one.id === id);
    const twin = { passwordDigest: row.password_hash, passwordAlgorithm: 'Argon2id' };
    const twinId = await idOf(twin);
    await native.expect(204, 'POST', `/users/${twinId}/password/verify`, { password: 'long enough' });
    await native.refuse([400, 'user.password_and_digest'], 'POST', '/users', { ...twin, password: 'long enough' });
    await native.refuse([400, 'user.password_algorithm_required'], 'POST', '/users', { passwordDigest: digest });
    for (const [passwordDigest, passwordAlgorithm] of [
      [digest, 'Argon2i'],
      [digest, 'Bcrypt'],
      ['5f4dcc3b5aa765d61d8327deb882cf99', 'MD5'],
      ['5f4dcc3b5aa765d61d8327deb882cf99', 'Argon2id'],
      [digest.replace('m=19456', 'm=9999999'), 'Argon2id'],
      [digest.replace('t=2', 't=99'), 'Argon2id'],
      [digest.replace('p=1', 'p=0'), 'Argon2id'],
    ]) {
      const body = await native.refuse([422, 'user.password_digest_not_supported'], 'POST', '/users', {
        passwordDigest,
        passwordAlgorithm,
      });
      assert.equal(body.data.path, 'passwordDigest');
    }
  });

  test('a password is hashed outside of the transaction that a dry run or a key opens', async () => {
    const { token } = native;
    const dry = await server.request('POST', '/api/users?dry_run=true', { token, json: { password: 'long enough' } });
    assert.deepEqual([dry.status, dry.body.hasPassword], [200, true]);
    const headers = { 'idempotency-key': 'user-1' };
    const first = await server.request('POST', '/api/users', { token, headers, json: { password: 'long enough' } });
    const again = await server.request('POST', '/api/users', { token, headers, json: { password: 'long enough' } });
    assert.deepEqual(again.body, first.body);
    await native.expect(204, 'POST', `/users/${first.body.id}/password/verify`, { password: 'long enough' });
  });

  test('an identity is taken in every spelling, and the field is named', async () => {
    const id = await idOf({ primaryEmail: 'strasse@example.com', username: 'Yöğurt', primaryPhone: '+4930123456' });
    const other = await idOf({ name: 'Other' });
    const twins: [string, string, string][] = [
      ['primaryEmail', 'user.email_already_in_use', 'STRASSE@EXAMPLE.COM'],
      ['primaryEmail', 'user.email_already_in_use', 'ｓtrasse@example.com'],
      ['primaryEmail', 'user.email_already_in_use', 'straße@example.com'],
      ['username', 'user.username_already_in_use', 'YÖĞURT'],
      ['username', 'user.username_already_in_use', 'yo\u0308g\u0306urt'],
      ['primaryPhone', 'user.phone_already_in_use', '4930123456'],
      ['primaryPhone', 'user.phone_already_in_use', '４９30123456'],
    ];
    for (const [field, code, value] of twins) {
      const made = await native.refuse([422, code], 'POST', '/users', { [field]: value });
      assert.equal(made.data.path, field);
      await native.refuse([422, code], 'PATCH', `/users/${other}`, { [field]: value });
      await native.expect(200, 'PATCH', `/users/${id}`, { [field]: value });
    }
    for (const [field, value] of [
      ['username', 'zero\u200bwidth'],
      ['username', 'a b'],
      ['username', 'a@b'],
      ['primaryEmail', 'nobody'],
      ['primaryEmail', 'a@b@c.example'],
      ['primaryPhone', 'call me'],
      ['avatar', 'javascript:alert(1)'],
    ]) {
      const body = await native.refuse(invalidInput, 'POST', '/users', { [field as string]: value });
      assert.equal(body.data.path, field);
    }
  });

  test('of two creations of one e-mail address at once one succeeds', async () => {
    const create = () => native.call('POST', '/users', { primaryEmail: 'at.once@example.com' });
    const answers = await Promise.all([create(), create(), create()]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 422, 422]);
    const codes = answers.filter(({ status }) => status === 422).map(({ body }) => body.code);
    assert.deepEqual(codes, ['user.email_already_in_use', 'user.email_already_in_use']);
  });

  test('a search finds by field, pattern, mode, joint and case, written either way', async () => {
    const { id: zoe } = await make({
      name: 'Zoë Quartz_Mountain',
      username: 'zoe.q',
      primaryEmail: 'zoe@quartz.example',
    });
    const { id: zed } = await make({ name: 'Zed 100%', username: 'Zed', primaryPhone: '819012345678' });
    const find = async (query: string): Promise<string[]> => {
      const found = await native.expect(200, 'GET', `/users?${query}`);
      return found.map((user: { id: string }) => user.id);
    };
    const enc = encodeURIComponent;
    const both = [zoe, zed];
    for (const [query, ids] of [
      [`search=${enc('z%')}`, both],
      [`search=${enc('ZOË%')}`, [zoe]],
      [`search=${enc('%quartz%')}`, [zoe]],
      [`search=${enc('%quartz_mountain')}`, [zoe]],
      [`search=${enc('%quartz%mountain%')}`, [zoe]],
      [`search=${enc('%mountain%quartz%')}`, []],
      [`search=${enc('%quart__mountain%')}`, []],
      [`search=quartz`, []],
      [`search.name=${enc('z%')}&search.username=${enc('%.q')}`, both],
      [`search.name=${enc('z%')}&search.username=${enc('%.q')}&joint=and`, [zoe]],
      [`search.username=zed&search.username=zoe.q&mode=exact`, both],
      [`search.username=zed&mode.username=exact`, [zed]],
      [`search.username=zed&mode=exact&isCaseSensitive=true`, []],
      [`search.username=Zed&mode=exact&isCaseSensitive=true`, [zed]],
      [`search.name=${enc('z%')}&isCaseSensitive=true`, []],
      [`search.name=${enc('Z%')}&isCaseSensitive=true`, both],
      [`search.name=${enc('%Mountain')}&isCaseSensitive=true`, [zoe]],
      [`search.name=${enc('%mountain')}&isCaseSensitive=true`, []],
      [`search.name=${enc('%Quartz%')}&isCaseSensitive=true`, [zoe]],
      [`search.primaryPhone=${enc('8190%')}`, [zed]],
      [`search.id=${zed}`, [zed]],
      [`search_params[search]=${enc('%quartz%')}`, [zoe]],
      [`search_params[search.name]=${enc('z%')}&search_params[mode.name]=like`, both],
    ] as const) {
      assert.deepEqual(await find(query), ids, query);
      assert.deepEqual(await find(`${query}&cursor=`), ids, `${query} by cursor`);
    }
    for (const [query, path] of [
      ['search=x&mode=posix', 'mode'],
      ['search=x&mode.name=similar_to', 'mode.name'],
      ['search.password=x', 'search.password'],
      ['search=', 'search'],
      ['search=x&joint=xor', 'joint'],
      ['search=x&isCaseSensitive=maybe', 'isCaseSensitive'],
      ['search_params[search.hash]=x', 'search.hash'],
      ['search_params[nothing]=x', 'search_params'],
    ]) {
      const body = await native.refuse([400, 'request.invalid_input'], 'GET', `/users?${query}`);
      assert.equal(body.data.path, path, query);
    }
  });

  test('a list leaves out who has a role or is a member, not both at once', async () => {
    const organization = await makeOrganization(server, 'Excluded');
    const [inside, outside] = [await idOf({ name: 'Inside' }), await idOf({ name: 'Outside' })];
    await makeMembership(server, { organizationId: organization, subjectId: inside, kind: 'user' });
    const found = await native.expect(200, 'GET', `/users?page_size=100&excludeOrganizationId=${organization}`);
    const ids = found.map((user: { id: string }) => user.id);
    assert.deepEqual([ids.includes(inside), ids.includes(outside)], [false, true]);
    await native.refuse(invalidInput, 'GET', `/users?excludeRoleId=a&excludeOrganizationId=${organization}`);
    const [listed] = await native.expect(200, 'GET', `/users/${inside}/organizations`);
    assert.deepEqual([listed.id, listed.organizationRoles], [organization, []]);
  });

  test('an application and an organization a user belongs to must be there', async () => {
    const { clientId } = await native.machine();
    const organization = await makeOrganization(server, 'Owner');
    const made = await make({ applicationId: clientId, ownerOrganizationId: organization });
    assert.deepEqual([made.applicationId, made.ownerOrganizationId], [clientId, organization]);
    const unknown = [404, 'entity.relation_foreign_key_not_found'] as const;
    for (const field of ['applicationId', 'ownerOrganizationId']) {
      const body = await native.refuse(unknown, 'POST', '/users', { [field]: 'nothing' });
      assert.equal(body.data.path, field);
      await native.refuse(unknown, 'PATCH', `/users/${made.id}`, { [field]: 'nothing' });
    }
    await native.expect(204, 'DELETE', `/applications/${clientId}`);
    assert.equal((await native.expect(200, 'GET', `/users/${made.id}`)).applicationId, null);
  });

  test('the last owner of a root can not be blocked or deleted; one of two can', async () => {
    const organization = await makeOrganization(server, 'Owned');
    const owner = await makeOrganizationRole(server, { scopes: [], kind: 'user', isOwner: true });
    const [first, second] = [await idOf({ name: 'First' }), await idOf({ name: 'Second' })];
    await makeMembership(server, { organizationId: organization, subjectId: first, kind: 'user', roleIds: [owner] });
    const last = [409, 'organization.last_owner'] as const;
    await native.refuse(last, 'DELETE', `/users/${first}`);
    await native.refuse(last, 'PATCH', `/users/${first}`, { status: 'awaiting_approval' });
    await native.refuse(last, 'PATCH', `/users/${first}/is-suspended`, { isSuspended: true });
    await native.expect(200, 'PATCH', `/users/${first}`, { name: 'Still here' });
    await makeMembership(server, { organizationId: organization, subjectId: second, kind: 'user', roleIds: [owner] });
    const answers = await Promise.all([
      native.call('DELETE', `/users/${first}`),
      native.call('PATCH', `/users/${second}/is-suspended`, { isSuspended: true }),
    ]);
    assert.deepEqual(answers.map(({ status }) => status >= 400).sort(), [false, true], 'not both at once');
  });

  test('a deleted user is a member of nothing any more', async () => {
    const organization = await makeOrganization(server, 'Left');
    const id = await idOf({ name: 'Leaver' });
    await makeMembership(server, { organizationId: organization, subjectId: id, kind: 'user' });
    await native.expect(204, 'DELETE', `/users/${id}`);
    assert.equal((await server.rows('memberships')).filter((row) => row.subject_id === id).length, 0);
  });

  test('new users get the default roles, and just-in-time membership by a verified address', async () => {
    const role = await native.expect(200, 'POST', '/roles', { name: 'everyone', description: '', isDefault: true });
    const organization = await makeOrganization(server, 'Just in time');
    await native.expect(201, 'POST', `/organizations/${organization}/jit/email-domains`, {
      emailDomain: 'jit.example',
    });
    const made = await idOf({ primaryEmail: 'new@jit.example' });
    const later = await idOf({ name: 'Later' });
    await native.expect(200, 'PATCH', `/users/${later}`, { primaryEmail: 'later@jit.example' });
    for (const id of [made, later]) {
      const organizations = await native.expect(200, 'GET', `/users/${id}/organizations`);
      assert.deepEqual(
        organizations.map((one: { id: string }) => one.id),
        [organization],
      );
      const roles = await native.expect(200, 'GET', `/users/${id}/roles`);
      assert.deepEqual(
        roles.map((one: { id: string }) => one.id),
        [role.id],
      );
    }
    await native.expect(204, 'DELETE', `/roles/${role.id}`);
  });

  test('who sets what a person signs in with must hold what that person holds', async () => {
    const organization = await makeOrganization(server, 'Powerful');
    const role = await makeOrganizationRole(server, { scopes: ['all'], kind: 'user' });
    const id = await idOf({ name: 'Powerful' });
    await makeMembership(server, { organizationId: organization, subjectId: id, kind: 'user', roleIds: [role] });
    const caller = await callerWith(server, ['read:users', 'update:users', 'create:users'], server.nativeAudience);
    const exceeds = [403, 'auth.exceeds_own'] as const;
    await native.refuse(exceeds, 'PATCH', `/users/${id}/password`, { password: 'long enough' }, caller.token);
    await native.refuse(exceeds, 'PATCH', `/users/${id}`, { primaryEmail: 'mine@example.com' }, caller.token);
    await native.expect(200, 'PATCH', `/users/${id}`, { name: 'Renamed' }, caller.token);
    await native.expect(200, 'PATCH', `/users/${id}/password`, { password: 'long enough' });
  });

  test('every route names its scope', async () => {
    const caller = await callerWith(server, ['read:roles'], server.nativeAudience);
    const id = await idOf({ name: 'Guarded' });
    for (const [method, path, json] of [
      ['GET', '/users'],
      ['POST', '/users', {}],
      ['GET', `/users/${id}`],
      ['PATCH', `/users/${id}`, {}],
      ['DELETE', `/users/${id}`],
      ['PATCH', `/users/${id}/is-suspended`, { isSuspended: true }],
      ['PATCH', `/users/${id}/password`, { password: 'long enough' }],
      ['POST', `/users/${id}/password/verify`, { password: 'long enough' }],
      ['GET', `/users/${id}/organizations`],
      ['GET', `/users/${id}/roles`],
      ['PUT', `/users/${id}/roles`, { roleIds: [] }],
    ] as const) {
      await native.refuse([403, 'auth.forbidden'], method, path, json, caller.token);
      const before = await server.stateHash();
      assert.equal((await server.request(method, `/api${path}`, json === undefined ? {} : { json })).status, 401);
      assert.equal(await server.stateHash(), before);
    }
  });

  test('a token for an organization sees the people of its subtree and changes those it owns', async () => {
    const root = await makeOrganization(server, 'Customer');
    const below = await makeOrganization(server, 'Branch', root);
    const elsewhere = await makeOrganization(server, 'Competitor');
    const { services } = server.composed;
    const ctx = {
      ...services,
      site: services.sites.ofTenant('default'),
      actor: { kind: 'server' as const },
      origin: nowhere,
    };
    const own = await createUser(ctx, { name: 'Own', ownerOrganizationId: below, appMetadata: { replace: { a: 1 } } });
    const guest = await createUser(ctx, {
      name: 'Guest',
      email: 'guest@elsewhere.example',
      ownerOrganizationId: elsewhere,
      appMetadata: { replace: { secret: 'theirs' } },
    });
    const stranger = await createUser(ctx, { name: 'Stranger', email: 'stranger@elsewhere.example' });
    await makeMembership(server, { organizationId: below, subjectId: guest.id, kind: 'user' });
    await makeMembership(server, { organizationId: elsewhere, subjectId: guest.id, kind: 'user' });
    const { token } = await delegatedCaller(server, { organizationId: root, scopes: ['all'] });
    const as = (status: number, method: string, path: string, json?: unknown) =>
      native.expect(status, method, path, json, token);
    const refused = (expected: readonly [number, string], method: string, path: string, json?: unknown) =>
      native.refuse(expected, method, path, json, token);

    for (const query of ['', '?cursor=']) {
      const listed = await as(200, 'GET', `/users${query}`);
      assert.deepEqual(
        listed.map((user: { id: string }) => user.id),
        [own.id, guest.id],
      );
      assert.deepEqual(listed[0].customData, { a: 1 });
      assert.deepEqual([listed[1].customData, listed[1].ownerOrganizationId], [{}, null], 'not what others keep');
    }
    assert.deepEqual(await as(200, 'GET', `/users/${guest.id}/custom-data`), {});
    assert.deepEqual(await as(200, 'GET', '/users?search.primaryEmail=stranger%25'), []);
    const organizations = await as(200, 'GET', `/users/${guest.id}/organizations`);
    assert.deepEqual(
      organizations.map((one: { id: string }) => one.id),
      [below],
    );

    await as(200, 'PATCH', `/users/${own.id}`, { name: 'Renamed', customData: { b: 2 } });
    await as(200, 'PATCH', `/users/${own.id}`, { ownerOrganizationId: root });
    await as(200, 'PATCH', `/users/${own.id}/password`, { password: 'long enough' });
    const wholeTenant = [403, 'auth.organization_token'] as const;
    await refused(wholeTenant, 'POST', '/users', { name: 'New' });
    await refused(wholeTenant, 'POST', '/users', { primaryEmail: 'stranger@elsewhere.example' });
    for (const change of [
      { primaryEmail: 'stranger@elsewhere.example' },
      { primaryEmail: 'free@elsewhere.example' },
      { username: 'own' },
      { primaryPhone: '12025550199' },
      { ownerOrganizationId: null },
    ]) {
      await refused(wholeTenant, 'PATCH', `/users/${own.id}`, change);
    }
    await refused(wholeTenant, 'PUT', `/users/${own.id}/roles`, { roleIds: [] });
    const unknown = [404, 'entity.relation_foreign_key_not_found'] as const;
    const theirs = await refused(unknown, 'PATCH', `/users/${own.id}`, { ownerOrganizationId: elsewhere });
    const nothing = await refused(unknown, 'PATCH', `/users/${own.id}`, { ownerOrganizationId: 'org_nothing' });
    assert.deepEqual(theirs, nothing);
    const foreign = await native.machine();
    await refused(unknown, 'PATCH', `/users/${own.id}`, { applicationId: foreign.clientId });

    // Not yours answers as not there, body by body.
    for (const [method, path, json] of [
      ['GET', '', undefined],
      ['GET', '/organizations', undefined],
      ['GET', '/roles', undefined],
      ['PATCH', '', { name: 'x' }],
      ['PATCH', '', { primaryEmail: 'x@example.com' }],
      ['PATCH', '/password', { password: 'long enough' }],
      ['PATCH', '/custom-data', { customData: {} }],
      ['PATCH', '/is-suspended', { isSuspended: true }],
      ['POST', '/password/verify', { password: 'long enough' }],
      ['DELETE', '', undefined],
    ] as const) {
      const before = await server.stateHash();
      const [absent, hidden, member] = await Promise.all(
        ['nobody', stranger.id, guest.id].map((id) => native.call(method, `/users/${id}${path}`, json, token)),
      );
      assert.equal(absent?.status, 404, path);
      assert.deepEqual([hidden?.status, hidden?.body], [absent?.status, absent?.body], path);
      if (method !== 'GET' || path === '/roles') {
        assert.deepEqual([member?.status, member?.body], [absent?.status, absent?.body], `${method} ${path}`);
      }
      assert.equal(await server.stateHash(), before);
    }
    await as(204, 'DELETE', `/users/${own.id}`);
  });

  test('a token for an organization does not set the password of somebody who acts elsewhere too', async () => {
    const root = await makeOrganization(server, 'Reaching');
    const elsewhere = await makeOrganization(server, 'Beyond');
    const id = await idOf({ name: 'Both', ownerOrganizationId: root });
    const role = await makeOrganizationRole(server, { scopes: ['read:users'], kind: 'user' });
    await makeMembership(server, { organizationId: elsewhere, subjectId: id, kind: 'user', roleIds: [role] });
    const { token } = await delegatedCaller(server, { organizationId: root, scopes: ['all'] });
    const password = { password: 'long enough' };
    await native.refuse([403, 'auth.exceeds_own'], 'PATCH', `/users/${id}/password`, password, token);
  });
});
