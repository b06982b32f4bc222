/** `auth0-deploy-cli`, unmodified, as a process of its own: a configuration goes in, comes out, and goes in again. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { manager, startTrusted, type TrustedServer } from './trusted.ts';

const cli = join(dirname(createRequire(import.meta.url).resolve('auth0-deploy-cli/package.json')), 'lib/index.js');
const ourTypes = ['tenant', 'resourceServers', 'clients', 'clientGrants', 'clientAuthCredentials'];
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;

/** Three APIs, five clients (one with a private key), four grants, tenant settings, and both forms of keywords. */
const configuration = `
tenant:
  friendly_name: '##COMPANY## identity'
  support_email: help@example.com
  session_lifetime: 100
  idle_session_lifetime: 50
  allowed_logout_urls: '@@LOGOUT_URLS@@'
resourceServers:
  - identifier: https://orders.##DOMAIN##/
    name: Orders
    scopes:
      - { value: 'read:orders', description: Read orders }
      - { value: 'write:orders', description: Write orders }
    token_lifetime: 3600
    token_dialect: rfc9068_profile
  - identifier: https://stock.##DOMAIN##/
    name: Stock
    scopes: '@@STOCK_SCOPES@@'
    token_dialect: access_token_authz
    enforce_policies: true
  - identifier: urn:billing
    name: Billing
    signing_alg: PS256
clients:
  - name: Shop
    description: Asks for orders
    app_type: non_interactive
    client_metadata: { team: '##COMPANY##' }
  - name: Robot
    app_type: non_interactive
    client_authentication_methods:
      private_key_jwt:
        credentials:
          - name: robot key
            credential_type: public_key
            pem: '@@ROBOT_PEM@@'
  - name: Warehouse
    app_type: non_interactive
    grant_types: [client_credentials]
    token_endpoint_auth_method: client_secret_basic
  - name: Portal
    app_type: regular_web
    callbacks: '@@CALLBACKS@@'
    token_endpoint_auth_method: client_secret_post
    jwt_configuration: { alg: RS256, lifetime_in_seconds: 1800 }
  - name: Page
    app_type: spa
    token_endpoint_auth_method: none
clientGrants:
  - client_id: Shop
    audience: https://orders.##DOMAIN##/
    scope: ['read:orders']
  - client_id: Robot
    audience: https://orders.##DOMAIN##/
    scope: ['read:orders', 'write:orders']
  - client_id: Warehouse
    audience: https://stock.##DOMAIN##/
    scope: ['read:stock']
    organization_usage: allow
    allow_any_organization: true
  - client_id: Warehouse
    audience: urn:billing
    scope: []
`;

const keywords = {
  COMPANY: 'Miyako',
  DOMAIN: 'miyako.example',
  STOCK_SCOPES: [{ value: 'read:stock', description: 'Read stock' }],
  CALLBACKS: ['https://portal.miyako.example/callback', 'https://portal.miyako.example/again'],
  LOGOUT_URLS: ['https://portal.miyako.example/'],
  ROBOT_PEM: pem,
};

