/** Groups upstream become roles here, at each sign-in. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type AuthPolicyRow, authPolicyOf, type RoleMapping } from '../../src/domain/auth-policies/policy.ts';
import { findPolicyRow } from '../../src/domain/auth-policies/read-policies.ts';
import { applyRoleMappings } from '../../src/domain/auth-policies/role-mappings.ts';
import { type Context, nowhere } from '../../src/domain/context.ts';
import { enterByIdentity } from '../../src/protocol/sign-in/admission.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { makeMembership, makeOrganization, makeOrganizationRole, makeUser } from '../native/delegated.ts';
import { Members } from '../native/members-support.ts';
import { insertPolicy } from '../native/policy-rows.ts';
import { contextAt, nobody } from './people.ts';

/** Somebody an upstream says nothing about. */
const unnamed = {
  email: null,
  emailVerified: false,
  username: null,
  name: null,
  givenName: null,
  familyName: null,
  picture: null,
  amr: [],
  claims: {},
};

eachEngine('role mappings', (engine) => {
  let server: TestServer;
  let native: Members;
  let editor: string;
  let reader: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
    editor = await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'editor' });
    reader = await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'reader' });
  });
  after(() => server.close());

  const person = (more: object = {}) => makeUser(server, { email: nobody(), ...more });
  const organization = (parentId: string | null = null) => makeOrganization(server, 'Acme', parentId);

  /** What a sign-in does after the person was admitted. */
  async function signIn(roleMappings: readonly RoleMapping[], userId: string, groups: readonly string[]) {
    const { services } = server.composed;
    const site = services.sites.ofTenant('default');
    const ctx: Context = { ...services, site, actor: { kind: 'server' }, origin: nowhere };
    await services.db.transact((trx) => applyRoleMappings(ctx, trx, { id: 'none', roleMappings }, userId, groups));
  }

  /** The roles of a person in an organization, sorted; undefined for who is no member of it. */
  async function rolesOf(userId: string, organizationId: string): Promise<string[] | undefined> {
    const [membership] = (await server.rows('memberships')).filter(
      (row) => row.subject_id === userId && row.organization_id === organizationId,
    );
    if (membership === undefined) return undefined;
    const rows = await server.rows('membership_roles');
    return rows
      .filter(({ membership_id }) => membership_id === membership.id)
      .map(({ role_id }) => role_id)
      .sort();
  }
  const kindsSince = async (before: number) => (await server.logEvents()).slice(before).map(({ kind }) => kind);
  const countOfEvents = async () => (await server.logEvents()).length;

  test('at the first sign-in, which makes the user, and at each one after', async () => {
    const [organizationId, subject] = [await organization(), nobody()];
    const mappings = [
      { group: 'editors', organizationId, roleIds: [editor] },
      { group: 'readers', organizationId, roleIds: [reader] },
    ];
    const policyId = await insertPolicy(server, { type: 'openid', role_mappings: JSON.stringify(mappings) });
    const { services } = server.composed;
    const policy = authPolicyOf((await findPolicyRow(services, 'default', policyId)) as AuthPolicyRow);
    const enter = (groups: readonly string[]) =>
      enterByIdentity(contextAt(server), policy, { ...unnamed, issuer: 'https://idp.example', subject, groups }, {});
    const { userId, sessionId } = await enter(['editors', 'readers']);
    assert.deepEqual(await rolesOf(userId, organizationId), [editor, reader].sort());
    assert.equal((await enter(['readers'])).userId, userId);
    assert.deepEqual(await rolesOf(userId, organizationId), [reader]);
    await enter([]);
    assert.equal(await rolesOf(userId, organizationId), undefined);
    const session = (await server.rows('sessions')).find(({ id }) => id === sessionId);
    assert.deepEqual([session.user_id, session.auth_policy_id], [userId, policyId]);
  });

  test('a group makes a member with its roles; another group other roles; none, none', async () => {
    const [one, other, userId] = [await organization(), await organization(), await person()];
    const mappings = [
      { group: 'editors', organizationId: one, roleIds: [editor, reader] },
      { group: 'readers', organizationId: one, roleIds: [reader] },
      { group: 'readers', organizationId: other, roleIds: [reader] },
    ];
    await signIn(mappings, userId, ['others', 'Editors', ' editors', 'editors,readers']);
    assert.deepEqual([await rolesOf(userId, one), await rolesOf(userId, other)], [undefined, undefined]);
    await signIn(mappings, userId, ['editors', 'others']);
    assert.deepEqual(await rolesOf(userId, one), [editor, reader].sort());
    assert.equal(await rolesOf(userId, other), undefined);
    await signIn(mappings, userId, ['readers']);
    assert.deepEqual([await rolesOf(userId, one), await rolesOf(userId, other)], [[reader], [reader]]);
    const before = await countOfEvents();
    const state = await server.stateHash();
    await signIn(mappings, userId, ['readers']);
    assert.deepEqual([await kindsSince(before), await server.stateHash()], [[], state], 'nothing to do, nothing done');
    await signIn(mappings, userId, []);
    assert.deepEqual([await rolesOf(userId, one), await rolesOf(userId, other)], [undefined, undefined]);
    assert.deepEqual(await kindsSince(before), ['organization_member.removed', 'organization_member.removed']);
    const removed = (await server.logEvents()).at(-1);
    assert.deepEqual([removed.client_id, removed.user_id], [null, userId], 'the server did it');
  });

  test('what no mapping names stays, and so does who is a member by it', async () => {
    const [organizationId, userId] = [await organization(), await person()];
    const own = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    await makeMembership(server, { organizationId, subjectId: userId, kind: 'user', roleIds: [own, editor] });
    const mappings = [{ group: 'readers', organizationId, roleIds: [reader] }];
    await signIn(mappings, userId, ['readers']);
    assert.deepEqual(await rolesOf(userId, organizationId), [own, editor, reader].sort());
    await signIn(mappings, userId, []);
    assert.deepEqual(await rolesOf(userId, organizationId), [own, editor].sort());
    await signIn([], userId, []);
    assert.deepEqual(await rolesOf(userId, organizationId), [own, editor].sort());
    const plain = await person();
    await makeMembership(server, { organizationId, subjectId: plain, kind: 'user' });
    await signIn(mappings, plain, []);
    assert.deepEqual(await rolesOf(plain, organizationId), [], 'a member without roles is one still');
  });

  test('who is in by the domain of a verified address stays in', async () => {
    const [organizationId, userId] = [await organization(), await person({ email: 'kei@acme.example' })];
    const mappings = [{ group: 'readers', organizationId, roleIds: [reader] }];
    await signIn(mappings, userId, ['readers']);
    await native.expect(201, 'POST', `/organizations/${organizationId}/jit/email-domains`, {
      emailDomain: 'acme.example',
    });
    await signIn(mappings, userId, []);
    assert.deepEqual(await rolesOf(userId, organizationId), []);
    const unverified = await person({ email: 'mio@acme.example', emailVerified: false });
    await signIn(mappings, unverified, ['readers']);
    await signIn(mappings, unverified, []);
    assert.equal(await rolesOf(unverified, organizationId), undefined);
  });

  test('names of a directory are one however they are written; others are not', async () => {
    const organizationId = await organization();
    const group = 'CN=Editors, OU=Groups,DC=Example,DC=com';
    const mappings = [
      { group, organizationId, roleIds: [editor] },
      { group: 'Readers', organizationId, roleIds: [reader] },
    ];
    for (const [groups, roles] of [
      [['cn=editors,ou=groups,dc=example,dc=com'], [editor]],
      [['CN = Editors ,ou=GROUPS , dc=example, dc=com'], [editor]],
      [['2.5.4.3=Editors,OU=Groups,DC=Example,DC=com'], [editor]],
      [['cn=editors,ou=groups,dc=example,dc=org'], undefined],
      [['cn=editors\\,ou=groups,dc=example,dc=com'], undefined],
      [['readers', 'READERS', 'Readers '], undefined],
      [['Readers'], [reader]],
      [['cn=', '=', ',', '', '\0', 'x'.repeat(10_000)], undefined],
    ] as const) {
      const userId = await person();
      await signIn(mappings, userId, groups);
      assert.deepEqual(await rolesOf(userId, organizationId), roles, groups.join(' | ').slice(0, 80));
    }
  });

  test('a suspended organization, itself or from above, gives nothing; what is not given any more is taken', async () => {
    const top = await organization();
    const [below, userId] = [await organization(top), await person()];
    const mappings = [
      { group: 'editors', organizationId: below, roleIds: [editor] },
      { group: 'readers', organizationId: below, roleIds: [reader] },
    ];
    await signIn(mappings, userId, ['readers', 'editors']);
    await native.expect(200, 'PATCH', `/organizations/${top}`, { status: 'suspended' });
    const late = await person();
    await signIn(mappings, late, ['readers']);
    assert.equal(await rolesOf(late, below), undefined);
    await signIn(mappings, userId, ['readers']);
    assert.deepEqual(await rolesOf(userId, below), [reader]);
    await signIn(mappings, userId, ['readers', 'editors']);
    assert.deepEqual(await rolesOf(userId, below), [reader]);
    await native.expect(200, 'PATCH', `/organizations/${top}`, { status: 'active' });
    await signIn(mappings, userId, ['readers', 'editors']);
    assert.deepEqual(await rolesOf(userId, below), [editor, reader].sort());
  });

  test('a person that belongs to a customer gets roles in that customer’s subtree only', async () => {
    const [customer, elsewhere, userId] = [await organization(), await organization(), await person()];
    const below = await organization(customer);
    await server.composed.services.db.transact((trx) =>
      trx.updateTable('users').set({ owner_organization_id: customer }).where('id', '=', userId).execute(),
    );
    const at = (organizationId: string) => ({ group: 'readers', organizationId, roleIds: [reader] });
    await signIn([at(elsewhere), at(customer), at(below)], userId, ['readers']);
    assert.deepEqual(await rolesOf(userId, elsewhere), undefined);
    assert.deepEqual([await rolesOf(userId, customer), await rolesOf(userId, below)], [[reader], [reader]]);
  });

  test('the last owner of a root stays one, signs in all the same, and that is logged', async () => {
    const owner = await makeOrganizationRole(server, { scopes: [], kind: 'user', isOwner: true });
    const coOwner = await makeOrganizationRole(server, { scopes: [], kind: 'user', isOwner: true });
    const [root, userId] = [await organization(), await person()];
    const below = await organization(root);
    const at = (organizationId: string) => ({ group: 'owners', organizationId, roleIds: [owner, reader] });
    const mappings = [at(root), at(below)];
    await signIn(mappings, userId, ['owners']);
    const before = await countOfEvents();
    await signIn(mappings, userId, []);
    assert.deepEqual(await rolesOf(userId, root), [owner]);
    assert.equal(await rolesOf(userId, below), undefined, 'below a root there need not be one');
    const kept = (await server.logEvents()).slice(before).find(({ kind }) => kind === 'organization_member.kept');
    const details = JSON.parse(kept.details);
    assert.deepEqual([kept.user_id, details.organization, details.roles], [userId, root, [owner]]);
    // By another role it would be an owner still, and with another owner nobody needs it.
    const held = (await server.rows('memberships')).find((row) => row.subject_id === userId);
    const row = { tenant_id: 'default', membership_id: held.id, role_id: coOwner };
    await server.composed.services.db.transact((trx) => trx.insertInto('membership_roles').values(row).execute());
    await signIn(mappings, userId, []);
    assert.deepEqual(await rolesOf(userId, root), [coOwner]);
    await makeMembership(server, { organizationId: root, subjectId: await person(), kind: 'user', roleIds: [owner] });
    await signIn([{ group: 'owners', organizationId: root, roleIds: [coOwner] }], userId, []);
    assert.equal(await rolesOf(userId, root), undefined);
  });

  test('an owner who is blocked keeps nobody from staying the last one', async () => {
    const owner = await makeOrganizationRole(server, { scopes: [], kind: 'user', isOwner: true });
    const [root, userId, blocked] = [await organization(), await person(), await person()];
    await makeMembership(server, { organizationId: root, subjectId: blocked, kind: 'user', roleIds: [owner] });
    const mappings = [{ group: 'owners', organizationId: root, roleIds: [owner] }];
    await signIn(mappings, userId, ['owners']);
    await native.expect(200, 'PATCH', `/users/${blocked}`, { status: 'blocked' });
    await signIn(mappings, userId, []);
    assert.deepEqual(await rolesOf(userId, root), [owner]);
  });

  test('mappings that name what is gone, or no role for people, are left', async () => {
    const [organizationId, gone, userId] = [await organization(), await organization(), await person()];
    const forMachines = await makeOrganizationRole(server, { scopes: [], kind: 'client' });
    const goneRole = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    await native.expect(204, 'DELETE', `/organizations/${gone}`);
    await native.expect(204, 'DELETE', `/organization-roles/${goneRole}`);
    const { id: tenantWide } = await native.expect(200, 'POST', '/roles', { name: 'wide', description: '' });
    const mappings = [
      { group: 'g', organizationId: gone, roleIds: [reader] },
      { group: 'g', organizationId, roleIds: [goneRole, forMachines, tenantWide] },
    ];
    await signIn(mappings, userId, ['g']);
    assert.equal(await rolesOf(userId, organizationId), undefined);
    await signIn([...mappings, { group: 'g', organizationId, roleIds: [reader] }], userId, ['g']);
    assert.deepEqual(await rolesOf(userId, organizationId), [reader]);
  });
});
