import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { decodeJwt } from 'jose';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { type ServerProcess, startProcess } from '../process.ts';
import { exchange, type RawAnswer } from './raw.ts';

/** One request of every surface. */
const surfaces = [
  'GET /.well-known/openid-configuration',
  'GET /.well-known/oauth-authorization-server',
  'GET /.well-known/jwks.json',
  'POST /oauth/token',
  'POST /oauth2/token',
  'POST /oauth/introspect',
  'POST /oauth/revoke',
  'GET /api/tenants',
  'GET /api/nothing',
  'GET /api/v2/clients',
  'GET /api/v2/nothing',
  'GET /nothing',
  'GET /',
];

eachEngine('hosts', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({
      engine,
      env: {
        SEKISHO_EXTRA_HOSTS: 'api.example.com,deep.localhost,ported.example:8443,2001:db8::1',
        SEKISHO_TRUSTED_PROXIES: '127.0.0.2',
      },
    });
    const token = await server.managementToken(server.nativeAudience);
    const created = await server.request('POST', '/api/tenants', { token, json: { id: 'acme', name: 'Acme' } });
    assert.equal(created.status, 201, created.text);
  });
  after(() => server.close());

  /** A request with these header lines; `Connection: close` is added. */
  const send = (requestLine: string, headers: string[], body = '', version = 'HTTP/1.1'): Promise<RawAnswer> =>
    exchange(
      server.port,
      `${[`${requestLine} ${version}`, ...headers, 'Connection: close', ...(body ? [`Content-Length: ${body.length}`] : [])].join('\r\n')}\r\n\r\n${body}`,
    );
  const discovery = (...headers: string[]) => send('GET /.well-known/openid-configuration', headers);
  const ours = () => `localhost:${server.port}`;

  test('the base host, its loopback names and the extra hosts are one tenant under one issuer', async () => {
    const { port } = server;
    const hosts = [
      `localhost:${port}`,
      `LOCALHOST:${port}`,
      `127.0.0.1:${port}`,
      `[::1]:${port}`,
      `api.example.com:${port}`,
      'api.example.com',
      'API.Example.Com',
      'api.example.com:443',
      'deep.localhost',
      `deep.localhost:${port}`,
      'ported.example:8443',
      '[2001:db8::1]',
    ];
    for (const host of hosts) {
      const { status, body } = await discovery(`Host: ${host}`);
      assert.equal(status, 200, host);
      assert.equal(body.issuer, server.issuer, host);
      for (const [name, value] of Object.entries(body)) {
        if (!name.endsWith('_endpoint') && name !== 'jwks_uri') continue;
        assert.ok(String(value).startsWith(server.issuer), `${host}: ${name}`);
      }
    }
  });

  test('a tenant has its own issuer at its name below each of them, built from the base URL', async () => {
    for (const host of [`acme.localhost:${server.port}`, 'acme.api.example.com', 'acme.ported.example:8443']) {
      const { status, body } = await discovery(`Host: ${host}`);
      assert.equal(status, 200, host);
      assert.equal(body.issuer, `http://acme.localhost:${server.port}/`, host);
    }
    const unknown = await discovery(`Host: nobody.localhost:${server.port}`);
    assert.equal(unknown.status, 404);
  });

  test('a token asked for at an extra host has the one issuer and is good at every host', async () => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: admin.clientId,
      client_secret: admin.clientSecret,
      audience: server.nativeAudience,
    }).toString();
    const form = 'Content-Type: application/x-www-form-urlencoded';
    const answer = await send('POST /oauth/token', ['Host: api.example.com', form], body);
    assert.equal(decodeJwt(answer.body.access_token).iss, server.issuer);
    for (const host of ['api.example.com', ours()]) {
      const list = await send('GET /api/tenants', [
        `Host: ${host}`,
        `Authorization: Bearer ${answer.body.access_token}`,
      ]);
      assert.equal(list.status, 200, host);
    }
    const other = [`Host: acme.localhost:${server.port}`, `Authorization: Bearer ${answer.body.access_token}`];
    assert.equal((await send('GET /api/v2/clients', other)).status, 401, 'of another tenant');
  });

  test('an unknown host is refused on every surface, and nothing is logged or changed', async () => {
    const was = [await server.stateHash(), (await server.logEvents()).length];
    for (const surface of surfaces) {
      const { status, text } = await send(surface, ['Host: evil.example']);
      assert.equal(status, 421, surface);
      assert.doesNotMatch(text, /evil|localhost/, 'neither what was sent nor what would be right');
    }
    assert.deepEqual([await server.stateHash(), (await server.logEvents()).length], was);
  });

  test('a host that is nearly ours is not ours', async () => {
    const { port } = server;
    const hosts = [
      'localhost',
      `localhost:${port + 1}`,
      `localhost:0${port}`,
      `localhost:${port}:${port}`,
      `localhost:${port}@evil.example`,
      `user@localhost:${port}`,
      `user:pass@localhost:${port}`,
      `evil.example@localhost:${port}`,
      `localhost:${port}#@evil.example`,
      `localhost:${port}/evil`,
      `localhost.evil.example:${port}`,
      `evillocalhost:${port}`,
      `a.b.localhost:${port}`,
      `default.localhost:${port}`,
      `-.localhost:${port}`,
      `localhost.:${port}`,
      `.localhost:${port}`,
      `localhost:${port},evil.example`,
      'ported.example',
      `ported.example:${port}`,
      'api.example.com:8443',
      `0x7f.1:${port}`,
      `2130706433:${port}`,
      '[::1',
      '*',
      '%6c%6fcalhost',
    ];
    for (const host of hosts) assert.equal((await discovery(`Host: ${host}`)).status, 421, host);
  });

  test('two Host headers, an empty one or none are refused', async () => {
    const twice = [
      [`Host: ${ours()}`, 'Host: evil.example'],
      ['Host: evil.example', `Host: ${ours()}`],
      [`Host: ${ours()}`, `hOST: ${ours()}`],
    ];
    for (const headers of twice) {
      for (const surface of ['GET /.well-known/jwks.json', 'GET /api/tenants', 'GET /api/v2/clients']) {
        assert.ok([400, 421].includes((await send(surface, headers)).status), `${surface} ${headers}`);
      }
    }
    assert.ok([400, 421].includes((await discovery('Host:')).status));
    assert.equal((await discovery()).status, 400, 'HTTP/1.1 asks for one (RFC 9112 §3.2)');
    assert.equal((await send('GET /.well-known/jwks.json', [], '', 'HTTP/1.0')).status, 421);
  });

  test('an absolute request target that names another host than the header is refused', async () => {
    const path = '/.well-known/openid-configuration';
    const ask = (target: string, host: string) => send(`GET ${target}`, [`Host: ${host}`]);
    for (const target of [
      `http://evil.example${path}`,
      `http://acme.${ours()}${path}`,
      `http://u@evil.example${path}`,
    ]) {
      assert.ok([400, 404, 421].includes((await ask(target, ours())).status), target);
    }
    assert.ok([400, 404, 421].includes((await ask(`http://${ours()}${path}`, 'evil.example')).status));
    const same = await ask(`http://${ours()}${path}`, ours());
    if (same.status === 200) assert.equal(same.body.issuer, server.issuer);
    else assert.ok([400, 404].includes(same.status));
    for (const surface of surfaces) {
      const [method, at] = surface.split(' ');
      const { status } = await send(`${method} http://evil.example${at}`, [`Host: ${ours()}`]);
      assert.ok([400, 404, 421].includes(status), `${surface}: ${status}`);
    }
  });

  test('headers that claim another host, scheme or path change nothing', async () => {
    const [plain] = [await discovery(`Host: ${ours()}`)];
    const claims = [
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 443',
      'X-Forwarded-Prefix: /evil',
      'X-Forwarded-Server: evil.example',
      'X-Original-Host: evil.example',
      'X-Host: evil.example',
      'Forwarded: for=1.2.3.4;host=evil.example;proto=https',
      'X-Original-URL: /api/v2/clients',
      'X-Rewrite-URL: /api/v2/clients',
      'X-HTTP-Method-Override: DELETE',
      'Front-End-Https: on',
    ];
    for (const claim of [...claims, claims.join('\r\n')]) {
      const answer = await discovery(`Host: ${ours()}`, claim);
      assert.equal(answer.status, 200, claim);
      assert.deepEqual(answer.body, plain.body, claim);
      const refused = await discovery('Host: evil.example', claim, `X-Forwarded-Host: ${ours()}`);
      assert.equal(refused.status, 421, claim);
    }
  });

  test('an address is taken from X-Forwarded-For only when a trusted proxy sends it', async () => {
    const form = 'Content-Type: application/x-www-form-urlencoded';
    const body = 'grant_type=client_credentials&client_id=forwarded&client_secret=x&audience=y';
    const headers = [
      'X-Forwarded-For: 203.0.113.7, 127.0.0.2',
      'X_Forwarded_For: 203.0.113.8',
      'X-Real-IP: 203.0.113.9',
      'X-Client-IP: 203.0.113.10',
      'CF-Connecting-IP: 203.0.113.11',
      'True-Client-IP: 203.0.113.12',
      'Forwarded: for=203.0.113.13',
    ];
    const ipOf = async (...more: string[]) => {
      await send('POST /oauth/token', [`Host: ${ours()}`, form, ...more], body);
      return (await server.logEvents()).filter(({ client_id }) => client_id === 'forwarded').at(-1)?.ip;
    };
    assert.equal(await ipOf(...headers), '127.0.0.1', '127.0.0.1 is no trusted proxy here');
    const trusting = await startServer({ engine, env: { SEKISHO_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' } });
    try {
      const through = async (...forwarded: string[]) => {
        const text = [
          'POST /oauth/token HTTP/1.1',
          `Host: localhost:${trusting.port}`,
          form,
          `Content-Length: ${body.length}`,
          ...forwarded.map((value) => `X-Forwarded-For: ${value}`),
          'Connection: close',
        ];
        await exchange(trusting.port, `${text.join('\r\n')}\r\n\r\n${body}`);
        return (await trusting.logEvents()).filter(({ client_id }) => client_id === 'forwarded').at(-1)?.ip;
      };
      assert.equal(await through('203.0.113.7'), '203.0.113.7');
      assert.equal(await through('1.1.1.1, 203.0.113.7, 10.1.2.3'), '203.0.113.7', 'the first that is not trusted');
      assert.equal(await through('1.1.1.1', '203.0.113.7, 10.1.2.3'), '203.0.113.7', 'several headers are one list');
      assert.equal(await through('evil.example'), '127.0.0.1', 'never resolved');
      assert.equal(await through('203.0.113.7, evil.example'), '127.0.0.1');
    } finally {
      await trusting.close();
    }
  });

  test('over http the https twin of a management audience is an alias of it', async () => {
    for (const audience of [server.managementAudience, server.nativeAudience]) {
      const twin = audience.replace('http:', 'https:');
      const answer = await server.token({
        client_id: admin.clientId,
        client_secret: admin.clientSecret,
        audience: twin,
      });
      assert.equal(answer.status, 200, answer.text);
      const { aud, iss } = decodeJwt(answer.body.access_token);
      assert.deepEqual([iss, aud], [server.issuer, twin], 'the audience is the one that was asked for');
      const path = audience === server.nativeAudience ? '/api/tenants' : '/api/v2/clients';
      assert.equal((await server.request('GET', path, { token: answer.body.access_token })).status, 200);
    }
    const answer = await server.token({
      client_id: admin.clientId,
      client_secret: admin.clientSecret,
      audience: `https://acme.localhost:${server.port}/api`,
    });
    assert.equal(answer.status, 403, 'of another tenant it is not');
  });
});

describe('a public base URL behind a proxy', () => {
  test('decides issuer, links and audiences, whatever the process listens on', async () => {
    const server = await startServer({ env: { SEKISHO_URL: 'https://auth.example.com' } });
    try {
      const at = (host: string) =>
        exchange(
          server.port,
          `GET /.well-known/openid-configuration HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        );
      for (const host of ['auth.example.com', 'auth.example.com:443']) {
        const { body } = await at(host);
        assert.equal(body.issuer, 'https://auth.example.com/');
        assert.equal(body.token_endpoint, 'https://auth.example.com/oauth/token');
      }
      for (const host of [`auth.example.com:${server.port}`, `localhost:${server.port}`, `127.0.0.1:${server.port}`]) {
        assert.equal((await at(host)).status, 421, host);
      }
    } finally {
      await server.close();
    }
  });
});

describe('SEKISHO_HTTPS=local', () => {
  let server: ServerProcess;
  let ca: string;
  before(async () => {
    server = await startProcess({ env: { SEKISHO_HTTPS: 'local', SEKISHO_EXTRA_HOSTS: 'api.example.com' } });
    ca = readFileSync(server.ca ?? '', 'utf8');
    const token = await ask('localhost', 'POST /oauth/token', {
      grant_type: 'client_credentials',
      client_id: server.clientId,
      client_secret: server.clientSecret,
      audience: server.report.nativeApi,
    });
    for (const id of ['acme', 'other']) {
      const headers = { authorization: `Bearer ${token.body.access_token}` };
      const created = await ask('localhost', 'POST /api/tenants', { id, name: id }, headers);
      assert.equal(created.status, 201, created.text);
    }
  });
  after(() => server.stop());

  const path = '/.well-known/openid-configuration';

  /** A request with the TLS name and the Host header that are given; the certificate is checked for the TLS name. */
  function ask(
    servername: string,
    requestLine: string,
    json?: Record<string, unknown>,
    headers: Record<string, string> = {},
    host = servername,
  ): Promise<RawAnswer> {
    const body = json === undefined ? '' : JSON.stringify(json);
    const lines = Object.entries({
      Host: `${host}:${server.port}`,
      Connection: 'close',
      ...(body ? { 'Content-Type': 'application/json', 'Content-Length': String(body.length) } : {}),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}`);
    const tls: ConnectionOptions = {
      servername,
      ca,
      checkServerIdentity: (_host, cert) => checkServerIdentity(servername, cert),
    };
    return exchange(server.port, `${requestLine} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`, tls);
  }

  test('every known host has a certificate that its name and the authority prove', async () => {
    for (const [name, issuer] of [
      ['localhost', 'localhost'],
      ['api.example.com', 'localhost'],
      ['acme.localhost', 'acme.localhost'],
      ['other.localhost', 'other.localhost'],
      ['acme.api.example.com', 'acme.localhost'],
    ] as const) {
      const answer = await ask(name, `GET ${path}`);
      assert.equal(answer.status, 200, name);
      assert.equal(answer.body.issuer, `https://${issuer}:${server.port}/`, name);
    }
  });

  test('a handshake for one tenant with a Host header of another is refused on every surface', async () => {
    for (const surface of surfaces) {
      for (const [name, host] of [
        ['acme.localhost', 'other.localhost'],
        ['acme.localhost', 'localhost'],
        ['localhost', 'acme.localhost'],
      ] as const) {
        assert.equal((await ask(name, surface, undefined, {}, host)).status, 421, `${surface} ${name} ${host}`);
      }
    }
  });

  test('two names of one tenant may meet in one request', async () => {
    const answer = await ask('localhost', `GET ${path}`, undefined, {}, 'api.example.com');
    assert.equal(answer.status, 200);
    assert.equal(answer.body.issuer, server.report.issuer);
  });

  test('a handshake for an unknown host is refused', async () => {
    for (const name of ['evil.example', 'a.b.localhost', 'default.localhost', 'localhost.evil.example']) {
      await assert.rejects(ask(name, `GET ${path}`), name);
    }
    assert.equal((await ask('localhost', `GET ${path}`)).status, 200, 'the server lives');
  });

  test('http on the https port is no way in', async () => {
    const plain = exchange(server.port, `GET ${path} HTTP/1.1\r\nHost: localhost:${server.port}\r\n\r\n`);
    const answer = await plain.catch(() => undefined);
    assert.ok(answer === undefined || answer.status === 0 || answer.status === 400);
  });

  test('old TLS is refused', async () => {
    await assert.rejects(
      exchange(server.port, '', { servername: 'localhost', ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }),
    );
  });
});
