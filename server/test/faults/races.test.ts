/** Requests at the same moment: the outcome is one that some order of them would have given. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { dropDatabase } from '../../../scripts/postgres.ts';
import { type Answer, eachEngine, newPostgresDatabase, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { sendTo, startNodes } from '../token/nodes.ts';

const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status).sort();
const times = <T>(count: number, work: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => work(i));
const oneOf = (count: number, first: number, others: number): number[] => [first, ...Array(count - 1).fill(others)];

eachEngine('at the same moment', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    token = await server.managementToken();
  });
  after(() => server.close());

  const ask = (method: string, path: string, json?: unknown, as = token) =>
    server.request(method, `/api/v2${path}`, json === undefined ? { token: as } : { token: as, json });
  const count = async (table: string, matches: (row: Record<string, unknown>) => boolean) =>
    (await server.rows(table)).filter(matches).length;

  test('many APIs of one identifier: one is made, the others are told that it exists', async () => {
    const identifier = 'https://raced.example';
    const answers = await Promise.all(
      times(6, (index) => ask('POST', '/resource-servers', { identifier, name: `${index}` })),
    );
    assert.deepEqual(statuses(answers), oneOf(6, 201, 409));
    const refused = answers.find(({ status }) => status === 409);
    assert.equal(refused?.body.message, 'A resource server with the same identifier already exists.');
    assert.equal(await count('resource_servers', (row) => row.identifier === identifier), 1);
    const stored = (await server.logEvents()).filter(
      (event) => event.kind === 'resource_server.created' && event.audience === identifier,
    );
    assert.equal(stored.length, 1);
  });

  test('many users of one e-mail address: one is made, the others are told that it exists', async () => {
    const email = 'raced@example.com';
    const answers = await Promise.all(
      times(4, () =>
        ask('POST', '/users', { email, connection: 'Username-Password-Authentication', password: 'Tr1cky-Passw0rd!' }),
      ),
    );
    assert.deepEqual(statuses(answers), oneOf(4, 201, 409), answers.map(({ text }) => text).join());
    assert.equal(await count('users', (row) => row.email === email), 1);
  });

  test('many grants of one client for one API: one is made, the others are told that it exists', async () => {
    const { clientId } = await server.machine();
    const { identifier } = await server.manage('POST', '/resource-servers', { identifier: 'https://twin.example' });
    const answers = await Promise.all(
      times(5, () => ask('POST', '/client-grants', { client_id: clientId, audience: identifier, scope: [] })),
    );
    assert.deepEqual(statuses(answers), oneOf(5, 201, 409));
  });

  test('changes of a grant and its deletion: the deletion stands, and nothing of the grant is left', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { grantId } = await server.machine();
      const path = `/client-grants/${grantId}`;
      const [first, second, removed, again] = await Promise.all([
        ask('PATCH', path, { scope: ['read:orders'] }),
        ask('PATCH', path, { scope: ['write:orders'] }),
        ask('DELETE', path),
        ask('DELETE', path),
      ]);
      for (const change of [first, second]) {
        assert.ok(change.status === 200 || change.status === 404, `${change.status} ${change.text}`);
      }
      assert.deepEqual(statuses([removed, again]), [204, 204]);
      assert.equal((await ask('GET', path)).status, 404);
      assert.equal(await count('client_grant_scopes', (row) => row.client_grant_id === grantId), 0);
    }
  });

  test('changes of one grant: one of them stands as a whole', async () => {
    const { grantId } = await server.machine({ scopes: ['a', 'b', 'c', 'd'] });
    const wanted = [['a', 'b'], ['c'], ['d', 'a', 'c'], ['b', 'd']];
    const answers = await Promise.all(wanted.map((scope) => ask('PATCH', `/client-grants/${grantId}`, { scope })));
    assert.deepEqual(statuses(answers), [200, 200, 200, 200]);
    assert.deepEqual(
      answers.map(({ body }) => body.scope),
      wanted,
    );
    const stands = (await ask('GET', `/client-grants/${grantId}`)).body.scope;
    assert.ok(wanted.some((scope) => scope.join() === stands.join()));
  });

  test('rotations of a secret: each is shown, one lives', async () => {
    const { clientId, clientSecret, audience } = await server.machine();
    const answers = await Promise.all(times(4, () => ask('POST', `/clients/${clientId}/rotate-secret`)));
    assert.deepEqual(statuses(answers), [200, 200, 200, 200]);
    const secrets = answers.map(({ body }) => body.client_secret as string);
    assert.equal(new Set(secrets).size, 4);
    assert.equal(await count('credentials', (row) => row.client_id === clientId), 1);
    const tokens = await Promise.all(
      [...secrets, clientSecret].map((secret) =>
        server.token({ client_id: clientId, client_secret: secret, audience }),
      ),
    );
    assert.deepEqual(statuses(tokens), [200, 401, 401, 401, 401]);
  });

  test('a client is deleted while it is given grants: none outlives it', async () => {
    const { audience } = await server.machine();
    for (let round = 0; round < 5; round += 1) {
      const client = await server.manage('POST', '/clients', { name: 'Short-lived' });
      const grant = { client_id: client.client_id, audience, scope: ['read:orders'] };
      const [removed, granted] = await Promise.all([
        ask('DELETE', `/clients/${client.client_id}`),
        ask('POST', '/client-grants', grant),
      ]);
      assert.equal(removed.status, 204);
      assert.ok([201, 404].includes(granted.status), `${granted.status} ${granted.text}`);
      assert.equal(await count('client_grants', (row) => row.client_id === client.client_id), 0);
    }
  });

  test('an API loses a scope while it is granted: no grant has it after', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { audience, apiId, clientId, grantId } = await server.machine();
      await server.manage('DELETE', `/client-grants/${grantId}`);
      const [changed, granted] = await Promise.all([
        ask('PATCH', `/resource-servers/${apiId}`, { scopes: [{ value: 'read:orders' }] }),
        ask('POST', '/client-grants', { client_id: clientId, audience, scope: ['read:orders', 'write:orders'] }),
      ]);
      assert.equal(changed.status, 200);
      assert.ok([201, 400].includes(granted.status), `${granted.status} ${granted.text}`);
      const [stored] = await server.manage('GET', `/client-grants?client_id=${clientId}`);
      assert.deepEqual(stored?.scope ?? [], granted.status === 201 ? ['read:orders'] : []);
    }
  });
});

eachEngine('the two last administrators delete each other', (engine) => {
  test('one remains, and can still manage', async () => {
    const server = await startServer({ engine, env: withoutLimits });
    try {
      const scopes = ['read:clients', 'update:clients', 'delete:clients', 'create:clients'];
      const callers = [await callerWith(server, scopes), await callerWith(server, scopes)] as const;
      const remove = (by: { token: string }, clientId: string) =>
        server.request('DELETE', `/api/v2/clients/${clientId}`, { token: by.token });
      await server.manage('DELETE', '/clients/admin');

      const [first, second] = callers;
      const answers = await Promise.all([remove(first, second.clientId), remove(second, first.clientId)]);
      assert.equal(answers.filter(({ status }) => status === 204).length, 1, answers.map(({ text }) => text).join());
      // Who lost was told that it would be the last, or was no longer known when it asked.
      const lost = answers.find(({ status }) => status !== 204);
      assert.ok([401, 403, 409].includes(lost?.status ?? 0), lost?.text);
      const left = (await server.rows('clients')).map(({ id }) => id);
      const remaining = callers.filter(({ clientId }) => left.includes(clientId));
      assert.equal(remaining.length, 1);
      const { token } = remaining[0] as (typeof callers)[0];
      assert.equal((await server.request('GET', '/api/v2/clients', { token })).status, 200);
    } finally {
      await server.close();
    }
  });
});

describe('at the same moment on two nodes over one PostgreSQL', () => {
  let databaseUrl: string;
  let nodes: [TestServer, TestServer];
  let token: string;
  before(async () => {
    databaseUrl = await newPostgresDatabase();
    nodes = await startNodes({ databaseUrl });
    token = await nodes[0].managementToken();
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await dropDatabase(databaseUrl);
  });

  /** The same request, in turn on the one node and the other. */
  const spread = (requests: number, ask: (node: TestServer, index: number) => Promise<Answer>) =>
    Promise.all(times(requests, (index) => ask(nodes[index % 2] as TestServer, index)));

  test('many APIs of one identifier: one is made, the others are told that it exists', async () => {
    for (let round = 0; round < 3; round += 1) {
      const json = { identifier: `https://raced-${round}.example`, name: 'Raced' };
      const answers = await spread(6, (node) => sendTo(node, 'POST', '/api/v2/resource-servers', { token, json }));
      assert.deepEqual(statuses(answers), oneOf(6, 201, 409), answers.map(({ text }) => text).join());
    }
  });

  test('rotations of a secret: one lives, on both nodes the same', async () => {
    const [first] = nodes;
    const { clientId, audience } = await first.machine();
    const answers = await spread(4, (node) =>
      sendTo(node, 'POST', `/api/v2/clients/${clientId}/rotate-secret`, { token }),
    );
    assert.deepEqual(statuses(answers), [200, 200, 200, 200], answers.map(({ text }) => text).join());
    for (const node of nodes) {
      const tokens = await Promise.all(
        answers.map(({ body }) =>
          sendTo(node, 'POST', '/oauth/token', {
            form: {
              grant_type: 'client_credentials',
              client_id: clientId,
              client_secret: body.client_secret,
              audience,
            },
          }),
        ),
      );
      assert.deepEqual(statuses(tokens), [200, 401, 401, 401]);
    }
  });

  test('a crowd of different clients: all are made', async () => {
    const answers = await spread(16, (node, index) =>
      sendTo(node, 'POST', '/api/v2/clients', { token, json: { name: `Crowd ${index}` } }),
    );
    assert.deepEqual(statuses(answers), Array(16).fill(201), answers.map(({ text }) => text).join());
  });
});