describe('auth0-deploy-cli', { concurrency: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-deploy-'));
  const input = join(folder, 'tenant.yaml');
  let server: TrustedServer;
  let manage: ReturnType<typeof manager>;
  before(async () => {
    server = await startTrusted();
    manage = manager(server);
    writeFileSync(input, configuration);
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the tool to its end; what it is told comes from a configuration file alone. */
  function deploy(args: string[], settings: Record<string, unknown> = {}): Promise<{ code: number; output: string }> {
    const configFile = join(folder, 'config.json');
    const { domain, clientId, clientSecret } = server;
    const login = { AUTH0_DOMAIN: domain, AUTH0_CLIENT_ID: clientId, AUTH0_CLIENT_SECRET: clientSecret };
    writeFileSync(configFile, JSON.stringify({ ...login, AUTH0_KEYWORD_REPLACE_MAPPINGS: keywords, ...settings }));
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, [cli, ...args, '-c', configFile, '--env', 'false'], {
      cwd: folder,
      env: { PATH, NODE_EXTRA_CA_CERTS: server.ca, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code: code ?? 1, output }));
    });
  }

  async function assertDeploys(args: string[], settings: Record<string, unknown> = {}): Promise<string> {
    const { code, output } = await deploy(args, settings);
    assert.equal(code, 0, output);
    return output;
  }

  const only = { AUTH0_INCLUDED_ONLY: ourTypes };

  /** All that a configuration is about, ids and keys included. */
  async function state() {
    const byId = (a: { id?: string; client_id: string }, b: { id?: string; client_id: string }) =>
      (a.id ?? a.client_id) < (b.id ?? b.client_id) ? -1 : 1;
    const clients = (await manage('GET', '/clients?per_page=100')).sort(byId);
    const credentials: Record<string, unknown> = {};
    for (const { client_id } of clients) {
      const keys = await manage('GET', `/clients/${client_id}/credentials`);
      credentials[client_id] = keys.map(({ last_used_at, ...key }: Record<string, unknown>) => key);
    }
    return {
      clients,
      credentials,
      resourceServers: (await manage('GET', '/resource-servers?per_page=100')).sort(byId),
      clientGrants: (await manage('GET', '/client-grants?per_page=100')).sort(byId),
      tenant: await manage('GET', '/tenants/settings'),
    };
  }

  const named = <T extends { name?: string }>(items: T[], name: string): T => {
    const found = items.filter((item) => item.name === name);
    assert.equal(found.length, 1, `${found.length} named ${name}`);
    return found[0] as T;
  };

  /** A token by private key, as the imported client asks for it. */
  async function tokenByKey(clientId: string, audience: string): Promise<Record<string, unknown>> {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iss: clientId, sub: clientId, aud: server.issuer, iat, exp: iat + 60, jti: crypto.randomUUID() };
    const signed = `${encode({ alg: 'RS256' })}.${encode(claims)}`;
    const response = await fetch(`${server.origin}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        audience,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`,
      }),
    });
    return (await response.json()) as Record<string, unknown>;
  }

  test('imports APIs, clients, a key, grants and tenant settings, with both forms of keywords', async () => {
    const before = await state();
    const output = await assertDeploys(['import', '-i', input], only);
    assert.match(output, /Import Successful/);
    assert.doesNotMatch(output, /warn.*(failed|skip)/i);

    const { clients, credentials, resourceServers, clientGrants, tenant } = await state();
    assert.equal(resourceServers.length - before.resourceServers.length, 3);
    assert.equal(clients.length - before.clients.length, 5);
    assert.equal(clientGrants.length - before.clientGrants.length, 4);
    assert.equal(tenant.friendly_name, 'Miyako identity');
    assert.equal(tenant.session_lifetime, 100);
    assert.equal(tenant.idle_session_lifetime, 50);
    assert.deepEqual(tenant.allowed_logout_urls, keywords.LOGOUT_URLS);
    const orders = named<Record<string, unknown>>(resourceServers, 'Orders');
    assert.equal(orders.identifier, 'https://orders.miyako.example/');
    assert.equal(orders.token_lifetime, 3600);
    assert.deepEqual(named<Record<string, unknown>>(resourceServers, 'Stock').scopes, keywords.STOCK_SCOPES);
    assert.equal(named<Record<string, unknown>>(resourceServers, 'Billing').signing_alg, 'PS256');
    assert.deepEqual(named<Record<string, unknown>>(clients, 'Portal').callbacks, keywords.CALLBACKS);
    assert.deepEqual(named<Record<string, unknown>>(clients, 'Shop').client_metadata, { team: 'Miyako' });

    const robot = named<Record<string, unknown>>(clients, 'Robot');
    const robotId = robot.client_id as string;
    const keys = credentials[robotId] as { id: string; name: string }[];
    assert.deepEqual(
      keys.map(({ name }) => name),
      ['robot key'],
    );
    assert.deepEqual(robot.client_authentication_methods, { private_key_jwt: { credentials: [{ id: keys[0]?.id }] } });
    const { scope } = await tokenByKey(robotId, orders.identifier as string);
    assert.deepEqual((scope as string).split(' ').sort(), ['read:orders', 'write:orders']);
  });

  test('exports what is there, without secrets, system APIs and the login client changed', async () => {
    const before = await state();
    const out = join(folder, 'export');
    mkdirSync(out);
    await assertDeploys(['export', '-o', out, '-f', 'yaml'], only);
    const text = readFileSync(join(out, 'tenant.yaml'), 'utf8');
    for (const word of ['https://orders.miyako.example/', 'Warehouse', 'robot key', 'Miyako identity']) {
      assert.ok(text.includes(word), word);
    }
    assert.ok(!text.includes(server.clientSecret));
    assert.doesNotMatch(text, /client_secret:|BEGIN/);
    assert.ok(!text.includes(`name: ${'Auth0 Management API'}`));
    assert.deepEqual(await state(), before);
  });

  test('a full export ends well: types that are not served are skipped', async () => {
    const out = join(folder, 'full');
    mkdirSync(out);
    const output = await assertDeploys(['export', '-o', out, '-f', 'yaml'], { AUTH0_API_MAX_RETRIES: 0 });
    assert.match(output, /Export Successful/i);
    assert.ok(readdirSync(out).includes('tenant.yaml'));
  });

  describe('with things the file lacks', () => {
    const allowDelete = { ...only, AUTH0_ALLOW_DELETE: true };
    let before: Awaited<ReturnType<typeof state>>;

    test('a dry run tells what it would delete and writes nothing', async () => {
      before = await state();
      await manage('POST', '/resource-servers', { identifier: 'urn:surplus', name: 'Surplus API' });
      const client = await manage('POST', '/clients', { name: 'Surplus client', app_type: 'non_interactive' });
      await manage('POST', '/client-grants', { client_id: client.client_id, audience: 'urn:surplus', scope: [] });
      const withSurplus = await state();
      const output = await assertDeploys(['import', '-i', input, '--dry-run'], allowDelete);
      assert.match(output, /DELETE/);
      assert.match(output, /Surplus client/);
      assert.deepEqual(await state(), withSurplus);
    });

    // One run for both, for each takes half a minute of processor time.
    test('importing the export with AUTH0_ALLOW_DELETE removes them and changes nothing else, ids included', async () => {
      const output = await assertDeploys(['import', '-i', join(folder, 'export', 'tenant.yaml')], allowDelete);
      assert.match(output, /Import Successful/);
      const now = await state();
      assert.deepEqual(now, before);
      assert.ok(now.clients.some(({ client_id }: { client_id: string }) => client_id === server.clientId));
      assert.equal(named<Record<string, unknown>>(now.resourceServers, 'Auth0 Management API').is_system, true);
      const [native] = await manage(
        'GET',
        `/resource-servers?identifiers=${encodeURIComponent(server.report.nativeApi as string)}`,
      );
      assert.equal(native.is_system, true);
    });
  });
});
