/**
 * `examples/app-server` as its README runs it, against a real server: machine clients stand in for people, whose tokens the
 * server issues; and people's own tokens as an issuer of this test mints them.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { OAuthClient } from '../../../client/src/index.ts';
import { createManagementClient, type ManagementClient } from '../../../client/src/management/index.ts';
import { createTestIssuer, type TestIssuer } from '../../../client/src/testing/index.ts';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../token/refusals.ts';

const root = join(import.meta.dirname, '../../..');
const audience = 'https://app.example';
const argumentsOf = (file: string) => ['--conditions=sekisho-source', join(root, 'examples/app-server', file)];

interface App {
  readonly origin: string;
  readonly child: ChildProcess;
}

/** Starts the app server as a process; the environment is the README's. */
async function startApp(env: Record<string, string>): Promise<App> {
  const child = spawn(process.execPath, argumentsOf('server.ts'), {
    env: { PATH: process.env.PATH ?? '', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += text;
    const origin = /App server on (\S+)\n/.exec(said)?.[1];
    if (origin !== undefined) return { origin, child };
  }
  throw new Error(`The app server ended: ${said}`);
}

async function stop({ child }: App): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await exit, [0, null]);
}

/** The test issuer over HTTP, so that another process can read its keys. */
async function serveIssuer() {
  const http = createServer(async (request, response) => {
    const answer = await issuer.fetch(`${new URL(issuer.issuer).origin}${request.url}`, {}).catch(() => undefined);
    response.writeHead(answer?.status ?? 404, { 'content-type': 'application/json' });
    response.end(answer === undefined ? '{}' : await answer.text());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const issuer: TestIssuer = await createTestIssuer({ issuer: `http://127.0.0.1:${port}/`, audience });
  return { issuer, close: () => http.close() };
}

eachEngine('the app server of the example', (engine) => {
  let server: TestServer;
  let management: ManagementClient;
  let env: Record<string, string>;
  let app: App;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const { clientId, clientSecret } = admin;
    const auth = new OAuthClient({ issuer: server.issuer, clientId, clientSecret });
    management = createManagementClient({ baseUrl: server.origin, auth });
    const given = {
      PATH: process.env.PATH ?? '',
      ISSUER: server.issuer,
      CLIENT_ID: clientId,
      CLIENT_SECRET: clientSecret,
    };
    const { stdout } = await promisify(execFile)(process.execPath, argumentsOf('setup.ts'), { env: given });
    env = Object.fromEntries([...stdout.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]));
    app = await startApp({ ISSUER: server.issuer, ...env });
  });
  after(async () => {
    if (app !== undefined) await stop(app);
    await server.close();
  });

  const tokenOf = async (name: string, organization?: string): Promise<string> => {
    const clientId = env[`${name}_ID`] as string;
    const client = new OAuthClient({ issuer: server.issuer, clientId, clientSecret: env[`${name}_SECRET`] as string });
    return client.accessToken({ audience, ...(organization === undefined ? {} : { organization }) });
  };
  const call = async (method: string, path: string, token?: string, json?: unknown, of = app) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    if (json !== undefined) headers['content-type'] = 'application/json';
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const answer = await fetch(`${of.origin}${path}`, { method, headers, ...body });
    const text = await answer.text();
    const challenge = answer.headers.get('www-authenticate') ?? '';
    return { status: answer.status, challenge, body: text === '' ? undefined : JSON.parse(text) };
  };

  /** The app server refuses by itself: nothing is changed, and the server heard nothing of it. */
  async function refusedAlone(work: () => ReturnType<typeof call>, status: number, challenge: RegExp): Promise<void> {
    const [state, events] = [await server.stateHash(), (await server.logEvents()).length];
    const used = await lastUseOfApp();
    const answer = await work();
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.match(answer.challenge, challenge);
    assert.equal((await server.logEvents()).length, events, 'no token was asked for, nothing changed');
    assert.deepEqual([await server.stateHash(), await lastUseOfApp()], [state, used]);
  }
  const lastUseOfApp = async (): Promise<unknown> => {
    await server.composed.services.lastUse.flush();
    return (await server.rows('clients')).find(({ id }) => id === env.APP_ID)?.last_used_at;
  };

  test('without a token 401, without the scope 403, and the management API is not called', async () => {
    const viewer = await tokenOf('VIEWER', env.ACME);
    const administrator = await tokenOf('ADMINISTRATOR', env.ACME);
    const superAdmin = await tokenOf('SUPER_ADMIN');
    const events = (await server.logEvents()).filter(({ client_id }) => client_id === env.APP_ID);
    assert.deepEqual(events, [], 'the app server has not even a token yet');
    const scope = /^Bearer realm="app", error="insufficient_scope", .*scope="org:/;
    for (const path of ['/teams', '/customers/batch', '/customers/batch-delete']) {
      await refusedAlone(() => call('POST', path, undefined, { name: 'No' }), 401, /^Bearer realm="app"$/);
      await refusedAlone(() => call('POST', path, 'x.y.z', { name: 'No' }), 401, /invalid_token/);
      await refusedAlone(() => call('POST', path, viewer, { name: 'No' }), 403, scope);
    }
    await refusedAlone(() => call('DELETE', `/teams/${env.ACME}`, viewer), 403, scope);
    for (const path of ['/customers/batch', '/customers/batch-delete']) {
      await refusedAlone(() => call('POST', path, administrator, { names: ['No'] }), 403, scope);
    }
    await refusedAlone(() => call('POST', '/teams', superAdmin, { name: 'No' }), 403, scope);
  });

  test('an administrator of Acme makes a team below Acme, lists it, and deletes it', async () => {
    const token = await tokenOf('ADMINISTRATOR', env.ACME);
    const events = (await server.logEvents()).length;
    const made = await call('POST', '/teams', token, { name: '東京', parentId: 'org_other' });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual(made.body, { id: made.body.id, name: '東京', status: 'active' });
    assert.equal((await management.organizations.get(made.body.id)).parentId, env.ACME);
    const kinds = (await server.logEvents()).slice(events).map(({ kind, client_id }) => [kind, client_id]);
    assert.ok(
      kinds.some(([kind, clientId]) => kind === 'organization.created' && clientId === env.APP_ID),
      JSON.stringify(kinds),
    );
    const listed = await call('GET', '/teams', await tokenOf('VIEWER', env.ACME));
    assert.deepEqual(listed.body, [made.body]);
    assert.equal((await call('DELETE', `/teams/${made.body.id}`, token)).status, 204);
    assert.deepEqual((await call('GET', '/teams', token)).body, []);
  });

  test('another customer’s team, its own customer, and what is not there answer alike', async () => {
    const token = await tokenOf('ADMINISTRATOR', env.ACME);
    const other = await management.organizations.create({ name: 'Other customer' });
    const team = await management.organizations.create({ name: 'Team', parentId: other.id });
    const before = await server.stateHash();
    const answers = await Promise.all(
      [team.id, other.id, env.ACME, 'org_none', '%2e%2e%2fusers'].map((id) => call('DELETE', `/teams/${id}`, token)),
    );
    for (const answer of answers) assert.deepEqual([answer.status, answer.body], [404, { error: 'not_found' }]);
    assert.equal(await server.stateHash(), before);
  });

  test('bad input is said to the person, in the app’s words', async () => {
    const token = await tokenOf('ADMINISTRATOR', env.ACME);
    const before = await server.stateHash();
    for (const json of [{}, { name: '' }, { name: 7 }, { name: '\u200b' }]) {
      assert.equal((await call('POST', '/teams', token, json)).status, 400, JSON.stringify(json));
    }
    assert.equal(await server.stateHash(), before);
  });

  test('the super admin makes and deletes customers in bulk; what was not there is named', async () => {
    const token = await tokenOf('SUPER_ADMIN');
    const names = Array.from({ length: 30 }, (_, place) => `Customer ${place}`);
    const made = await call('POST', '/customers/batch', token, { names });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal(made.body.ids.length, 30);
    const found = await management.organizations.list({ namePrefix: 'Customer ' }).all();
    assert.deepEqual(found.map(({ id }) => id).sort(), [...made.body.ids].sort());
    await management.organizations.create({ name: 'Below', parentId: made.body.ids[0] });
    const removed = await call('POST', '/customers/batch-delete', token, { ids: [...made.body.ids, 'org_none'] });
    assert.deepEqual(removed.body, { deleted: made.body.ids, failed: [{ id: 'org_none', code: 'entity.not_found' }] });
    assert.deepEqual(await management.organizations.list({ namePrefix: 'Customer ' }).all(), []);
  });

  describe('with the tokens of people', () => {
    let people: Awaited<ReturnType<typeof serveIssuer>>;
    let own: App;
    before(async () => {
      people = await serveIssuer();
      own = await startApp({ ...env, ISSUER: people.issuer.issuer, MANAGEMENT_ISSUER: server.issuer });
    });
    after(async () => {
      if (own !== undefined) await stop(own);
      people?.close();
    });

    test('a person’s token does as a machine’s; a wrong one does not', async () => {
      const claims = { sub: '65f1c0ffee65f1c0ffee65f1', org_id: env.ACME, scope: 'org:read org:create' };
      const made = await call('POST', '/teams', await people.issuer.mint(claims), { name: 'By a person' }, own);
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.equal((await management.organizations.get(made.body.id)).parentId, env.ACME);
      const { org_id: _organization, ...nobody } = claims;
      const wrong: [string, number][] = [
        [await people.issuer.mintExpired(claims), 401],
        [await people.issuer.mintWithWrongKey(claims), 401],
        [await people.issuer.mintForOtherAudience(claims), 401],
        [await tokenOf('ADMINISTRATOR', env.ACME), 401],
        [await people.issuer.mint({ ...claims, scope: 'org:read' }), 403],
        [await people.issuer.mint(nobody), 403],
      ];
      for (const [token, status] of wrong) {
        await refusedAlone(() => call('POST', '/teams', token, { name: 'No' }, own), status, /^Bearer realm="app"/);
      }
    });
  });

  test('when the app server loses its role, a person hears 502, not a 403 that is not theirs', async () => {
    const roles = await management.applications.listRoles(env.APP_ID as string).all();
    await management.applications.removeRole(env.APP_ID as string, roles[0]?.id as string);
    const before = await server.stateHash();
    const answer = await call('POST', '/teams', await tokenOf('ADMINISTRATOR', env.ACME), { name: 'Late' });
    assert.deepEqual([answer.status, answer.body], [502, { error: 'management_unavailable' }]);
    assert.equal(await server.stateHash(), before);
  });
});
