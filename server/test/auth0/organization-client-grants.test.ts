import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { type Calls, callsOf, walks } from './support.ts';

const noOrganization = { status: 404, message: 'No organization found by that id or name' };
const noGrant = { status: 404, message: 'The grant does not exist.', errorCode: 'inexistent_client_grant' };

eachEngine('/api/v2/organizations/{id}/client-grants', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let call: Calls;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
  });
  after(() => server.close());

  let made = 0;
  // Each of another millisecond: those of one stand in no order that is promised.
  async function organization(): Promise<string> {
    made += 1;
    clock.advance(1);
    return (await call('POST', '/organizations', { name: `org-${made}` })).body.id;
  }
  async function grantOf(usage: string | null = 'allow') {
    made += 1;
    clock.advance(1);
    const machine = await server.machine({ identifier: `urn:api-${made}` });
    if (usage !== null) await call('PATCH', `/client-grants/${machine.grantId}`, { organization_usage: usage });
    return machine;
  }
  const tokenIn = (machine: Awaited<ReturnType<typeof grantOf>>, organizationId: string) =>
    server.token({
      client_id: machine.clientId,
      client_secret: machine.clientSecret,
      audience: machine.audience,
      organization: organizationId,
    });

  test('a listed grant gives tokens for that organization and no other, until it is taken off', async () => {
    const [here, elsewhere] = [await organization(), await organization()];
    const machine = await grantOf();
    assert.equal((await tokenIn(machine, here)).status, 403);
    const added = await call('POST', `/organizations/${here}/client-grants`, { grant_id: machine.grantId });
    assert.equal(added.status, 201, added.text);
    assert.deepEqual(added.body, {
      id: machine.grantId,
      grant_id: machine.grantId,
      client_id: machine.clientId,
      audience: machine.audience,
      scope: ['read:orders', 'write:orders'],
      subject_type: 'client',
      organization_usage: 'allow',
    });
    const { status, body } = await tokenIn(machine, here);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString()).org_id, here);
    assert.equal((await tokenIn(machine, elsewhere)).status, 403);
    const path = `/organizations/${here}/client-grants/${machine.grantId}`;
    assert.deepEqual([(await call('DELETE', path)).status, (await call('DELETE', path)).status], [204, 204]);
    assert.equal((await tokenIn(machine, here)).status, 403);
    const kinds = (await server.logEvents())
      .filter(({ kind, details }) => kind.startsWith('organization_client_grant') && details.includes(here))
      .map(({ kind }) => kind);
    assert.deepEqual(kinds, ['organization_client_grant.added', 'organization_client_grant.removed']);
  });

  test('a grant that denies organizations, in words or by default, is refused', async () => {
    const id = await organization();
    for (const usage of ['deny', null]) {
      const machine = await grantOf(usage);
      await call.refused(
        { status: 400, message: /does not allow organizations.* on property grant_id$/, errorCode: 'invalid_body' },
        'POST',
        `/organizations/${id}/client-grants`,
        { grant_id: machine.grantId },
      );
    }
  });

  test('added twice: 409; what is not there: 404; a bad body: 400', async () => {
    const id = await organization();
    const { grantId } = await grantOf();
    const path = `/organizations/${id}/client-grants`;
    await call('POST', path, { grant_id: grantId });
    const twice = { status: 409, message: 'The client grant has already been added to this organization.' };
    await call.refused(twice, 'POST', path, { grant_id: grantId });
    for (const grant of ['cgr_0000000000000000', '__proto__'])
      await call.refused(noGrant, 'POST', path, { grant_id: grant });
    for (const organizationId of ['org_0000000000000000', '__proto__']) {
      const nowhere = `/organizations/${organizationId}/client-grants`;
      await call.refused(noOrganization, 'POST', nowhere, { grant_id: grantId });
      await call.refused(noOrganization, 'GET', nowhere);
      assert.equal((await call('DELETE', `${nowhere}/${grantId}`)).status, 204);
    }
    await call.refused(noGrant, 'GET', '/client-grants/cgr_0000000000000000/organizations');
    const invalid = (message: RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });
    await call.refused(invalid(/Missing required property: grant_id/), 'POST', path, {});
    await call.refused(invalid(/Additional properties not allowed: id/), 'POST', path, { grant_id: grantId, id: 'x' });
  });

  test('lists of an organization: pages, filters, and the organizations of a grant', async () => {
    const id = await organization();
    const machines = [await grantOf(), await grantOf('require'), await grantOf()];
    for (const { grantId } of machines) {
      await call('POST', `/organizations/${id}/client-grants`, { grant_id: grantId });
      clock.advance(1);
    }
    const ids = machines.map(({ grantId }) => grantId);
    const path = `/organizations/${id}/client-grants`;
    assert.deepEqual(await walks(call, path, 'client_grants', 'id', ['offset', 'totals']), [ids, ids]);
    const found = async (query: string) =>
      (await call('GET', `${path}?${query}`)).body.map((grant: { id: string }) => grant.id);
    assert.deepEqual(await found(`audience=${machines[1]?.audience}`), [ids[1]]);
    assert.deepEqual(await found(`client_id=${machines[2]?.clientId}`), [ids[2]]);
    assert.deepEqual(await found(`grant_ids=${ids[0]}&grant_ids=${ids[2]}&grant_ids=cgr_nothing`), [ids[0], ids[2]]);
    assert.deepEqual(await found('client_id=nobody'), []);

    const grant = machines[0]?.grantId;
    const organizations = [id];
    for (let index = 0; index < 8; index += 1) {
      const other = await organization();
      organizations.push(other);
      await call('POST', `/organizations/${other}/client-grants`, { grant_id: grant });
      clock.advance(1);
    }
    const shapes = ['offset', 'totals', 'checkpoint'] as const;
    for (const walked of await walks(call, `/client-grants/${grant}/organizations`, 'organizations', 'id', shapes)) {
      assert.deepEqual(walked, organizations);
    }
    const [first] = (await call('GET', `/client-grants/${grant}/organizations?take=1`)).body.organizations;
    assert.deepEqual(Object.keys(first).sort(), ['display_name', 'id', 'name']);
  });

  test('with the organization, or the grant, its listing goes', async () => {
    const [one, two] = [await organization(), await organization()];
    const machine = await grantOf();
    for (const id of [one, two])
      await call('POST', `/organizations/${id}/client-grants`, { grant_id: machine.grantId });
    await call('DELETE', `/organizations/${one}`);
    const left = (await call('GET', `/client-grants/${machine.grantId}/organizations`)).body;
    assert.deepEqual(
      left.map(({ id }: { id: string }) => id),
      [two],
    );
    await call('DELETE', `/client-grants/${machine.grantId}`);
    assert.deepEqual((await call('GET', `/organizations/${two}/client-grants`)).body, []);
  });

  test('a grant of management scopes reaches further only by who holds them', async () => {
    const id = await organization();
    const client = (await call('POST', '/clients', { name: 'Delegate', app_type: 'non_interactive' })).body;
    const grant = await call('POST', '/client-grants', {
      client_id: client.client_id,
      audience: server.nativeAudience,
      scope: ['update:organizations'],
      organization_usage: 'require',
    });
    assert.equal(grant.status, 201, grant.text);
    const { token } = await callerWith(server, [
      'create:organization_client_grants',
      'read:organization_client_grants',
    ]);
    const clerk = callsOf(server, () => token);
    const path = `/organizations/${id}/client-grants`;
    await clerk.refused(
      { status: 403, message: /scopes you do not hold: update:organizations/, errorCode: 'operation_not_supported' },
      'POST',
      path,
      { grant_id: grant.body.id },
    );
    const plain = await grantOf();
    assert.equal((await clerk('POST', path, { grant_id: plain.grantId })).status, 201);
    assert.equal((await call('POST', path, { grant_id: grant.body.id })).status, 201);
    // As in every list of grants, that of the native API is shown to who asks for it.
    const shown = async (query: string) =>
      (await call('GET', `${path}${query}`)).body.map((one: { id: string }) => one.id);
    assert.deepEqual(await shown(''), [plain.grantId]);
    assert.deepEqual(await shown(`?audience=${encodeURIComponent(server.nativeAudience)}`), [grant.body.id]);
    await clerk.refused(
      {
        status: 403,
        message: 'Insufficient scope, expected any of: delete:organization_client_grants',
        errorCode: 'insufficient_scope',
      },
      'DELETE',
      `${path}/${plain.grantId}`,
    );
  });
});
