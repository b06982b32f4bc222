import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { sendTo, startNodes } from '../token/nodes.ts';
import { AscendingClock } from './ascending-clock.ts';
import {
  type Call,
  callsWith,
  delegatedCaller,
  makeMembership,
  makeOrganization,
  makeOrganizationRole,
  makeUser,
  nativeToken,
  walk,
} from './delegated.ts';

const root = '/organization-invitations';
const verbs = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:organization_invitations`);

eachEngine('invitations', (engine) => {
  const clock = new AscendingClock();
  let server: TestServer;
  let call: Call;
  let organizationId: string;
  let roleIds: string[];
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    call = callsWith(server, await nativeToken(server));
    organizationId = await makeOrganization(server, 'Inviting');
    roleIds = [
      await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'editor' }),
      await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'auditor' }),
    ];
  });
  after(() => server.close());

  const inAnHour = () => clock.now() + 3_600_000;
  const body = (invitee: string, more: object = {}) => ({ invitee, organizationId, expiresAt: inAnHour(), ...more });
  const invite = async (invitee: string, more: object = {}, who: Call = call): Promise<Answer['body']> => {
    const answer = await who('POST', root, body(invitee, more));
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  };
  async function refused(asked: () => Promise<Answer>, status: number, code: string, path?: string): Promise<Answer> {
    const state = await server.stateHash();
    const answer = await asked();
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.code, code);
    if (path !== undefined) assert.equal(answer.body.data?.path, path);
    assert.equal(await server.stateHash(), state);
    return answer;
  }
  const membershipOf = async (userId: string, at = organizationId) => {
    const found = (await server.rows('memberships')).filter(
      ({ subject_id, organization_id }) => subject_id === userId && organization_id === at,
    );
    assert.ok(found.length <= 1);
    const roles = (await server.rows('membership_roles')).filter(({ membership_id }) => membership_id === found[0]?.id);
    return found[0] && roles.map(({ role_id }) => role_id).sort();
  };

  test('one is made; its ticket is told once and kept as a hash', async () => {
    const inviterId = await makeUser(server, { email: 'inviter@example.jp' });
    const created = await invite('Hanako@Example.JP', {
      organizationRoleIds: roleIds,
      inviterId,
      messagePayload: false,
    });
    const { ticket, ...invitation } = created;
    assert.match(ticket, /^[A-Za-z0-9_-]{43}$/);
    assert.match(invitation.id, /^inv_[0-9A-Za-z]{16}$/);
    assert.deepEqual(invitation, {
      tenantId: 'default',
      id: invitation.id,
      inviterId,
      invitee: 'hanako@example.jp',
      acceptedUserId: null,
      organizationId,
      status: 'Pending',
      createdAt: invitation.createdAt,
      updatedAt: invitation.createdAt,
      expiresAt: invitation.expiresAt,
      organizationRoles: [
        { id: roleIds[1], name: 'auditor' },
        { id: roleIds[0], name: 'editor' },
      ],
    });
    assert.deepEqual((await call('GET', `${root}/${invitation.id}`)).body, invitation);
    const row = (await server.rows('organization_invitations')).find(({ id }) => id === invitation.id);
    assert.equal(row.ticket_hash, createHash('sha256').update(ticket).digest('hex'));
    const written = JSON.stringify([await server.rows('organization_invitations'), await server.rows('log_events')]);
    assert.ok(!written.includes(ticket));
    const listed = await call('GET', `${root}?organizationId=${organizationId}`);
    assert.ok(!listed.text.includes(ticket) && !('ticket' in listed.body[0]));
  });

  test('a replay of the same POST shows no ticket, and makes no second one', async () => {
    const headers = { 'idempotency-key': 'invite-once' };
    const [token, json] = [await nativeToken(server), body('replayed@example.jp')];
    const post = () => server.request('POST', `/api${root}`, { token, json, headers });
    const [first, again] = [await post(), await post()];
    assert.deepEqual([first.status, again.status], [201, 201]);
    assert.deepEqual(again.body, { ...first.body, ticket: null });
    const dry = await call('POST', `${root}?dry_run=true`, body('dry@example.jp'));
    assert.deepEqual([dry.status, dry.body.ticket], [201, null]);
    assert.equal((await call('GET', `${root}?invitee=dry@example.jp`)).body.length, 0);
  });

  test('bad ones are refused with the field', async () => {
    const bad: [object, number, string, string][] = [
      [body('a@example.jp', { expiresAt: clock.now() - 1 }), 400, 'request.invalid_input', 'expiresAt'],
      [body('a@example.jp', { expiresAt: '2030-01-01' }), 400, 'guard.invalid_input', 'expiresAt'],
      [body('a@example.jp', { expiresAt: 1e300 }), 400, 'guard.invalid_input', 'expiresAt'],
      [body('nobody'), 400, 'guard.invalid_input', 'invitee'],
      [body('a@b@example.jp'), 400, 'guard.invalid_input', 'invitee'],
      [body(''), 400, 'guard.invalid_input', 'invitee'],
      [
        body('a@example.jp', { organizationId: 'org_nobody' }),
        422,
        'entity.relation_foreign_key_not_found',
        'organizationId',
      ],
      [
        body('a@example.jp', { organizationId: '__proto__' }),
        422,
        'entity.relation_foreign_key_not_found',
        'organizationId',
      ],
      [body('a@example.jp', { inviterId: 'nobody' }), 422, 'entity.relation_foreign_key_not_found', 'inviterId'],
      [
        body('a@example.jp', { organizationRoleIds: ['rol_x'] }),
        422,
        'entity.relation_foreign_key_not_found',
        'organizationRoleIds',
      ],
      [
        body('a@example.jp', { organizationRoleIds: Array(10_000).fill('rol_x') }),
        400,
        'guard.invalid_input',
        'organizationRoleIds',
      ],
      [body('a@example.jp', { messagePayload: { code: '1' } }), 422, 'connector.not_found', 'messagePayload'],
      [body('a@example.jp', { messagePayload: true }), 400, 'guard.invalid_input', 'messagePayload'],
    ];
    for (const [json, status, code, path] of bad) await refused(() => call('POST', root, json), status, code, path);
    const machineRole = await makeOrganizationRole(server, { scopes: [], kind: 'client' });
    await refused(
      () => call('POST', root, body('a@example.jp', { organizationRoleIds: [machineRole] })),
      422,
      'entity.db_constraint_violated',
    );
  });

  test('what the server decides is not taken from the body', async () => {
    const evil = {
      id: 'inv_A',
      status: 'Accepted',
      acceptedUserId: 'x',
      ticket: 'known',
      ticketHash: 'x',
      createdAt: 1,
    };
    const made = await invite('evil@example.jp', evil);
    assert.notEqual(made.id, evil.id);
    assert.deepEqual([made.status, made.acceptedUserId], ['Pending', null]);
    assert.notEqual(made.ticket, evil.ticket);
    assert.ok(made.createdAt > 1);
  });

  test('one pending for an address in any spelling; none for a member', async () => {
    const { id } = await invite('Once@Example.jp');
    for (const spelling of ['once@example.jp', 'ONCE@EXAMPLE.JP', ' once@ｅxample.jp ']) {
      await refused(() => call('POST', root, body(spelling)), 422, 'entity.unique_integrity_violation', 'invitee');
    }
    const both = await Promise.all([1, 2].map(() => call('POST', root, body('twice@example.jp'))));
    assert.deepEqual(both.map(({ status }) => status).sort(), [201, 422]);
    assert.equal((await call('DELETE', `${root}/${id}`)).status, 204);
    await invite('once@example.jp');
    const subjectId = await makeUser(server, { email: 'member@example.jp' });
    await makeMembership(server, { organizationId, subjectId, kind: 'user' });
    await refused(() => call('POST', root, body('Member@example.jp')), 422, 'request.invalid_input', 'invitee');
    // A member above is none here.
    const child = await makeOrganization(server, 'Child', organizationId);
    await invite('member@example.jp', { organizationId: child });
  });

  test('accepted by its id for the user with the address: a member with the roles, once', async () => {
    const { id } = await invite('accepting@example.jp', { organizationRoleIds: roleIds });
    const userId = await makeUser(server, { email: 'Accepting@Example.jp' });
    const stranger = await makeUser(server, { email: 'stranger@example.jp' });
    const put = (json: object) => call('PUT', `${root}/${id}/status`, json);
    await refused(() => put({ status: 'Accepted' }), 400, 'guard.invalid_input', 'acceptedUserId');
    await refused(
      () => put({ status: 'Accepted', acceptedUserId: null }),
      400,
      'guard.invalid_input',
      'acceptedUserId',
    );
    await refused(
      () => put({ status: 'Accepted', acceptedUserId: stranger }),
      422,
      'request.invalid_input',
      'acceptedUserId',
    );
    await refused(
      () => put({ status: 'Accepted', acceptedUserId: 'nobody' }),
      422,
      'entity.relation_foreign_key_not_found',
      'acceptedUserId',
    );
    for (const status of ['Pending', 'Expired', 'accepted', 7]) {
      await refused(() => put({ status, acceptedUserId: userId }), 400, 'guard.invalid_input', 'status');
    }
    const { status, body: accepted } = await put({ status: 'Accepted', acceptedUserId: userId });
    assert.equal(status, 200);
    assert.deepEqual(
      [accepted.status, accepted.acceptedUserId, accepted.organizationRoles.length],
      ['Accepted', userId, 2],
    );
    assert.deepEqual((await call('GET', `${root}/${id}`)).body, accepted);
    assert.deepEqual(await membershipOf(userId), [...roleIds].sort());
    await refused(() => put({ status: 'Accepted', acceptedUserId: userId }), 422, 'request.invalid_input');
    await refused(() => put({ status: 'Revoked' }), 422, 'request.invalid_input');
    const kinds = (await server.logEvents()).slice(-4).map(({ kind }) => kind);
    assert.ok(
      kinds.includes('organization_invitation.accepted') && kinds.includes('organization_member.added'),
      String(kinds),
    );
    // Deleting the invitation leaves the member.
    assert.equal((await call('DELETE', `${root}/${id}`)).status, 204);
    assert.deepEqual(await membershipOf(userId), [...roleIds].sort());
  });

  test('who became a member meanwhile gets the roles invited', async () => {
    const { ticket } = await invite('meanwhile@example.jp', { organizationRoleIds: roleIds });
    const userId = await makeUser(server, { email: 'meanwhile@example.jp' });
    await makeMembership(server, { organizationId, subjectId: userId, kind: 'user', roleIds: roleIds.slice(0, 1) });
    assert.equal((await call('POST', `${root}/redeem`, { ticket, userId })).status, 200);
    assert.deepEqual(await membershipOf(userId), [...roleIds].sort());
  });

  test('a ticket is redeemed once: of twenty at once one succeeds', async () => {
    const { ticket, id } = await invite('parallel@example.jp', { organizationRoleIds: roleIds });
    const userId = await makeUser(server, { email: 'parallel@example.jp' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call('POST', `${root}/redeem`, { ticket, userId })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(422)]);
    assert.deepEqual(await membershipOf(userId), [...roleIds].sort());
    const accepted = (await server.logEvents()).filter(
      (event) => event.kind === 'organization_invitation.accepted' && event.details.includes(id),
    );
    assert.equal(accepted.length, 1);
    await refused(() => call('POST', `${root}/redeem`, { ticket, userId }), 422, 'request.invalid_input');
    for (const wrong of ['x', `${ticket}x`, ticket.slice(1), createHash('sha256').update(ticket).digest('hex')]) {
      await refused(() => call('POST', `${root}/redeem`, { ticket: wrong, userId }), 404, 'entity.not_exists');
    }
  });

  test('a ticket is for the address invited, not for whoever holds it', async () => {
    const { ticket } = await invite('bound@example.jp');
    const thief = await makeUser(server, { email: 'thief@example.jp' });
    await refused(
      () => call('POST', `${root}/redeem`, { ticket, userId: thief }),
      422,
      'request.invalid_input',
      'userId',
    );
    const userId = await makeUser(server, { email: 'bound@example.jp' });
    assert.equal((await call('POST', `${root}/redeem`, { ticket, userId })).status, 200);
  });

  test('expired: shown as such, neither accepted nor revoked, and room for a new one', async () => {
    const { id, ticket } = await invite('late@example.jp', { expiresAt: clock.now() + 60_000 });
    const userId = await makeUser(server, { email: 'late@example.jp' });
    clock.advance(61_000);
    assert.equal((await call('GET', `${root}/${id}`)).body.status, 'Expired');
    assert.equal((await call('GET', `${root}?invitee=LATE@example.jp`)).body[0].status, 'Expired');
    await refused(() => call('POST', `${root}/redeem`, { ticket, userId }), 422, 'request.invalid_input');
    await refused(
      () => call('PUT', `${root}/${id}/status`, { status: 'Accepted', acceptedUserId: userId }),
      422,
      'request.invalid_input',
    );
    await refused(() => call('PUT', `${root}/${id}/status`, { status: 'Revoked' }), 422, 'request.invalid_input');
    const next = await invite('late@example.jp');
    assert.equal((await call('GET', `${root}/${id}`)).body.status, 'Expired');
    assert.equal((await call('POST', `${root}/redeem`, { ticket: next.ticket, userId })).status, 200);
  });

  test('revoked: its ticket is good for nothing', async () => {
    const { id, ticket } = await invite('revoked@example.jp');
    const userId = await makeUser(server, { email: 'revoked@example.jp' });
    const { body: revoked } = await call('PUT', `${root}/${id}/status`, { status: 'Revoked' });
    assert.equal(revoked.status, 'Revoked');
    await refused(() => call('POST', `${root}/redeem`, { ticket, userId }), 422, 'request.invalid_input');
    assert.equal(await membershipOf(userId), undefined);
  });

  test('an invitation whose role or organization is gone gives nothing', async () => {
    const gone = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    const userId = await makeUser(server, { email: 'gone@example.jp' });
    const { id, ticket } = await invite('gone@example.jp', { organizationRoleIds: [gone, ...roleIds] });
    const { db } = server.composed.services;
    await db.transact((trx) =>
      trx.deleteFrom('roles').where('tenant_id', '=', 'default').where('id', '=', gone).execute(),
    );
    await refused(() => call('POST', `${root}/redeem`, { ticket, userId }), 422, 'request.invalid_input');
    assert.equal((await call('DELETE', `${root}/${id}`)).status, 204);
    const child = await makeOrganization(server, 'Going', organizationId);
    const other = await invite('gone@example.jp', { organizationId: child });
    assert.equal((await call('DELETE', `/organizations/${child}`)).status, 204);
    await refused(() => call('POST', `${root}/redeem`, { ticket: other.ticket, userId }), 404, 'entity.not_exists');
    await refused(() => call('GET', `${root}/${other.id}`), 404, 'entity.not_exists_with_id');
  });

  test('no e-mail is sent, and the answer says so', async () => {
    const { id } = await invite('mail@example.jp');
    await refused(
      () => call('POST', `${root}/${id}/message`, { link: 'https://app.example' }),
      422,
      'connector.not_found',
    );
    await refused(() => call('POST', `${root}/inv_nobody/message`, {}), 404, 'entity.not_exists');
  });

  test('lists: filters, all at once, pages, cursors of their own', async () => {
    const at = await makeOrganization(server, 'Listed');
    const inviterId = await makeUser(server, { email: 'lister@example.jp' });
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      ids.push(
        (await invite(`listed${index}@example.jp`, { organizationId: at, ...(index === 3 ? { inviterId } : {}) })).id,
      );
    }
    const of = async (query: string) =>
      (await call('GET', `${root}?${query}`)).body.map(({ id }: { id: string }) => id);
    assert.deepEqual(await of(`organizationId=${at}`), ids);
    assert.deepEqual(await of(`organizationId=${at}&page=2&page_size=2`), ids.slice(2, 4));
    assert.deepEqual(await of(`inviterId=${inviterId}`), [ids[3]]);
    assert.deepEqual(await of('invitee=LISTED1@Example.jp'), [ids[1]]);
    assert.deepEqual(await of('organizationId=org_nobody'), []);
    assert.deepEqual(await walk(call, `${root}?organizationId=${at}&page_size=2&cursor=`), ids);
    const everything = await walk(call, `${root}?page_size=3&cursor=`);
    assert.deepEqual([...everything].sort(), (await of('')).sort());
    const next = (await call('GET', `${root}?organizationId=${at}&page_size=2&cursor=`)).headers.get('link') ?? '';
    const cursor = /cursor=([^&>]+)/.exec(next)?.[1];
    for (const query of ['', `organizationId=${organizationId}&`, `inviterId=${inviterId}&`]) {
      await refused(() => call('GET', `${root}?${query}cursor=${cursor}`), 400, 'input.cursor_invalid');
    }
  });

  test('each action needs its own scope', async () => {
    const { id } = await invite('scoped@example.jp');
    const actions: [string, string, string, object?][] = [
      ['read', 'GET', root],
      ['read', 'GET', `${root}/${id}`],
      ['create', 'POST', root, body('new@example.jp')],
      ['update', 'PUT', `${root}/${id}/status`, { status: 'Revoked' }],
      ['update', 'POST', `${root}/redeem`, { ticket: 'x', userId: 'x' }],
      ['update', 'POST', `${root}/${id}/message`, {}],
      ['delete', 'DELETE', `${root}/${id}`],
    ];
    for (const scope of verbs) {
      const caller = callsWith(server, (await callerWith(server, [scope], server.nativeAudience)).token);
      for (const [verb, method, path, json] of actions) {
        if (!scope.startsWith(verb)) await refused(() => caller(method, path, json), 403, 'auth.forbidden');
      }
    }
  });

  describe('who invites gives no more than it holds', () => {
    test('a caller of the whole tenant: management scopes', async () => {
      const strong = await makeOrganizationRole(server, { scopes: ['delete:users'], kind: 'user' });
      const caller = callsWith(server, (await callerWith(server, verbs, server.nativeAudience)).token);
      const json = body('strong@example.jp', { organizationRoleIds: [strong] });
      await refused(() => caller('POST', root, json), 403, 'auth.exceeds_own');
      const { id, ticket } = await invite('strong@example.jp', { organizationRoleIds: [strong] });
      const userId = await makeUser(server, { email: 'strong@example.jp' });
      // By the id nothing proves that the mailbox is the user's: a password known to the caller would be enough.
      const accept = { status: 'Accepted', acceptedUserId: userId };
      await refused(() => caller('PUT', `${root}/${id}/status`, accept), 403, 'auth.exceeds_own');
      // With the ticket, acceptance gives what was invited.
      assert.equal((await caller('POST', `${root}/redeem`, { ticket, userId })).status, 200);
      assert.deepEqual(await membershipOf(userId), [strong]);
    });

    test('a customer’s own backend: what it holds there, and owners by owners only', async () => {
      const own = await makeOrganization(server, 'Own');
      const [held, more, owner] = [
        await makeOrganizationRole(server, { scopes: ['read:organization_invitations'], kind: 'user' }),
        await makeOrganizationRole(server, { scopes: ['read:organization_members'], kind: 'user' }),
        await makeOrganizationRole(server, { scopes: [], kind: 'user', isOwner: true }),
      ];
      const theirs = callsWith(server, (await delegatedCaller(server, { organizationId: own, scopes: verbs })).token);
      const json = (role: string) => body('given@example.jp', { organizationId: own, organizationRoleIds: [role] });
      await refused(() => theirs('POST', root, json(more)), 403, 'auth.exceeds_own');
      await refused(() => theirs('POST', root, json(owner)), 403, 'auth.exceeds_own');
      assert.equal((await theirs('POST', root, json(held))).status, 201);
      const owners = await delegatedCaller(server, { organizationId: own, scopes: verbs, isOwner: true });
      const answer = await callsWith(server, owners.token)('POST', root, {
        ...json(owner),
        invitee: 'owner@example.jp',
      });
      assert.equal(answer.status, 201, answer.text);
    });
  });

  describe('a customer’s own backend', () => {
    let own: string;
    let foreign: string;
    let theirs: Call;
    let others: Answer['body'];
    before(async () => {
      const above = await makeOrganization(server, 'Above');
      own = await makeOrganization(server, 'Own', above);
      foreign = await makeOrganization(server, 'Foreign', above);
      others = await invite('others@example.jp', { organizationId: foreign });
      theirs = callsWith(server, (await delegatedCaller(server, { organizationId: own, scopes: verbs })).token);
    });

    test('invites into its subtree, lists and revokes its own', async () => {
      const child = await makeOrganization(server, 'Own child', own);
      const made = await invite('theirs@example.jp', { organizationId: child }, theirs);
      assert.deepEqual(
        (await theirs('GET', root)).body.map(({ id }: { id: string }) => id),
        [made.id],
      );
      assert.deepEqual(await walk(theirs, `${root}?cursor=`), [made.id]);
      assert.deepEqual((await theirs('GET', `${root}?organizationId=${foreign}`)).body, []);
      assert.deepEqual((await theirs('GET', `${root}?invitee=others@example.jp`)).body, []);
      assert.equal((await theirs('PUT', `${root}/${made.id}/status`, { status: 'Revoked' })).body.status, 'Revoked');
      assert.equal((await theirs('DELETE', `${root}/${made.id}`)).status, 204);
    });

    test('gets one answer whether or not there is such a user', async () => {
      await makeUser(server, { email: 'known@example.jp' });
      const [known, unknown] = [
        await invite('known@example.jp', { organizationId: own }, theirs),
        await invite('unknown@example.jp', { organizationId: own }, theirs),
      ];
      const shape = ({ id, ticket, invitee, createdAt, updatedAt, expiresAt, ...rest }: Answer['body']) => rest;
      assert.deepEqual(shape(known), shape(unknown));
      const inviterId = await makeUser(server, { email: 'unrelated@example.jp' });
      const asked = (id: string) => theirs('POST', root, body('x@example.jp', { organizationId: own, inviterId: id }));
      const texts = [(await asked(inviterId)).text, (await asked('000000000000000000000000')).text];
      assert.equal(texts[0], texts[1]);
    });

    test('does not accept: that is for the person', async () => {
      const { id, ticket } = await invite('person@example.jp', { organizationId: own }, theirs);
      const userId = await makeUser(server, { email: 'person@example.jp' });
      const accept = { status: 'Accepted', acceptedUserId: userId };
      await refused(() => theirs('PUT', `${root}/${id}/status`, accept), 403, 'auth.organization_token');
      await refused(() => theirs('PUT', `${root}/${others.id}/status`, accept), 403, 'auth.organization_token');
      await refused(() => theirs('POST', `${root}/redeem`, { ticket, userId }), 403, 'auth.organization_token');
      assert.equal((await call('POST', `${root}/redeem`, { ticket, userId })).status, 200);
    });

    test('what is another’s answers exactly as what is nobody’s, and stays as it is', async () => {
      const routes: [string, string, object?][] = [
        ['GET', `${root}/:id`],
        ['DELETE', `${root}/:id`],
        ['PUT', `${root}/:id/status`, { status: 'Revoked' }],
        ['POST', `${root}/:id/message`, {}],
      ];
      for (const [method, path, json] of routes) {
        const answers = [];
        for (const id of [others.id, 'inv_0000000000000000']) {
          answers.push(
            await refused(
              () => theirs(method, path.replace(':id', id), json),
              404,
              method === 'GET'
                ? 'entity.not_exists_with_id'
                : method === 'DELETE'
                  ? 'entity.not_found'
                  : 'entity.not_exists',
            ),
          );
        }
        assert.equal(answers[0]?.text, answers[1]?.text);
      }
      const posts = [];
      for (const id of [foreign, 'org_0000000000000000']) {
        const json = body('others@example.jp', { organizationId: id });
        posts.push(
          await refused(
            () => theirs('POST', root, json),
            422,
            'entity.relation_foreign_key_not_found',
            'organizationId',
          ),
        );
      }
      assert.equal(posts[0]?.text, posts[1]?.text);
    });
  });
});

test('a ticket redeemed at two nodes at once is redeemed once', async () => {
  const nodes = await startNodes();
  try {
    const [server] = nodes;
    const token = await nativeToken(server);
    const organizationId = await makeOrganization(server, 'Nodes');
    const userId = await makeUser(server, { email: 'nodes@example.jp' });
    const json = { invitee: 'nodes@example.jp', organizationId, expiresAt: Date.now() + 60_000 };
    const made = await sendTo(server, 'POST', `/api${root}`, { token, json });
    const redeem = { token, json: { ticket: made.body.ticket, userId } };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        sendTo(nodes[index % 2] as TestServer, 'POST', `/api${root}/redeem`, redeem),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(422)]);
    assert.equal((await server.rows('memberships')).length, 1);
  } finally {
    for (const node of nodes) await node.close();
  }
});
