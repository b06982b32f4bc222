/** A token for one organization, against every route it may call: what lies outside is not there, and leaves no trace. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exampleOf, type Json } from '../../src/http/native/openapi/schemas.ts';
import type { RouteEntry } from '../../src/http/route-list.ts';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import {
  delegatedCaller,
  makeMembership,
  makeOrganization,
  makeOrganizationRole,
  makeUser,
} from '../native/delegated.ts';
import { withoutLimits } from './support.ts';

/** One customer: an organization with one below it, and one thing of each kind. */
interface Customer {
  organization: string;
  child: string;
  user: string;
  application: string;
  member: string;
  invitation: string;
}

const nobody: Customer = {
  organization: 'org_0000000000000000',
  child: 'org_1111111111111111',
  user: '000000000000000000000000',
  application: 'Z'.repeat(32),
  member: 'mem_0000000000000000',
  invitation: 'inv_0000000000000000',
};

const mark = 'Stranger';

eachEngine('a token for one organization', (engine) => {
  let server: TestServer;
  let admin: string;
  let token: string;
  let routes: RouteEntry[];
  let mine: Customer;
  let foreign: Customer;
  let roleId: string;
  let tenantRoleId: string;
  let guest: string;
  const asAdmin = async (method: string, path: string, json?: unknown): Promise<Answer['body']> => {
    const answer = await server.request(method, `/api${path}`, {
      token: admin,
      ...(json === undefined ? {} : { json }),
    });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };

  /** The customer's user is its own; a guest, whom nobody owns, may be a member of several. */
  async function customer(name: string): Promise<Customer> {
    const organization = await makeOrganization(server, name);
    const child = await makeOrganization(server, `${name} team`, organization);
    const email = `${name.toLowerCase()}@example.com`;
    const user = await makeUser(server, { email, name });
    await asAdmin('PATCH', `/users/${user}`, { ownerOrganizationId: organization });
    const of = { name, description: name, type: 'MachineToMachine' };
    const application = (await asAdmin('POST', '/applications', of)).id;
    await server.composed.services.db.transact((trx) =>
      trx.updateTable('clients').set({ owner_organization_id: organization }).where('id', '=', application).execute(),
    );
    const member = await makeMembership(server, { organizationId: organization, subjectId: user, kind: 'user' });
    for (const id of [organization, child]) {
      await makeMembership(server, { organizationId: id, subjectId: application, kind: 'client' });
    }
    const invited = { organizationId: organization, invitee: `new.${email}`, expiresAt: Date.now() + 1e8 };
    const invitation = (await asAdmin('POST', '/organization-invitations', { ...invited, inviterId: user })).id;
    await asAdmin('POST', `/organizations/${organization}/jit/email-domains`, { emailDomain: `${name}.example` });
    await asAdmin('POST', `/users/${user}/roles`, { roleIds: [tenantRoleId] });
    return { organization, child, user, application, member, invitation };
  }

  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    admin = await server.managementToken(server.nativeAudience);
    routes = (await server.composed.server.routes()).filter(({ delegated, method }) => delegated && method !== 'HEAD');
    tenantRoleId = (await asAdmin('POST', '/roles', { name: 'reader', description: 'x', scopeIds: [] })).id;
    roleId = await makeOrganizationRole(server, { kind: 'user', scopes: [], name: 'visitor' });
    await asAdmin('POST', '/organization-scopes', { name: 'read:data' });
    await makeOrganizationRole(server, { scopes: [], name: 'idle' });
    mine = await customer('Mine');
    guest = await makeUser(server, { email: 'guest@example.com', name: 'Guest' });
    await makeMembership(server, {
      organizationId: mine.organization,
      subjectId: guest,
      kind: 'user',
      roleIds: [roleId],
    });
    const scopes = [...new Set(routes.flatMap(({ scopes = [] }) => scopes))];
    ({ token } = await delegatedCaller(server, { organizationId: mine.organization, scopes, isOwner: true }));
  });
  after(() => server.close());

  /** The path with the ids of a customer; undefined where nothing in it is a customer's. */
  function pathOf({ path }: RouteEntry, first: Customer, others: Customer = first): string | undefined {
    const [, surface, rest] = /^\/api\/([a-z-]+)(\/.*)?$/.exec(path) ?? [];
    const kinds: Record<string, keyof Customer> = {
      organizations: 'organization',
      accounts: 'organization',
      applications: 'application',
      users: 'user',
      'organization-invitations': 'invitation',
    };
    const kind = kinds[surface ?? ''];
    if (kind === undefined || rest?.includes(':') !== true) return undefined;
    const named = path
      .replace(/:[a-z_A-Z]+/, first[kind])
      .replace(':userId', others.user)
      .replace(':applicationId', others.application)
      .replace(/:member_?[iI]d/, others.member)
      .replace(':organizationRoleId', roleId)
      .replace(':name', 'Default%20secret')
      .replace(/:(certificateId|sessionId|grantId)/, 'nothing');
    assert.ok(!named.includes(':'), named);
    return named;
  }

  const bodyOf = (route: RouteEntry) =>
    route.schema?.body === undefined ? {} : { json: exampleOf(route.schema.body as Json) };

  /** Status, text and telling headers, with the ids that were asked for taken out. */
  async function answerTo(method: string, path: string, options: object, ids: Customer): Promise<string> {
    const { status, text, headers } = await server.request(method, path, { token, ...options });
    const named = ['content-type', 'www-authenticate', 'total-number', 'link', 'etag', 'content-length'];
    let shown = `${status} ${text} ${named.slice(0, -1).map((name) => headers.get(name))}`;
    for (const [kind, id] of Object.entries(ids)) shown = shown.replaceAll(id, `<${kind}>`);
    return shown;
  }

  /** Everything it can read, as it is shown. */
  async function readAll(): Promise<Map<string, string>> {
    const seen = new Map<string, string>();
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const own = pathOf(route, mine) ?? route.path;
      const path = own
        .replace('/roles/:id', `/roles/${tenantRoleId}`)
        .replace('/organization-roles/:id', `/organization-roles/${roleId}`);
      if (path.includes(':')) continue;
      const properties = (route.schema?.querystring as { properties?: object } | undefined)?.properties ?? {};
      const queries = [
        '',
        ...('cursor' in properties
          ? ['?page=1&page_size=50', '?cursor=', '?cursor=&inherited=true&showFeatured=true']
          : []),
      ];
      for (const query of queries) {
        const { status, text, headers } = await server.request('GET', `${path}${query}`, { token });
        seen.set(`${path}${query}`, `${status} ${text} ${headers.get('total-number')} ${headers.get('etag')}`);
      }
    }
    return seen;
  }

  test('what strangers are, make and do shows nowhere: no list, count, search, tag', async () => {
    const before = await readAll();
    assert.ok([...before.values()].filter((answer) => answer.startsWith('200')).length > 60, String(before.size));
    foreign = await customer(mark);
    const strangers = {
      organizationId: foreign.organization,
      subjectId: guest,
      kind: 'user' as const,
      roleIds: [roleId],
    };
    await makeMembership(server, strangers);
    await asAdmin('POST', `/users/${guest}/roles`, { roleIds: [tenantRoleId] });
    await asAdmin('PATCH', `/users/${guest}/custom-data`, { customData: { secret: mark } });
    const invited = { invitee: 'guest2@example.com', inviterId: guest, expiresAt: Date.now() + 1e8 };
    await asAdmin('POST', '/organization-invitations', { organizationId: foreign.organization, ...invited });
    const after = await readAll();
    // Who changed the guest is told by the time of the change, and nothing else.
    const still = (seen: Map<string, string>) =>
      [...seen]
        .filter(([path]) => !path.includes('/organization-roles'))
        .map(([path, answer]) => [path, answer.replace(/"updatedAt":\d+|"[\w-]{27}"/g, '')]);
    assert.deepEqual(still(after), still(before));
    for (const [path, answer] of after) {
      for (const secret of [mark, ...Object.values(foreign)]) assert.ok(!answer.includes(secret), `${path}: ${answer}`);
    }
  });

  test('a stranger’s id in the path answers byte for byte as one that was made up', async () => {
    const before = await server.stateHash();
    let tried = 0;
    for (const route of routes) {
      for (const [first, others] of [
        ['theirs', 'theirs'],
        ['theirs', 'mine'],
        ['mine', 'theirs'],
      ] as const) {
        const who = (which: 'theirs' | 'mine', theirs: Customer) => (which === 'mine' ? mine : theirs);
        const [theirs, none] = [foreign, nobody].map((ids) => pathOf(route, who(first, ids), who(others, ids)));
        if (theirs === undefined || none === undefined || theirs === none) continue;
        const answer = await answerTo(route.method, theirs, bodyOf(route), foreign);
        const what = `${route.method} ${theirs}`;
        assert.ok(/^4\d\d/.test(answer), `${what}: ${answer}`);
        assert.ok(!answer.includes(mark), `${what}: ${answer}`);
        assert.equal(answer, await answerTo(route.method, none, bodyOf(route), nobody), what);
        tried += 1;
      }
    }
    assert.ok(tried > 150, String(tried));
    assert.equal(await server.stateHash(), before);
  });

  test('a stranger’s id, name or address in a query finds what a made-up one finds', async () => {
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const path = (pathOf(route, mine) ?? route.path).replace('/roles/:id', `/roles/${tenantRoleId}`);
      const properties =
        (route.schema?.querystring as { properties?: Record<string, { type?: string }> })?.properties ?? {};
      if (path.includes(':')) continue;
      for (const field of Object.keys(properties).filter(
        (name) => !/^(page|page_size|cursor|dry_run|limit)$/.test(name),
      )) {
        for (const kind of Object.keys(nobody) as (keyof Customer)[]) {
          const ask = (ids: Customer) => answerTo('GET', `${path}?${field}=${ids[kind]}&page=1`, {}, ids);
          assert.equal(await ask(foreign), await ask(nobody), `${path}?${field}=<${kind}>`);
        }
        const [found, none] = await Promise.all(
          [mark, 'Nothings'].map(async (text) =>
            (await answerTo('GET', `${path}?${field}=${text}&page=1`, {}, nobody)).replaceAll(text, ''),
          ),
        );
        assert.equal(found, none, `${path}?${field}=${mark}`);
      }
    }
  });

  test('a stranger’s id in a body is refused as a made-up one, and nothing changes', async () => {
    const at = () => `/api/organizations/${mine.organization}`;
    const later = { invitee: 'x@example.com', expiresAt: Date.now() + 1e8 };
    const bodies: [string, string, (ids: Customer) => unknown][] = [
      ['POST', '/api/organizations', (i) => ({ name: 'x', parentId: i.organization })],
      ['POST', `/api/organizations/${mine.child}/move`, (i) => ({ parentId: i.organization })],
      ['POST', '/api/organizations/batch', (i) => ({ organizations: [{ name: 'x', parentId: i.child }] })],
      [
        'POST',
        '/api/organizations/batch',
        (i) => ({ organizations: [{ name: 'x', members: [{ applicationId: i.application }] }] }),
      ],
      ['POST', '/api/organizations/batch', (i) => ({ organizations: [{ name: 'x', members: [{ userId: i.user }] }] })],
      ['POST', `${at()}/users`, (i) => ({ userIds: [i.user] })],
      ['PUT', `${at()}/users`, (i) => ({ userIds: [i.user] })],
      ['POST', `${at()}/applications`, (i) => ({ applicationIds: [i.application] })],
      ['PUT', `${at()}/applications`, (i) => ({ applicationIds: [i.application] })],
      ['POST', `${at()}/users/roles`, (i) => ({ userIds: [i.user], organizationRoleIds: [roleId] })],
      ['POST', `${at()}/members`, (i) => ({ applicationId: i.application })],
      ['POST', `${at()}/members`, (i) => ({ userId: i.user })],
      ['POST', '/api/organization-invitations', (i) => ({ ...later, organizationId: i.organization })],
      ['POST', '/api/organization-invitations', (i) => ({ ...later, organizationId: mine.child, inviterId: i.user })],
      ['PATCH', `/api/users/${mine.user}`, (i) => ({ ownerOrganizationId: i.organization })],
      ['PATCH', `/api/users/${mine.user}`, (i) => ({ applicationId: i.application })],
      ['POST', '/api/explain', (i) => ({ applicationId: mine.application, organizationId: i.organization })],
      ['POST', '/api/explain', (i) => ({ applicationId: i.application, organizationId: mine.organization })],
      ['POST', '/api/explain', (i) => ({ userId: i.user, organizationId: mine.organization })],
      ['POST', '/api/accounts', (i) => ({ name: 'x', parent_account_id: i.organization })],
      ['POST', `/api/accounts/${mine.child}/move`, (i) => ({ parent_id: i.organization })],
      ['POST', `/api/accounts/${mine.child}/members`, (i) => ({ client_id: i.application, role: 'idle' })],
      ['POST', `/api/accounts/${mine.child}/members`, (i) => ({ user_id: i.user, role: 'viewer' })],
    ];
    const before = await server.stateHash();
    for (const [method, path, body] of bodies) {
      for (const way of ['', '?dry_run=true']) {
        const answer = await answerTo(method, `${path}${way}`, { json: body(foreign) }, foreign);
        assert.ok(/^4\d\d/.test(answer), `${method} ${path}: ${answer}`);
        assert.equal(
          answer,
          await answerTo(method, `${path}${way}`, { json: body(nobody) }, nobody),
          `${method} ${path}`,
        );
      }
    }
    assert.equal(await server.stateHash(), before);
  });

  test('of a guest it is told what organizations give, and no tenant-wide role', async () => {
    const machine = await server.machine({ scopes: ['read:orders'] });
    const { scopes } = (await asAdmin('GET', '/resources?includeScopes=true')).find(
      ({ indicator }: { indicator: string }) => indicator === machine.audience,
    );
    await asAdmin('POST', `/roles/${tenantRoleId}/scopes`, { scopeIds: [scopes[0].id] });
    const ask = { audience: machine.audience, organizationId: mine.organization };
    const explained = async (userId: string) => {
      const { body } = await server.request('POST', '/api/explain', { token, json: { ...ask, userId } });
      return [body.allowed, body.scopes, body.sources.length];
    };
    assert.deepEqual(await explained(guest), [true, [], 0]);
    assert.deepEqual(await explained(mine.user), [true, ['read:orders'], 1], 'its own person is its to ask about');
  });

  test('it takes over nobody who can do anything elsewhere, or more than it: not even its own client', async () => {
    const strong = await makeOrganizationRole(server, { kind: 'client', scopes: ['read:logs'] });
    const owner = await makeOrganizationRole(server, { kind: 'user', scopes: [], isOwner: true });
    const both = await delegatedCaller(server, {
      organizationId: mine.organization,
      scopes: ['create:application_secrets', 'update:users'],
    });
    const path = `/api/applications/${both.clientId}/secrets`;
    const own = await server.request('POST', path, { token: both.token, json: { name: 'second' } });
    assert.equal(own.status, 201, own.text);
    const refuse = async (method: string, where: string, json: object, as = both.token) => {
      const before = await server.stateHash();
      const answer = await server.request(method, where, { token: as, json });
      assert.deepEqual([answer.status, answer.body.code], [403, 'auth.exceeds_own'], `${where}: ${answer.text}`);
      assert.ok(!answer.text.includes(foreign.organization), answer.text);
      assert.equal(await server.stateHash(), before);
    };
    await makeMembership(server, {
      organizationId: foreign.organization,
      subjectId: both.clientId,
      kind: 'client',
      roleIds: [strong],
    });
    await refuse('POST', path, { name: 'third' });
    const password = { password: 'Pw-taken-7193-x' };
    const set = await server.request('PATCH', `/api/users/${mine.user}/password`, {
      token: both.token,
      json: password,
    });
    assert.equal(set.status, 200, set.text);
    // An owner at home is more than a caller that is none; an owner elsewhere is more than anybody here.
    const membership = { subjectId: mine.user, kind: 'user' as const, roleIds: [owner] };
    const home = await makeMembership(server, { ...membership, organizationId: mine.child });
    await refuse('PATCH', `/api/users/${mine.user}/password`, password);
    const asOwner = await server.request('PATCH', `/api/users/${mine.user}/password`, { token, json: password });
    assert.equal(asOwner.status, 200, asOwner.text);
    await makeMembership(server, { ...membership, organizationId: foreign.child });
    await refuse('PATCH', `/api/users/${mine.user}/password`, password, token);
    await asAdmin('DELETE', `/organizations/${mine.child}/members/${home}`);
  });

  test('the very same token is refused as soon as what it rests on is gone, of either issuer', async () => {
    const ends: Record<
      string,
      (i: { top: string; id: string; clientId: string; roleId: string; membershipId: string }) => Promise<unknown>
    > = {
      'the role is taken': (i) =>
        asAdmin('DELETE', `/organizations/${i.top}/applications/${i.clientId}/roles/${i.roleId}`),
      'the role is deleted': (i) => asAdmin('DELETE', `/organization-roles/${i.roleId}`),
      'the role gives nothing': (i) =>
        asAdmin('PUT', `/organization-roles/${i.roleId}/resource-scopes`, { scopeIds: [] }),
      'the member is removed': (i) => asAdmin('DELETE', `/organizations/${i.top}/members/${i.membershipId}`),
      'it counts above only': (i) =>
        asAdmin('PATCH', `/organizations/${i.top}/members/${i.membershipId}`, { thisOrganizationOnly: true }),
      'it is suspended': (i) => asAdmin('PATCH', `/organizations/${i.id}`, { status: 'suspended' }),
      'what is above is suspended': (i) => asAdmin('PATCH', `/organizations/${i.top}`, { status: 'suspended' }),
      'it is moved out': (i) => asAdmin('POST', `/organizations/${i.id}/move`, { parentId: null }),
      'it is deleted': (i) => asAdmin('DELETE', `/organizations/${i.id}`),
      'the client is disabled': (i) => asAdmin('PATCH', `/applications/${i.clientId}`, { status: 'disabled' }),
      'the client is deleted': (i) => asAdmin('DELETE', `/applications/${i.clientId}`),
    };
    for (const [what, end] of Object.entries(ends)) {
      const top = await makeOrganization(server, 'Top');
      const id = await makeOrganization(server, 'Below', top);
      const held = await delegatedCaller(server, { organizationId: top, scopes: ['read:organizations'] });
      const ask = { client_id: held.clientId, client_secret: held.clientSecret };
      const issued = [
        await server.token({ ...ask, audience: server.nativeAudience, organization: id }),
        await server.request('POST', '/oidc/token', {
          form: {
            ...ask,
            grant_type: 'client_credentials',
            resource: server.nativeAudience,
            organization_id: id,
            scope: 'read:organizations',
          },
        }),
      ];
      const read = async () => {
        const statuses = [];
        for (const { body } of issued) {
          for (const path of ['organizations', `organizations/${id}`, 'accounts']) {
            statuses.push((await server.request('GET', `/api/${path}`, { token: body.access_token })).status);
          }
        }
        return statuses;
      };
      assert.deepEqual(await read(), [200, 200, 200, 200, 200, 200], what);
      await end({ top, id, ...held });
      const status = what.startsWith('the role') ? 403 : 401;
      assert.deepEqual(
        await read(),
        Array.from({ length: 6 }, () => status),
        what,
      );
    }
  });
});
