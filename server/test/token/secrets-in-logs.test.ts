import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import pg from 'pg';
import { freePort, newPostgresDatabase } from '../harness.ts';
import { type ServerProcess, startProcess } from '../process.ts';
import { keyPair, sign } from './assertions.ts';
import { basic } from './refusals.ts';

/** Every secret that was sent or received; none may be found anywhere afterwards. */
class Planted {
  readonly #secrets = new Map<string, string>();

  /** A secret made up here, strong enough to be accepted. */
  make(name: string): string {
    return this.note(name, `MRK-${name}-${randomBytes(27).toString('base64url')}`);
  }

  /** A secret from elsewhere. */
  note(name: string, secret: string): string {
    assert.ok(secret.length >= 16, `${name} is a secret`);
    this.#secrets.set(name, secret);
    return secret;
  }

  /** A listing may show six characters of a secret; twelve at its start, middle or end are too many. */
  assertAbsent(text: string, where: string): void {
    for (const [name, secret] of this.#secrets) {
      const middle = Math.floor(secret.length / 2);
      for (const part of [secret.slice(0, 12), secret.slice(middle, middle + 12), secret.slice(-12)]) {
        assert.ok(!text.includes(part), `${where} holds ${name}`);
      }
    }
  }
}

const masterKey = 'c7'.repeat(32);

