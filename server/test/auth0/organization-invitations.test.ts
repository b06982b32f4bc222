import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { type Calls, callsOf } from './support.ts';

const noOrganization = { status: 404, message: 'No organization found by that id or name' };
const noInvitation = { status: 404, message: 'The invitation does not exist.', errorCode: 'inexistent_invitation' };
const day = 86_400_000;

eachEngine('/api/v2/organizations/{id}/invitations', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let call: Calls;
  let client_id: string;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    let token = await server.managementToken();
    call = callsOf(server, () => token);
    client_id = (await call('POST', '/clients', { name: 'Portal', app_type: 'regular_web' })).body.client_id;
    renew = async () => {
      token = await server.managementToken();
    };
  });
  after(() => server.close());
  /** After the clock moved. */
  let renew: () => Promise<void>;

  let made = 0;
  async function organization(): Promise<string> {
    made += 1;
    return (await call('POST', '/organizations', { name: `org-${made}` })).body.id;
  }
  /** One moment for all that is noted of a call. */
  async function standingStill<T>(work: () => Promise<T>): Promise<T> {
    let answer: T | undefined;
    await clock.standingStill(async () => {
      answer = await work();
    });
    return answer as T;
  }
  const invitation = (more: object = {}) => {
    made += 1;
    return { inviter: { name: 'Ann' }, invitee: { email: `invited-${made}@example.com` }, client_id, ...more };
  };

  test('an invitation as on the wire; its ticket is shown once and kept as a hash only', async () => {
    const id = await organization();
    const role = (await call('POST', '/roles', { name: 'Editor' })).body.id;
    const more = { roles: [role], user_metadata: { team: 'a' }, app_metadata: { plan: 'b' }, ttl_sec: 3600 };
    const given = invitation({ ...more, send_invitation_email: false });
    const { status, body } = await standingStill(() => call('POST', `/organizations/${id}/invitations`, given));
    assert.equal(status, 200);
    const { id: invitationId, created_at, expires_at, ticket_id, invitation_url, ...rest } = body;
    assert.match(invitationId, /^inv_[0-9A-Za-z]{16}$/);
    assert.match(ticket_id, /^[0-9A-Za-z_-]{43}$/);
    assert.equal(invitation_url, `${server.issuer}invitation?ticket=${ticket_id}`);
    assert.equal(Date.parse(expires_at) - Date.parse(created_at), 3_600_000);
    const { ttl_sec: _, ...shown } = more;
    assert.deepEqual(rest, {
      organization_id: id,
      inviter: { name: 'Ann' },
      invitee: given.invitee,
      client_id,
      ...shown,
    });
    const read = await call('GET', `/organizations/${id}/invitations/${invitationId}`);
    assert.deepEqual(read.body, { id: invitationId, created_at, expires_at, ...rest });
    const listed = await call('GET', `/organizations/${id}/invitations?include_totals=true`);
    assert.deepEqual(listed.body, { start: 0, limit: 50, invitations: [read.body] });
    const kept = JSON.stringify([await server.rows('organization_invitations'), await server.logEvents()]);
    assert.ok(!kept.includes(ticket_id));
  });

  test('it lasts a week unless told; then it is not there any more', async () => {
    const id = await organization();
    const path = `/organizations/${id}/invitations`;
    const unset = (await standingStill(() => call('POST', path, invitation()))).body;
    const zero = (await standingStill(() => call('POST', path, invitation({ ttl_sec: 0 })))).body;
    for (const { created_at, expires_at } of [unset, zero]) {
      assert.equal(Date.parse(expires_at) - Date.parse(created_at), 7 * day);
    }
    assert.equal((await call('GET', path)).body.length, 2);
    clock.advance(7 * day + 1000);
    await renew();
    assert.deepEqual((await call('GET', path)).body, []);
    await call.refused(noInvitation, 'GET', `${path}/${unset.id}`);
  });

  test('lists: the newest first unless asked otherwise, pages, fields', async () => {
    const id = await organization();
    const path = `/organizations/${id}/invitations`;
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      ids.push((await call('POST', path, invitation())).body.id);
      clock.advance(1000);
    }
    const listed = async (query: string) => (await call('GET', `${path}?${query}`)).body;
    assert.deepEqual(
      (await listed('')).map((one: { id: string }) => one.id),
      [...ids].reverse(),
    );
    assert.deepEqual(await listed('sort=created_at:1&fields=id&per_page=2&page=1'), [{ id: ids[2] }]);
    const badQuery = { status: 400, message: /on property sort|^Query/, errorCode: 'invalid_query_string' };
    await call.refused(badQuery, 'GET', `${path}?sort=email:1`);
    await call.refused(badQuery, 'GET', `${path}?take=1`);
  });

  test('deleted with 204, again too; not through another organization', async () => {
    const [id, other] = [await organization(), await organization()];
    const { body } = await call('POST', `/organizations/${id}/invitations`, invitation());
    await call.refused(noInvitation, 'GET', `/organizations/${other}/invitations/${body.id}`);
    const before = await server.stateHash();
    for (const path of [
      `/organizations/${other}/invitations/${body.id}`,
      `/organizations/${id}/invitations/__proto__`,
    ]) {
      assert.equal((await call('DELETE', path)).status, 204);
    }
    assert.equal(await server.stateHash(), before);
    for (let time = 0; time < 2; time += 1) {
      assert.equal((await call('DELETE', `/organizations/${id}/invitations/${body.id}`)).status, 204);
    }
    await call.refused(noInvitation, 'GET', `/organizations/${id}/invitations/${body.id}`);
  });

  test('a person is invited once, and not when a member already: 409', async () => {
    const id = await organization();
    const path = `/organizations/${id}/invitations`;
    const given = invitation();
    await call('POST', path, given);
    await call.refused({ status: 409, message: /pending already/ }, 'POST', path, {
      ...given,
      invitee: { email: given.invitee.email.toUpperCase() },
    });
    const email = 'member@example.com';
    const { body } = await call('POST', '/users', { email, connection: 'Username-Password-Authentication' });
    await call('POST', `/organizations/${id}/members`, { members: [body.user_id] });
    await call.refused({ status: 409, message: /member of the organization already/ }, 'POST', path, {
      ...given,
      invitee: { email },
    });
  });

  test('what is refused, naming the field', async () => {
    const id = await organization();
    const path = `/organizations/${id}/invitations`;
    const invalid = (message: RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });
    const refusals: [object, RegExp][] = [
      [{ inviter: undefined }, /Missing required property: inviter/],
      [{ invitee: { email: 'nobody' } }, /not an e-mail address\.' on property invitee\.email$/],
      [{ invitee: { email: 'a@example.com', name: 'x' } }, /Additional properties not allowed: name/],
      [{ client_id: undefined }, /Missing required property: client_id/],
      [{ ttl_sec: 2_592_001 }, /on property ttl_sec/],
      [{ ttl_sec: -1 }, /on property ttl_sec/],
      [{ connection_id: 'con_x' }, /connection does not exist' on property connection_id$/],
      [{ send_invitation_email: true }, /on property send_invitation_email/],
      [{ ticket_id: 'mine' }, /Additional properties not allowed: ticket_id/],
      [{ roles: 'rol_x' }, /on property roles/],
    ];
    for (const [more, message] of refusals) await call.refused(invalid(message), 'POST', path, invitation(more));
    await call.refused(
      { status: 404, message: 'The client does not exist', errorCode: 'inexistent_client' },
      'POST',
      path,
      invitation({ client_id: 'nobody' }),
    );
    await call.refused(
      { status: 404, message: 'The role does not exist.', errorCode: 'inexistent_role' },
      'POST',
      path,
      invitation({ roles: ['rol_nothing'] }),
    );
    for (const nowhere of ['org_0000000000000000', '__proto__']) {
      await call.refused(noOrganization, 'POST', `/organizations/${nowhere}/invitations`, invitation());
    }
  });
});
