/** The package as it is published: built, complete, without a dependency, and run by the machine's own Node. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const client = join(import.meta.dirname, '..');
const tsc = join(client, '../node_modules/typescript/bin/tsc');
const manifest = JSON.parse(readFileSync(join(client, 'package.json'), 'utf8'));

/** Without npm's own folders, PATH leads to the Node that is installed, the oldest that is around. */
function plainNode(): string {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  try {
    const env = { ...process.env, PATH: path.join(delimiter) };
    const found = execFileSync('/usr/bin/env', ['node', '-p', 'process.execPath'], { env, encoding: 'utf8' }).trim();
    const major = execFileSync(found, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' });
    return Number(major) >= 20 ? found : process.execPath;
  } catch {
    return process.execPath;
  }
}

describe('the package', () => {
  let folder: string;
  let installed: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sekisho-client-'));
    installed = join(folder, 'node_modules/@sekisho/client');
    mkdirSync(installed, { recursive: true });
    execFileSync(process.execPath, [tsc, '-p', client, '--outDir', join(installed, 'dist')], { stdio: 'pipe' });
    for (const name of ['package.json', 'README.md', 'LICENSE']) cpSync(join(client, name), join(installed, name));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Compiles a program that uses the package; returns what the compiler says. */
  function compile(options: Record<string, unknown>, text: string): string {
    const strict = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
    };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...strict, ...options }, files: ['use.ts'] }),
    );
    writeFileSync(join(folder, 'use.ts'), text);
    try {
      return execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  }

  test('has no dependency, and says what it runs on', () => {
    for (const name of ['dependencies', 'peerDependencies', 'optionalDependencies', 'bundleDependencies']) {
      assert.equal(manifest[name], undefined, name);
    }
    assert.equal(manifest.engines.node, '>=20');
    assert.equal(manifest.sideEffects, false);
    assert.equal(manifest.type, 'module');
    assert.equal(manifest.license, 'Apache-2.0');
  });

  test('every entry point is there, with its types and its source', () => {
    const entries = Object.entries(manifest.exports as Record<string, Record<string, string>>);
    assert.deepEqual(
      entries.map(([name]) => name),
      ['.', './management', './fastify', './express', './hono', './node', './testing', './package.json'],
    );
    for (const [name, targets] of entries.slice(0, -1)) {
      const { 'sekisho-source': source, types, default: code } = targets;
      assert.ok(existsSync(join(installed, types as string)), `${name} types`);
      assert.ok(existsSync(join(installed, code as string)), `${name} code`);
      assert.ok(existsSync(join(client, source as string)), `${name} source`);
    }
  });

  test('the built files import nothing outside the package', () => {
    const files = globSync('dist/**/*.js', { cwd: installed });
    assert.ok(files.length > 20);
    for (const file of files) {
      const text = readFileSync(join(installed, file), 'utf8');
      for (const [, specifier] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)) {
        if (file.includes('/index.js') && specifier?.startsWith('@sekisho/client')) continue;
        assert.match(specifier as string, /^\.{1,2}\/.+\.js$/, file);
        assert.ok(existsSync(join(installed, file, '..', specifier as string)), `${file}: ${specifier}`);
      }
      assert.doesNotMatch(text, /\brequire\(|\bprocess\.|\bBuffer\b|['"]node:/, file);
    }
  });

  test('runs on the machine’s own Node: every entry point loads, a token is minted, verified, refused', () => {
    const node = plainNode();
    writeFileSync(
      join(folder, 'run.mjs'),
      `import { createVerifier, InvalidTokenError, OAuthClient } from '@sekisho/client';
       import { createTestIssuer } from '@sekisho/client/testing';
       for (const name of ['fastify', 'express', 'hono', 'node']) {
         const { createGuard } = await import('@sekisho/client/' + name);
         createGuard({ issuer: 'https://issuer.test/', audience: 'x' }).requireScopes('a');
       }
       const { createManagementClient } = await import('@sekisho/client/management');
       const paths = [];
       const management = createManagementClient({
         baseUrl: 'https://auth.test',
         auth: () => 't',
         fetch: async (url) => { paths.push(url); return Response.json([{ id: 'org_1' }]); },
       });
       for await (const { id } of management.organizations.list()) paths.push(id);
       if (paths.join() !== 'https://auth.test/api/organizations?cursor=,org_1') throw new Error(paths.join());
       for (const algorithm of ['ES256', 'RS256', 'PS256', 'EdDSA']) {
         const issuer = await createTestIssuer({ algorithm });
         const verifier = createVerifier(issuer.verifierOptions);
         const { scopes } = await verifier.verifyAccessToken(await issuer.mint({ scope: 'a b' }));
         if (scopes.join() !== 'a,b') throw new Error('wrong scopes');
         const error = await verifier.verifyAccessToken(await issuer.mintWithWrongKey()).catch((error) => error);
         if (!(error instanceof InvalidTokenError)) throw new Error('a wrong key was taken');
       }
       const fetch = async () => Response.json({ access_token: 't', token_type: 'bearer', expires_in: 60 });
       const client = new OAuthClient({ tokenUrl: 'https://auth.test/token', clientId: 'a', clientSecret: 'b', fetch });
       const tokens = await Promise.all([client.accessToken(), client.accessToken()]);
       console.log(process.version, tokens.join());`,
    );
    const output = execFileSync(node, ['run.mjs'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.match(output, /^v\d+\.\S+ t,t\n$/);
  });

  const program = `
    import { createVerifier, OAuthClient, type TokenResponse } from '@sekisho/client';
    import { createTestIssuer } from '@sekisho/client/testing';
    import { createAccountsClient, createManagementClient, type Organization } from '@sekisho/client/management';
    import { createGuard } from '@sekisho/client/hono';
    import { createGuard as express } from '@sekisho/client/express';
    import { createGuard as fastify } from '@sekisho/client/fastify';
    const client = new OAuthClient({ issuer: 'https://x/', clientId: 'a', clientSecret: 'b' });
    export const answer: Promise<TokenResponse> = client.clientCredentials({ audience: 'x' });
    export const verifier = createVerifier({ issuer: 'https://x/', audience: 'x' });
    export const guards = [createGuard(verifier), express(verifier), fastify(verifier)];
    export const issuer = createTestIssuer();
    const management = createManagementClient({ baseUrl: 'https://x', auth: client });
    export const organization: Promise<Organization> = management.organizations.create({ name: 'Acme' });
    export const names = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { name } of management.organizations.list({ q: 'a', page_size: 100 })) found.push(name);
      return found;
    };
    export const child = createAccountsClient({ baseUrl: 'https://x', bearerToken: 't' }).createChildAccount('a', { name: 'b' });
    // @ts-expect-error
    management.organizations.create({ title: 'Acme' });
    // @ts-expect-error
    management.organizations.get();
    // @ts-expect-error
    client.clientCredentials({ audience: 7 });
  `;
  for (const [name, options] of Object.entries({
    'nodenext, without the types of Node': { module: 'nodenext', lib: ['es2022', 'dom'], types: [] },
    bundler: { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] },
  })) {
    test(`its types are whole: ${name}`, () => {
      assert.equal(compile(options, program), '');
    });
  }

  test('all but the guard of node:http needs only what the Web has', () => {
    execFileSync(process.execPath, [tsc, '-p', join(client, 'tsconfig.web.json')], { stdio: 'pipe' });
  });

  test('in the workspace its sources can be used without a build', () => {
    const code = `import('@sekisho/client').then(({ OAuthClient }) => console.log(typeof OAuthClient))`;
    const args = ['--conditions=sekisho-source', '--input-type=module', '-e', code];
    assert.equal(execFileSync(process.execPath, args, { cwd: client, encoding: 'utf8' }), 'function\n');
  });
});
