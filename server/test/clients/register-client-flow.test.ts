/** `scripts/register_client_flow.sh`: the main job with curl alone, as a reader of the guide does it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { manager, startTrusted, type TrustedServer } from './trusted.ts';

const script = join(import.meta.dirname, '../../../scripts/register_client_flow.sh');

describe('register_client_flow.sh', () => {
  let server: TrustedServer;
  let manage: ReturnType<typeof manager>;
  before(async () => {
    server = await startTrusted();
    manage = manager(server);
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

  const clientIds = async (): Promise<string[]> =>
    (await manage('GET', '/clients')).map(({ client_id }: { client_id: string }) => client_id);

  test('does all steps, says each, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run();
    assert.equal(code, 0, stdout + stderr);
    assert.equal(stderr, '');
    assert.deepEqual(
      stdout.match(/^\d\. \w+ \w+/gm),
      ['1. Got a', '2. Created the', '3. Granted it', '4. Got a', '5. Listed users', '6. Was refused'],
      stdout,
    );
    assert.match(stdout, /All steps passed\.\n$/);
    assert.ok(!stdout.includes(server.clientSecret));
    assert.deepEqual(await clientIds(), [server.clientId]);
    assert.equal((await manage('GET', '/client-grants')).length, 1);
  });

  test('stops at a wrong secret', async () => {
    const { code, stdout, stderr } = await run({ SEKISHO_ADMIN_CLIENT_SECRET: 'w"rong\\' });
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /expected status 200, got 401: .*"access_denied"/);
  });

  test('stops where a step is refused, and removes what it had made', async () => {
    const id = 'maker';
    const maker = await manage('POST', '/clients', { name: id, app_type: 'non_interactive' });
    await manage('POST', '/client-grants', {
      client_id: maker.client_id,
      audience: server.managementAudience,
      scope: ['create:clients', 'delete:clients', 'delete:client_grants'],
    });
    const before = await clientIds();
    const { code, stdout, stderr } = await run({
      SEKISHO_ADMIN_CLIENT_ID: maker.client_id,
      SEKISHO_ADMIN_CLIENT_SECRET: maker.client_secret,
    });
    assert.equal(code, 1);
    assert.match(stderr, /FAILED: creating a grant: expected status 201, got 403/);
    assert.match(stdout, /Cleaned up: clients\//);
    assert.deepEqual(await clientIds(), before);
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
