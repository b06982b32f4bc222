/** `auth0-deploy-cli`, unmodified: roles and organizations go out of one server, into a second, and come out the same. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { manager, startTrusted, type TrustedServer } from './trusted.ts';

const cli = join(dirname(createRequire(import.meta.url).resolve('auth0-deploy-cli/package.json')), 'lib/index.js');
const settings = {
  AUTH0_INCLUDED_ONLY: ['resourceServers', 'clients', 'clientGrants', 'roles', 'organizations'],
  // Each server has one of its own, which the tool logs in with.
  AUTH0_EXCLUDED_CLIENTS: ['Management client'],
};

describe('auth0-deploy-cli with roles and organizations', { concurrency: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-deploy-organizations-'));
  let first: TrustedServer;
  let second: TrustedServer;
  before(async () => {
    first = await startTrusted();
    second = await startTrusted();
    await fill(manager(first));
  });
  after(async () => {
    await first?.stop();
    await second?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Two APIs, two clients with a grant each, roles with permissions of both APIs, organizations plain and full. */
  async function fill(manage: ReturnType<typeof manager>): Promise<void> {
    for (const [identifier, name] of [
      ['https://orders.example/', 'Orders'],
      ['urn:stock', 'Stock'],
    ]) {
      const scopes = ['read', 'write'].map((verb) => ({ value: `${verb}:${name}`, description: `${verb} ${name}` }));
      await manage('POST', '/resource-servers', { identifier, name, scopes });
    }
    const grantIds: string[] = [];
    for (const [name, audience] of [
      ['Shop', 'https://orders.example/'],
      ['Warehouse', 'urn:stock'],
    ]) {
      const { client_id } = await manage('POST', '/clients', { name, app_type: 'non_interactive' });
      const grant = { client_id, audience, scope: [], organization_usage: 'allow', allow_any_organization: false };
      grantIds.push((await manage('POST', '/client-grants', grant)).id);
    }
    const permission = (resource_server_identifier: string, permission_name: string) => ({
      resource_server_identifier,
      permission_name,
    });
    const roles = {
      Editor: [
        permission('https://orders.example/', 'read:Orders'),
        permission('https://orders.example/', 'write:Orders'),
      ],
      'Stock keeper 倉庫': [permission('urn:stock', 'read:Stock'), permission('urn:stock', 'write:Stock')],
      'Nothing yet': [],
    };
    for (const [name, permissions] of Object.entries(roles)) {
      const { id } = await manage('POST', '/roles', { name, description: `Is ${name}` });
      if (permissions.length > 0) await manage('POST', `/roles/${id}/permissions`, { permissions });
    }
    const organizations = [
      { name: 'plain' },
      {
        name: 'acme',
        display_name: 'Acme & Söhne 株式会社 🏯',
        metadata: { tier: 'gold', region: 'kanto' },
        branding: {
          logo_url: 'https://acme.example/logo.png',
          colors: { primary: '#aa0000', page_background: '#ffffff' },
        },
        token_quota: { client_credentials: { enforce: true, per_day: 1000 } },
        third_party_client_access: 'block',
        is_app_entitlement_active: false,
      },
    ];
    for (const [index, organization] of organizations.entries()) {
      const { id } = await manage('POST', '/organizations', organization);
      await manage('POST', `/organizations/${id}/client-grants`, { grant_id: grantIds[index] });
    }
  }

  /** Runs the tool to its end against a server. */
  function deploy(server: TrustedServer, args: string[], more: Record<string, unknown> = {}): Promise<string> {
    const configFile = join(folder, 'config.json');
    const { domain, clientId, clientSecret } = server;
    const login = { AUTH0_DOMAIN: domain, AUTH0_CLIENT_ID: clientId, AUTH0_CLIENT_SECRET: clientSecret };
    writeFileSync(configFile, JSON.stringify({ ...login, ...settings, ...more }));
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
      child.once('close', (code) => {
        try {
          assert.equal(code, 0, output);
          assert.doesNotMatch(output, /warn.*(failed|skip)/i);
          resolve(output);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  const exported = async (server: TrustedServer, name: string): Promise<Record<string, string>> => {
    const out = join(folder, name);
    mkdirSync(out);
    await deploy(server, ['export', '-o', out, '-f', 'directory']);
    return filesIn(out);
  };

  /** The text of every file by its path. */
  function filesIn(top: string): Record<string, string> {
    const paths = (readdirSync(top, { recursive: true }) as string[]).map((path) => join(top, path));
    const files = paths.filter((path) => statSync(path).isFile()).sort();
    return Object.fromEntries(files.map((path) => [relative(top, path), readFileSync(path, 'utf8')]));
  }

  /** Ids and all: what an import must not change. */
  async function state(server: TrustedServer) {
    const manage = manager(server);
    const roles = await manage('GET', '/roles?per_page=100');
    const organizations = await manage('GET', '/organizations?per_page=100');
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
    for (const role of roles) role.permissions = await manage('GET', `/roles/${role.id}/permissions`);
    for (const one of organizations) one.grants = await manage('GET', `/organizations/${one.id}/client-grants`);
    return { roles: roles.sort(byId), organizations: organizations.sort(byId) };
  }

  let out: Record<string, string>;

  test('exports roles with their permissions, organizations with their grants, by name', async () => {
    out = await exported(first, 'first');
    const json = (path: string) => JSON.parse(out[path] as string);
    const roleFiles = Object.keys(out).filter((path) => path.startsWith('roles/'));
    assert.equal(roleFiles.length, 3);
    const { permissions, ...editor } = json('roles/Editor.json');
    assert.deepEqual(editor, { name: 'Editor', description: 'Is Editor', type: 'tenant' });
    assert.deepEqual(
      permissions.map(({ permission_name }: { permission_name: string }) => permission_name),
      ['read:Orders', 'write:Orders'],
    );
    const acme = json('organizations/acme.json');
    assert.equal(acme.display_name, 'Acme & Söhne 株式会社 🏯');
    assert.deepEqual(acme.metadata, { tier: 'gold', region: 'kanto' });
    assert.deepEqual(acme.client_grants, [{ client_id: 'Warehouse' }]);
    assert.equal('id' in acme, false);
  });

  test('imported into an empty server and exported from there, every file is the same', async () => {
    assert.deepEqual(await state(second), { roles: [], organizations: [] });
    const output = await deploy(second, ['import', '-i', join(folder, 'first')]);
    assert.match(output, /Import Successful/);
    assert.deepEqual(await exported(second, 'second'), out);
  });

  test('imported again with AUTH0_ALLOW_DELETE: what the files lack goes, what they have stays, ids included', async () => {
    const before = await state(second);
    assert.deepEqual([before.roles.length, before.organizations.length], [3, 2]);
    const manage = manager(second);
    await manage('POST', '/roles', { name: 'Surplus' });
    const surplus = await manage('POST', '/organizations', { name: 'surplus', display_name: 'Surplus' });
    const [grant] = await manage('GET', `/client-grants?audience=urn:stock`);
    await manage('POST', `/organizations/${surplus.id}/client-grants`, { grant_id: grant.id });
    const plain = before.organizations.find(({ name }: { name: string }) => name === 'plain');
    await manage('POST', `/organizations/${plain.id}/client-grants`, { grant_id: grant.id });
    await manage('PATCH', `/organizations/${plain.id}`, { display_name: 'Changed by hand' });
    const output = await deploy(second, ['import', '-i', join(folder, 'first')], { AUTH0_ALLOW_DELETE: true });
    assert.match(output, /Import Successful/);
    assert.deepEqual(await state(second), before);
  });
});
