/** `scripts/auth_backend_admin_flow.sh`: the accounts flow with curl alone, as its users run it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessToken, startTrusted, type TrustedServer } from '../clients/trusted.ts';

const script = join(import.meta.dirname, '../../../scripts/auth_backend_admin_flow.sh');

describe('auth_backend_admin_flow.sh', () => {
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
  async function api(method: string, path: string, json?: unknown): Promise<any> {
    const response = await fetch(`${server.origin}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async function assertNothingLeft(): Promise<void> {
    assert.deepEqual(await api('GET', '/accounts'), { data: [], next: null });
    assert.deepEqual(await api('GET', `/applications/${server.clientId}/users`), { data: [], next: null });
  }

  test('does all steps, says each, and leaves nothing behind; twice', async () => {
    for (const _time of [1, 2]) {
      const { code, stdout, stderr } = await run();
      assert.equal(code, 0, stdout + stderr);
      assert.equal(stderr, '');
      assert.deepEqual(
        stdout.match(/^\d+\. /gm),
        Array.from({ length: 15 }, (_, index) => `${index + 1}. `),
        stdout,
      );
      assert.equal(stdout.match(/^Cleaned up: /gm)?.length, 3);
      assert.match(stdout, /All steps passed\.\n$/);
      assert.ok(!stdout.includes(server.clientSecret));
      await assertNothingLeft();
    }
  });

  test('passes with an alias of the audience, of the shape https://api.…', async () => {
    const alias = 'https://api.inbox.example';
    await api('PATCH', '/resources/management-api', { aliases: [alias] });
    const { code, stdout, stderr } = await run({ AUDIENCE: alias });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^1\. Got a management token for https:\/\/api\.inbox\.example\./);
  });

  test('stops at a wrong secret', async () => {
    const { code, stdout, stderr } = await run({ SEKISHO_ADMIN_CLIENT_SECRET: 'w"rong\\' });
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /FAILED: asking for a management token: expected status 200, got 401/);
  });

  test('stops at the first difference, and removes what it had made', async () => {
    // What is taken for another audience is the right one: the refusal that the script looks for does not come.
    const { code, stdout, stderr } = await run({ OTHER_AUDIENCE: `${server.origin}/api` });
    assert.equal(code, 1);
    assert.match(stderr, /with a token for another audience: expected status 401, got 201/);
    assert.doesNotMatch(stdout, /All steps passed/);
    assert.match(stdout, /^Cleaned up: accounts\//m);
    await assertNothingLeft();

    const unknown = await run({ APPLICATION_ID: 'nobody' });
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /creating a user of the application: expected status 201, got 404/);
    await assertNothingLeft();
  });

  test('cleans up what a later step left', async () => {
    const role = (await api('GET', '/organization-roles')).find(({ name }: { name: string }) => name === 'member');
    await api('PATCH', `/organization-roles/${role.id}`, { name: 'renamed' });
    await api('POST', '/organization-roles', { name: 'member', type: 'MachineToMachine' });
    const { code, stdout, stderr } = await run();
    assert.equal(code, 1);
    assert.match(stderr, /FAILED: adding .*: expected status 201, got 400/);
    assert.equal(stdout.match(/^Cleaned up: /gm)?.length, 3, stdout + stderr);
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