/** Sends secrets wherever a caller can put one, rightly and by mistake. */
async function exercise(server: ServerProcess, planted: Planted, adminSecret: string): Promise<void> {
  const { origin } = server;
  type Sent = { status: number; text: string; body: Record<string, string> };
  const send = async (method: string, path: string, init: RequestInit = {}): Promise<Sent> => {
    const response = await fetch(`${origin}${path}`, { method, ...init });
    const text = await response.text();
    let body = {};
    try {
      body = JSON.parse(text);
    } catch {}
    assert.ok(response.status < 500, `${method} ${path}: ${text}`);
    return { status: response.status, text, body };
  };
  const form = (parameters: Record<string, string>) => ({ body: new URLSearchParams(parameters) });
  const json = (body: unknown, headers: Record<string, string> = {}) => ({
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const asAdmin = { grant_type: 'client_credentials', client_id: 'admin', client_secret: adminSecret };
  const audience = `${origin}/api/v2/`;

  const issued = await send('POST', '/oauth/token', form({ ...asAdmin, audience }));
  assert.equal(issued.status, 200, issued.text);
  // The first part of a token is its header, which is no secret.
  const token = issued.body.access_token as string;
  planted.note('access token', token.split('.')[2] as string);
  const bearer = { authorization: `Bearer ${token}` };
  const manage = (method: string, path: string, body?: unknown) =>
    send(method, `/api/v2${path}`, body === undefined ? { headers: bearer } : json(body, bearer));

  const machine = await manage('POST', '/clients', { name: 'Machine', app_type: 'non_interactive' });
  const clientId = machine.body.client_id as string;
  planted.note('generated secret', machine.body.client_secret as string);
  const set = planted.make('set');
  assert.equal((await manage('PATCH', `/clients/${clientId}`, { client_secret: set })).status, 200);
  const rotated = await manage('POST', `/clients/${clientId}/rotate-secret`, { overlap_seconds: 60 });
  planted.note('rotated secret', rotated.body.client_secret as string);
  const hs256 = { identifier: 'https://hs.example', signing_alg: 'HS256', signing_secret: planted.make('hs256') };
  assert.equal((await manage('POST', '/resource-servers', hs256)).status, 201);
  await manage('POST', '/resource-servers', { ...hs256, identifier: 'bad', signing_alg: 'RS256' });
  await manage('POST', '/users', {
    connection: 'Username-Password-Authentication',
    email: 'ada@example.com',
    password: planted.make('password'),
  });
  const pair = keyPair('ES256');
  const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  planted.note('private key', pem.split('\n')[1] as string);
  const d = pair.privateKey.export({ format: 'jwk' }).d as string;
  planted.note('private exponent', d);
  for (const key of [{ pem }, { jwk: pair.privateKey.export({ format: 'jwk' }) }]) {
    await manage('POST', `/clients/${clientId}/credentials`, { credential_type: 'public_key', ...key });
    const methods = { private_key_jwt: { credentials: [{ credential_type: 'public_key', ...key }] } };
    await manage('POST', '/clients', { name: 'x', client_authentication_methods: methods });
  }
  await manage('PATCH', `/clients/${clientId}`, { client_secret: planted.make('weak').slice(0, 20) });
  await manage('PATCH', `/clients/${clientId}`, { unknown: planted.make('unknown'), client_secret: 7 });

  const wrong = { ...asAdmin, audience, client_secret: planted.make('wrong') };
  await send('POST', '/oauth/token', form(wrong));
  await send('POST', '/oauth/token', form({ ...wrong, client_id: clientId }));
  await send('POST', '/oauth/token', form({ ...wrong, client_id: 'nobody' }));
  await send('POST', '/oauth/token', form({ ...wrong, grant_type: 'password', password: planted.make('pw') }));
  await send('POST', '/oauth/token', json({ ...wrong, client_secret: [planted.make('list')] }));
  await send('POST', '/oauth/token', json(`{"client_secret":"${planted.make('broken')}"`));
  await send('POST', '/oauth/token', json(`{"client_secret":"${planted.make('twice')}","client_secret":"x"}`));
  await send('POST', '/oauth/token', json(planted.make('raw')));
  await send('POST', '/oauth/token', form({ ...wrong, client_secret: planted.make('long').repeat(2000) }));
  await send('POST', '/oauth/token', { body: planted.make('text'), headers: { 'content-type': 'text/plain' } });
  await send('POST', '/oauth/token', {
    body: `client_secret=${planted.make('percent')}%zz`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  await send('POST', '/oauth/token', { headers: basic('admin', planted.make('basic')), ...form({ audience }) });
  await send('POST', '/oauth/token', { headers: { authorization: planted.make('scheme') }, ...form({ audience }) });
  await send('POST', '/oauth/token', { headers: { authorization: `Basic ${planted.make('base64')}` } });
  await send('POST', '/oauth/token', { headers: { cookie: `session=${planted.make('cookie')}` }, ...form(wrong) });
  await send('GET', `/oauth/token?${new URLSearchParams({ client_secret: planted.make('url') })}`);
  await send('POST', `/oauth/token?${new URLSearchParams({ client_secret: planted.make('posturl') })}`);
  await send('GET', `/nowhere/${planted.make('path')}`);
  await send('GET', '/api/v2/clients', { headers: { authorization: `Bearer ${planted.make('bearer')}` } });
  await send('GET', `/api/v2/clients?access_token=${planted.make('query')}`, { headers: bearer });
  const claims = { iss: clientId, sub: clientId, aud: `${origin}/`, jti: 'j', exp: Math.floor(Date.now() / 1000) + 60 };
  const assertion = await sign(pair.privateKey, { alg: 'ES256' }, claims);
  planted.note('assertion', assertion.split('.')[2] as string);
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const byAssertion = { grant_type: 'client_credentials', client_assertion_type, audience };
  await send('POST', '/oauth/token', form({ ...byAssertion, client_id: clientId, client_assertion: assertion }));
  await send('POST', '/oauth/token', form({ ...byAssertion, client_assertion: planted.make('assertion') }));
  for (const path of ['/oauth/introspect', '/oauth/revoke']) {
    const credentials = { client_id: 'admin', client_secret: adminSecret };
    await send('POST', path, form({ ...credentials, token: planted.make('token') }));
    await send('POST', path, form({ ...credentials, client_secret: planted.make('elsewhere'), token }));
    await send('POST', path, form({ ...credentials, token }));
  }
  await send('POST', '/api/v2/clients', json(`{"name":"${planted.make('json')}"`, bearer));
  const last = await send('POST', '/oauth/token', form({ ...asAdmin, audience }));
  assert.equal(last.status, 200, last.text);
  planted.note('last token', (last.body.access_token as string).split('.')[2] as string);
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Every row of every table, as text. */
async function dump(databaseUrl: string): Promise<Map<string, string>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const tables = await client.query(
      "select table_name as name from information_schema.tables where table_schema = 'public'",
    );
    const rows = new Map<string, string>();
    for (const { name } of tables.rows as { name: string }[]) {
      const { rows: found } = await client.query(`select row_to_json(t)::text as row from "${name}" as t`);
      rows.set(name, found.map(({ row }) => row).join('\n'));
    }
    return rows;
  } finally {
    await client.end();
  }
}

describe('secrets are nowhere but where they belong', () => {
  const environment = (planted: Planted, adminSecret: string) => ({
    SEKISHO_LOG_LEVEL: 'trace',
    SEKISHO_ADMIN_CLIENT_ID: 'admin',
    SEKISHO_ADMIN_CLIENT_SECRET: adminSecret,
    SEKISHO_MASTER_KEY: planted.note('master key', masterKey),
  });

  test('the search finds what was planted, whole or cut', () => {
    const planted = new Planted();
    const secret = planted.make('found');
    const given = planted.note('given', 'dGhpcyBpcyBhIHNpZ25hdHVyZQ');
    for (const text of [`x${secret}x`, secret.slice(0, 20), secret.slice(-38), given.slice(0, 14), given.slice(-13)]) {
      assert.throws(() => planted.assertAbsent(text, 'the text'), /holds/);
    }
    planted.assertAbsent(secret.slice(0, 6), 'a listing');
  });

  test('on SQLite: not in the output, not in any file of the data folder', async () => {
    const planted = new Planted();
    const adminSecret = planted.make('admin');
    const server = await startProcess({ env: environment(planted, adminSecret) });
    try {
      await exercise(server, planted, adminSecret);
      // Killed, so that what the write-ahead log holds is looked at too.
      await server.kill();
      planted.assertAbsent(server.stderr(), 'standard error');
      planted.assertAbsent(server.stdout(), 'standard output');
      const files = filesOf(server.folder).filter((path) => !path.includes('compile-cache'));
      assert.ok(files.some((path) => path.endsWith('.sqlite')) && files.some((path) => path.endsWith('-wal')));
      for (const path of files) planted.assertAbsent(readFileSync(path, 'latin1'), path);
    } finally {
      await server.stop();
    }
  });

  test('on PostgreSQL: not in the output, not in any row, the database’s password included', async () => {
    const planted = new Planted();
    const adminSecret = planted.make('admin');
    const url = new URL(await newPostgresDatabase());
    url.password = planted.make('database');
    const env = { ...environment(planted, adminSecret), SEKISHO_DATABASE_URL: url.href };
    const server = await startProcess({ env });
    try {
      await exercise(server, planted, adminSecret);
    } finally {
      await server.stop();
    }
    planted.assertAbsent(server.stderr(), 'standard error');
    planted.assertAbsent(server.stdout(), 'standard output');
    const tables = await dump(url.href);
    assert.ok((tables.get('log_events') ?? '').split('\n').length > 20, 'refusals were logged');
    for (const [name, rows] of tables) planted.assertAbsent(rows, `the table ${name}`);
  });

  test('a start that fails tells what is wrong, and not the password', async () => {
    const planted = new Planted();
    const port = await freePort();
    const env = {
      ...environment(planted, planted.make('admin')),
      SEKISHO_DATABASE_URL: `postgres://sekisho:${planted.make('database')}@127.0.0.1:${port}/none`,
    };
    await assert.rejects(startProcess({ env }), (error: Error) => {
      assert.match(error.message, /SEKISHO_DATABASE_URL/);
      planted.assertAbsent(error.message, 'standard error');
      return true;
    });
  });

  test('a secret that can not be used is not repeated by the line that says so', async () => {
    const planted = new Planted();
    const env = {
      ...environment(planted, planted.make('admin')),
      SEKISHO_ADMIN_CLIENT_SECRET: planted.note('weak secret', 'MRK-weakweakweakweakweakweakweakweakweak'),
      SEKISHO_MASTER_KEY: planted.note('bad key', 'MRK-not-a-master-key-at-all'),
    };
    await assert.rejects(startProcess({ env }), (error: Error) => {
      assert.match(error.message, /SEKISHO_/);
      planted.assertAbsent(error.message, 'standard error');
      return true;
    });
  });
});
