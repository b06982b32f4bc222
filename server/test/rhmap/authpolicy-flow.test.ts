/** `scripts/authpolicy_flow.sh`: a policy, a user, a session and its end with curl alone, as a reader of the guide does it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessToken, startTrusted, type TrustedServer } from '../clients/trusted.ts';

const script = join(import.meta.dirname, '../../../scripts/authpolicy_flow.sh');

describe('authpolicy_flow.sh', () => {
  let server: TrustedServer;
  let token: string;
  before(async () => {
    server = await startTrusted();
    token = await accessToken(server, `${server.origin}/api`);
  });
  after(() => server?.stop());

  function run(env: Record<string, string> = {}): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const { PATH = '', TMPDIR = '/tmp' } = process.env;
    const child = spawn('sh', [script], {
      cwd: server.folder,
      env: {
        PATH,
        TMPDIR,
        SEKISHO_URL: server.origin,
        SEKISHO_ADMIN_CLIENT_ID: server.clientId,
        SEKISHO_ADMIN_CLIENT_SECRET: server.clientSecret,
        SEKISHO_CA: server.ca,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text;
      });
    }
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, ...output }));
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
  async function api(method: string, path: string, json?: unknown, bearer = token): Promise<any> {
    const response = await fetch(`${server.origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async function assertNothingLeft(): Promise<void> {
    assert.deepEqual(await api('POST', '/box/srv/1.1/admin/authpolicy/list'), { status: 'ok', list: [], count: 0 });
    assert.deepEqual(await api('GET', '/api/api-keys'), []);
    assert.deepEqual(await api('GET', '/api/users?search=flow'), []);
    const names = (await api('GET', '/api/applications')).map(({ name }: { name: string }) => name);
    assert.ok(!names.includes('authpolicy_flow'), names.join());
  }

  test('does all steps, says each, and leaves nothing behind; twice', async () => {
    for (const _time of [1, 2]) {
      const { code, stdout, stderr } = await run();
      assert.equal(code, 0, stdout + stderr);
      assert.equal(stderr, '');
      assert.deepEqual(
        stdout.match(/^\d\. /gm),
        Array.from({ length: 8 }, (_, index) => `${index + 1}. `),
        stdout,
      );
      assert.equal(stdout.match(/^Cleaned up: /gm)?.length, 4, stdout);
      assert.match(stdout, /All steps passed\.\n$/);
      assert.ok(!stdout.includes(server.clientSecret));
      assert.doesNotMatch(stdout, /key_[0-9A-Za-z]{43}/);
      await assertNothingLeft();
    }
  });

  test('stops at a wrong secret', async () => {
    const { code, stdout, stderr } = await run({ SEKISHO_ADMIN_CLIENT_SECRET: 'w"rong\\' });
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /FAILED: asking for a management token: expected status 200, got 401/);
  });

  test('stops where a step is refused, and removes what it had made', async () => {
    const { id, secret } = await api('POST', '/api/applications', { name: 'maker', type: 'MachineToMachine' });
    const ofPolicies = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:auth_policies`);
    const scopes = ['create:api_keys', 'delete:api_keys', 'create:applications', 'delete:applications', ...ofPolicies];
    const auth0 = await accessToken(server, server.managementAudience);
    const grant = { client_id: id, audience: `${server.origin}/api`, scope: scopes };
    await api('POST', '/api/v2/client-grants', grant, auth0);
    const { code, stdout, stderr } = await run({ SEKISHO_ADMIN_CLIENT_ID: id, SEKISHO_ADMIN_CLIENT_SECRET: secret });
    assert.equal(code, 1);
    assert.match(stderr, /FAILED: creating a user: expected status 200, got 403/);
    assert.equal(stdout.match(/^Cleaned up: /gm)?.length, 2, stdout);
    assert.doesNotMatch(stdout, /All steps passed/);
    await assertNothingLeft();
  });

  test('stops when the server does not answer or is not trusted', async () => {
    assert.equal((await run({ SEKISHO_URL: 'https://localhost:1' })).code, 1);
    const untrusted = await run({ SEKISHO_CA: '' });
    assert.equal(untrusted.code, 1);
    assert.match(untrusted.stderr, /was not answered/);
  });

  test('names a variable that is missing', async () => {
    const { code, stderr } = await run({ SEKISHO_URL: '' });
    assert.notEqual(code, 0);
    assert.match(stderr, /SEKISHO_URL: set it to the base URL/);
  });
});
