/** Nobody gains by a policy what they do not hold: not by its linked people, its role mappings, nor by whom it makes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { makeAdministratorOf } from '../sign-in/exchange-support.ts';
import { link, oauth2, openid, policyOf, unused } from './auth-policies-samples.ts';
import { makeMembership, makeOrganization, makeOrganizationRole, makeUser } from './delegated.ts';
import { Members } from './members-support.ts';

const path = '/auth-policies';
const exceeds = [403, 'auth.exceeds_own'] as const;
const policyScopes = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:auth_policies`);

eachEngine('what auth policies could give', (engine) => {
  let server: TestServer;
  let native: Members;
  let organizationId: string;
  /** Holds nothing but the scopes of policies. */
  let weak: string;
  let strongRole: string;
  let plainRole: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
    organizationId = await makeOrganization(server, 'Customer');
    weak = (await callerWith(server, policyScopes, server.nativeAudience)).token;
    strongRole = await makeOrganizationRole(server, { kind: 'user', scopes: ['delete:users'], name: 'strong' });
    plainRole = await makeOrganizationRole(server, { kind: 'user', scopes: [], name: 'plain' });
  });
  after(() => server.close());

  const user = () => makeUser(server, { email: `${unused('user')}@example.com` });
  const create = (body: unknown, token = native.token) => native.expect(201, 'POST', path, body, token);

  const recognising: Record<string, unknown>[] = [
    { type: 'password', configuration: {} },
    { configuration: { ...openid, issuer: 'https://evil.example' } },
    { configuration: { ...openid, emailIsVerified: true } },
    { linksByEmail: true },
    { linksByUsername: true },
  ];

  test('who is linked and can do more than the caller is not the caller’s to be recognised otherwise', async () => {
    const { id } = await create(policyOf('openid'));
    const harmless = await user();
    await link(server, id, harmless);
    await native.expect(200, 'PATCH', `${path}/${id}`, { linksByEmail: true }, weak);
    await native.expect(200, 'PATCH', `${path}/${id}`, { linksByEmail: false }, weak);
    const administrator = await user();
    await makeAdministratorOf(server, administrator);
    const member = await user();
    await makeMembership(server, { organizationId, subjectId: member, kind: 'user', roleIds: [strongRole] });
    for (const strong of [administrator, member]) {
      const policy = await create(policyOf('openid'));
      await link(server, policy.id, strong);
      for (const change of recognising) {
        await native.refuse(exceeds, 'PATCH', `${path}/${policy.id}`, change, weak);
      }
      await native.expect(200, 'PATCH', `${path}/${policy.id}`, { title: 'Harmless', configuration: openid }, weak);
      for (const change of recognising.slice(1)) {
        await native.expect(200, 'PATCH', `${path}/${policy.id}`, change);
      }
    }
    const enough = await callerWith(server, [...policyScopes, 'delete:users'], server.nativeAudience);
    const { id: ofMember } = await create(policyOf('openid'));
    await link(server, ofMember, member);
    await native.expect(200, 'PATCH', `${path}/${ofMember}`, { linksByEmail: true }, enough.token);
  });

  test('groups are mapped to roles that the caller may give, of organizations that there are', async () => {
    const mapped = (roleIds: string[], organization = organizationId) => ({
      roleMappings: [{ group: 'cn=admins', organizationId: organization, roleIds }],
    });
    await native.refuse(exceeds, 'POST', path, policyOf('ldap', mapped([strongRole])), weak);
    const { id, roleMappings } = await create(policyOf('ldap', mapped([plainRole])), weak);
    assert.deepEqual(roleMappings, mapped([plainRole]).roleMappings);
    await native.refuse(exceeds, 'PATCH', `${path}/${id}`, mapped([plainRole, strongRole]), weak);
    await native.expect(200, 'PATCH', `${path}/${id}`, mapped([plainRole, strongRole]));
    await native.expect(200, 'PATCH', `${path}/${id}`, { title: 'Harmless' }, weak);
    const elsewhere = { type: 'openid', configuration: openid };
    await native.refuse(exceeds, 'PATCH', `${path}/${id}`, elsewhere, weak);
    await native.expect(200, 'PATCH', `${path}/${id}`, { roleMappings: [] }, weak);
    await native.expect(200, 'PATCH', `${path}/${id}`, elsewhere, weak);
  });

  test('a policy that is switched on again, or lets more people in, gives what it has to give', async () => {
    const roleMappings = [{ group: 'cn=admins', organizationId, roleIds: [strongRole] }];
    const closed = { enabled: false, checkUserExists: true, checkUserApproved: true };
    const { id: mapping } = await create(policyOf('openid', { ...closed, roleMappings }));
    for (const change of [{ enabled: true }, { checkUserExists: false }, { checkUserApproved: false }]) {
      await native.refuse(exceeds, 'PATCH', `${path}/${mapping}`, change, weak);
      await native.expect(200, 'PATCH', `${path}/${mapping}`, change);
    }
    await native.expect(200, 'PATCH', `${path}/${mapping}`, closed, weak);
    const { id: linked } = await create(policyOf('openid', { enabled: false }));
    await native.expect(200, 'PATCH', `${path}/${linked}`, { enabled: true }, weak);
    const administrator = await user();
    await makeAdministratorOf(server, administrator);
    await link(server, linked, administrator);
    await native.expect(200, 'PATCH', `${path}/${linked}`, { enabled: false }, weak);
    await native.refuse(exceeds, 'PATCH', `${path}/${linked}`, { enabled: true }, weak);
    await native.expect(200, 'PATCH', `${path}/${linked}`, { enabled: true });
  });

  test('whoever approves somebody gives what the groups of that one give', async () => {
    const approval = { checkUserApproved: true };
    const mapping = (role: string) => ({
      ...approval,
      roleMappings: [{ group: 'cn=x', organizationId, roleIds: [role] }],
    });
    const { id: strong } = await create(policyOf('openid', mapping(strongRole)));
    const body = { userIds: [await user()] };
    const before = await server.stateHash();
    await native.refuse(exceeds, 'POST', `${path}/${strong}/users`, body, weak);
    assert.equal(await server.stateHash(), before);
    for (const more of [mapping(plainRole), approval]) {
      const { id } = await create(policyOf('openid', more));
      await native.expect(201, 'POST', `${path}/${id}/users`, body, weak);
    }
    await native.expect(201, 'POST', `${path}/${strong}/users`, body);
  });

  test('what is wrong with a mapping is named', async () => {
    const machineRole = await makeOrganizationRole(server, { kind: 'client', scopes: [], name: 'machines' });
    const missing = [422, 'entity.relation_foreign_key_not_found'] as const;
    const invalid = [400, 'guard.invalid_input'] as const;
    const good = { group: 'admins', organizationId, roleIds: [plainRole] };
    const refusals = [
      [missing, 'roleMappings.1.organizationId', [good, { ...good, organizationId: 'org_0000000000000000' }]],
      [missing, 'roleMappings.0.roleIds', [{ ...good, roleIds: [plainRole, 'rol_0000000000000000'] }]],
      [[422, 'user.invalid_role_type'], 'roleMappings.0.roleIds', [{ ...good, roleIds: [machineRole] }]],
      [invalid, 'roleMappings.1', [good, good]],
      [invalid, 'roleMappings.0.roleIds', [{ ...good, roleIds: [] }]],
      [invalid, 'roleMappings.0.roleIds', [{ ...good, roleIds: [plainRole, plainRole] }]],
      [invalid, 'roleMappings.0.group', [{ ...good, group: ' ' }]],
      [invalid, 'roleMappings.0.group', [{ ...good, group: '' }]],
      [invalid, 'roleMappings.0.organizationId', [{ ...good, organizationId: undefined }]],
      [invalid, 'roleMappings', Array.from({ length: 101 }, (_, index) => ({ ...good, group: `${index}` }))],
    ] as const;
    for (const [refusal, field, roleMappings] of refusals) {
      const { data } = await native.refuse(refusal, 'POST', path, policyOf('ldap', { roleMappings }));
      assert.equal(data.path, field);
    }
    const two = [good, { ...good, group: 'others' }];
    await create(policyOf('ldap', { roleMappings: two }));
  });

  test('a policy that makes users gives what their e-mail addresses give', async () => {
    const { id } = await create(policyOf('openid'), weak);
    const makes = { checkUserExists: false };
    await native.expect(200, 'PATCH', `${path}/${id}`, makes, weak);
    await native.expect(200, 'PATCH', `${path}/${id}`, { checkUserExists: true }, weak);
    const jit = `/organizations/${organizationId}/jit`;
    await native.expect(201, 'POST', `${jit}/email-domains`, { emailDomain: 'customer.example' });
    await native.expect(201, 'POST', `${jit}/roles`, { organizationRoleIds: [strongRole] });
    await native.refuse(exceeds, 'PATCH', `${path}/${id}`, makes, weak);
    await native.refuse(exceeds, 'POST', path, policyOf('openid', makes), weak);
    await create(policyOf('openid', makes));
    const { id: open } = await create(policyOf('oauth2', makes));
    await native.expect(200, 'PATCH', `${path}/${open}`, { title: 'Harmless' }, weak);
    const elsewhere = { configuration: { ...oauth2, userInfoUrl: 'https://evil.example/me' } };
    await native.refuse(exceeds, 'PATCH', `${path}/${open}`, elsewhere, weak);
    await create(policyOf('openid'), weak);
  });
});
