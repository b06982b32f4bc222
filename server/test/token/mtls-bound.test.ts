/** Tokens bound to a certificate (RFC 8705 §3), and certificates that a proxy tells of. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { readCertificate } from '../../src/http/edge/client-certificate.ts';
import { pem } from '../../src/kernel/der.ts';
import { admin, eachEngine, freePort, startServer, type TestServer } from '../harness.ts';
import { authority, certificate, type Shown, send, trust } from './client-certificates.ts';
import { holder, proofOf, tokenUrl } from './dpop-proofs.ts';
import { refused, withoutLimits } from './refusals.ts';

const thumbprintOf = (shown: Shown) => createHash('sha256').update(shown.der).digest('base64url');

/** Makes the tokens of a client bound, or not. */
async function bind(server: TestServer, clientId: string, json: Record<string, boolean>): Promise<void> {
  const token = await server.managementToken(server.nativeAudience);
  const answer = await server.request('PATCH', `/api/applications/${clientId}/token-binding`, { token, json });
  assert.equal(answer.status, 200, answer.text);
}

eachEngine('tokens bound to a certificate', (engine) => {
  let server: TestServer;
  let [own, other]: Shown[] = [];
  let clientId: string;
  let clientSecret: string;
  before(async () => {
    const env = { ...withoutLimits, SEKISHO_HTTPS: 'local', SEKISHO_TLS_CLIENT_CERTIFICATES: 'ask' };
    server = await startServer({ engine, env });
    trust(server);
    [own, other] = [await certificate(), await certificate()];
    const client = await server.manage('POST', '/clients', { name: 'Manager', app_type: 'non_interactive' });
    ({ client_id: clientId, client_secret: clientSecret } = client);
    for (const audience of [server.managementAudience, server.nativeAudience]) {
      const scope = audience === server.nativeAudience ? ['all'] : ['read:clients'];
      await server.manage('POST', '/client-grants', { client_id: clientId, audience, scope });
    }
    await bind(server, clientId, { bindsTokensToCertificate: true });
  });
  after(() => server?.close());

  const ask = (shown: Shown | undefined, audience = server.managementAudience, headers = {}) => {
    const parameters = { client_id: clientId, client_secret: clientSecret, audience };
    const form = { grant_type: 'client_credentials', ...parameters };
    return send(server, shown, 'POST', '/oauth/token', { form, headers });
  };

  test('the token names the certificate and is a bearer token', async () => {
    const answer = await ask(own);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.token_type, 'Bearer');
    assert.deepEqual(decodeJwt(answer.body.access_token).cnf, { 'x5t#S256': thumbprintOf(own as Shown) });
    const form = { token: answer.body.access_token, client_id: clientId, client_secret: clientSecret };
    const told = await server.request('POST', '/oauth/introspect', { form });
    assert.deepEqual(told.body.cnf, { 'x5t#S256': thumbprintOf(own as Shown) });
    assert.equal(told.body.token_type, 'Bearer');
  });

  test('there is none without a certificate', async () => {
    await refused(server, () => ask(undefined), {
      status: 400,
      error: 'invalid_request',
      description: 'The client must show its certificate.',
      reason: 'certificate_missing',
    });
  });

  for (const [name, path, isNative] of [
    ['Auth0', '/api/v2/clients', false],
    ['native', '/api/applications', true],
    ['accounts', '/api/accounts', true],
  ] as const) {
    test(`the ${name} API takes it with that certificate only`, async () => {
      const audience = isNative ? server.nativeAudience : server.managementAudience;
      const { access_token: token } = (await ask(own, audience)).body;
      const call = (shown: Shown | undefined, scheme = 'Bearer') =>
        send(server, shown, 'GET', path, { headers: { authorization: `${scheme} ${token}` } });
      const answer = await call(own);
      assert.equal(answer.status, 200, answer.text);
      const before = { state: await server.stateHash(), events: (await server.logEvents()).length };
      const refusals = [await call(undefined), await call(other), await call(own, 'DPoP')];
      assert.deepEqual(
        refusals.map(({ status }) => status),
        [401, 401, 401],
      );
      for (const { headers } of refusals) assert.match(headers.get('www-authenticate') ?? '', /error="invalid_token"/);
      assert.equal(await server.stateHash(), before.state);
      const events = (await server.logEvents()).slice(before.events);
      assert.deepEqual(
        events.map(({ kind, description }) => [kind, description]),
        [
          ['access.refused', 'the token is bound to a certificate; none was shown'],
          ['access.refused', 'the token is bound to another certificate'],
          ['access.refused', 'the token is not bound to a key'],
        ],
      );
    });
  }

  test('with a DPoP proof beside it, it is bound to both', async () => {
    const alice = holder();
    const dpop = await proofOf(alice, 'POST', tokenUrl(server));
    const { token_type: type, access_token: token } = (await ask(own, server.managementAudience, { dpop })).body;
    assert.equal(type, 'DPoP');
    assert.deepEqual(decodeJwt(token).cnf, { jkt: alice.thumbprint, 'x5t#S256': thumbprintOf(own as Shown) });
    const call = async (shown?: Shown) => {
      const proof = await proofOf(alice, 'GET', `${server.origin}/api/v2/clients`, { token });
      const headers = { authorization: `DPoP ${token}`, dpop: proof };
      return (await send(server, shown, 'GET', '/api/v2/clients', { headers })).status;
    };
    assert.deepEqual([await call(own), await call(), await call(other)], [200, 401, 401]);
  });

  test('a client that is not set so gets unbound tokens, whatever it shows', async () => {
    const parameters = {
      client_id: admin.clientId,
      client_secret: admin.clientSecret,
      audience: server.nativeAudience,
    };
    const form = { grant_type: 'client_credentials', ...parameters };
    const answer = await send(server, own, 'POST', '/oauth/token', { form });
    assert.equal(decodeJwt(answer.body.access_token).cnf, undefined);
  });

  test('without a trusted authority there is no tls_client_auth, and self-signed certificates work', async () => {
    const { body } = await send(server, undefined, 'GET', '/.well-known/openid-configuration');
    const methods = body.token_endpoint_auth_methods_supported;
    assert.ok(methods.includes('self_signed_tls_client_auth') && !methods.includes('tls_client_auth'));
  });
});

describe('certificates in a header', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-mtls-'));
  const headerName = 'X-SSL-Client-Cert';
  let trusted: Shown;
  let own: Shown;
  before(async () => {
    trusted = await authority('Clients');
    own = await certificate({ by: trusted });
    writeFileSync(join(folder, 'clients.pem'), trusted.cert);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const dn = 'CN=warehouse,O=Example,C=JP';
  const client = {
    client_authentication_methods: {
      tls_client_auth: { credentials: [{ credential_type: 'cert_subject_dn', subject_dn: dn }] },
    },
  };
  const escaped = () => encodeURIComponent(own.cert);

  async function serving(env: Record<string, string>, run: (server: TestServer, ask: Ask) => Promise<void>) {
    const server = await startServer({ env: { ...withoutLimits, ...env } });
    try {
      const machine = await server.machine({ client });
      const parameters = { client_id: machine.clientId, audience: machine.audience };
      await run(server, (headers) => server.token(parameters, headers));
    } finally {
      await server.close();
    }
  }
  type Ask = (headers: Record<string, string>) => ReturnType<TestServer['token']>;
  const viaProxy = (addresses: string): Record<string, string> => ({
    SEKISHO_CLIENT_CERTIFICATE_HEADER: headerName,
    SEKISHO_TLS_CLIENT_CA: join(folder, 'clients.pem'),
    SEKISHO_TRUSTED_PROXIES: addresses,
  });

  test('of a trusted proxy counts, however the proxy writes it', async () => {
    await serving(viaProxy('127.0.0.1,::1'), async (_server, ask) => {
      const base64 = own.der.toString('base64');
      const written = [
        escaped(),
        own.cert.trim().replaceAll('\n', ' '),
        own.cert.trim().replaceAll('\n', '\t'),
        base64,
        encodeURIComponent(base64),
        `:${base64}:`,
      ];
      for (const value of written) {
        const answer = await ask({ [headerName]: value });
        assert.equal(answer.status, 200, `${value.slice(0, 40)}: ${answer.text}`);
      }
      const wrong = [
        '',
        'x',
        '%',
        '%ZZ',
        `${escaped()},${escaped()}`,
        base64.slice(8),
        `${base64.replace(/=+$/, '')}${'A'.repeat(12_000)}`,
      ];
      for (const value of wrong) {
        const answer = await ask({ [headerName]: value });
        assert.equal(answer.status, 401, `${value.slice(0, 40)}: ${answer.text}`);
      }
      for (const name of ['X-Forwarded-Client-Cert', 'Ssl-Client-Cert', 'X-Client-Verify', 'Client-Cert']) {
        assert.equal((await ask({ [name]: escaped() })).status, 401, name);
      }
    });
  });

  test('is verified like one shown in TLS', async () => {
    const bad = [
      await certificate({ by: await authority('Clients') }),
      await certificate({ by: trusted, notAfter: Date.now() - 1000 }),
      await certificate({ by: trusted, name: [{ CN: ['other'] }] }),
    ];
    await serving(viaProxy('127.0.0.1,::1'), async (server, ask) => {
      for (const shown of bad) {
        const header = { [headerName]: encodeURIComponent(shown.cert) };
        await refused(server, () => ask(header), {
          status: 401,
          error: 'invalid_client',
          reason: 'certificate_invalid',
        });
      }
    });
  });

  test('of any other peer is ignored, and so is every header where none is set', async () => {
    const headers = [headerName, 'X-Forwarded-Client-Cert', 'Ssl-Client-Cert', 'X-Client-Verify', 'Client-Cert'];
    const from = { 'x-forwarded-for': '10.0.0.1', 'x-client-verify': 'SUCCESS' };
    for (const env of [viaProxy('10.0.0.1'), {}] as Record<string, string>[]) {
      await serving(env, async (server, ask) => {
        for (const name of headers) {
          await refused(server, () => ask({ ...from, [name]: escaped() }), {
            status: 401,
            error: 'access_denied',
            reason: 'credentials_missing',
          });
        }
      });
    }
  });

  test('from a trusted proxy comes before the certificate of its own connection', async () => {
    const env = { ...viaProxy('127.0.0.1,::1'), SEKISHO_HTTPS: 'local', SEKISHO_TLS_CLIENT_CERTIFICATES: 'ask' };
    const server = await startServer({ env: { ...withoutLimits, ...env } });
    try {
      trust(server);
      const machine = await server.machine({ client });
      const parameters = { client_id: machine.clientId, audience: machine.audience };
      const form = { grant_type: 'client_credentials', ...parameters };
      const ask = async (shown: Shown | undefined, headers: Record<string, string> = {}) =>
        (await send(server, shown, 'POST', '/oauth/token', { form, headers })).status;
      const header = { [headerName]: escaped() };
      assert.deepEqual([await ask(undefined, header), await ask(own), await ask(own, header)], [200, 401, 200]);
    } finally {
      await server.close();
    }
  });

  test('a server that does not ask in TLS is shown none', async () => {
    const server = await startServer({ env: { ...withoutLimits, SEKISHO_HTTPS: 'local' } });
    try {
      trust(server);
      const machine = await server.machine({ client });
      const parameters = { client_id: machine.clientId, audience: machine.audience };
      const form = { grant_type: 'client_credentials', ...parameters };
      assert.equal((await send(server, own, 'POST', '/oauth/token', { form })).body.error, 'access_denied');
      const { body } = await send(server, undefined, 'GET', '/.well-known/openid-configuration');
      assert.ok(!JSON.stringify(body).includes('tls_client_auth'));
      assert.equal(body.tls_client_certificate_bound_access_tokens, false);
    } finally {
      await server.close();
    }
  });

  test('a certificate is read to its end, and nothing may follow it, whatever its length', async () => {
    // Base64 has no padding behind a length that 3 divides: what follows there is read as more bytes.
    for (const der of await ofEachRemainder()) {
      assert.deepEqual(readCertificate(der.toString('base64')), der);
      for (const more of ['A', '\0', '\0\0\0', der]) {
        const longer = Buffer.concat([der, Buffer.from(more)]);
        assert.equal(readCertificate(longer.toString('base64')), undefined, `${der.length} and ${more.length} bytes`);
        assert.equal(readCertificate(encodeURIComponent(pem('CERTIFICATE', longer))), undefined);
      }
      assert.equal(readCertificate(der.subarray(0, -1).toString('base64')), undefined);
    }
  });

  /** Certificates whose lengths leave 0, 1 and 2 when divided by 3. */
  async function ofEachRemainder(): Promise<Buffer[]> {
    const found = new Map<number, Buffer>();
    for (let length = 1; found.size < 3; length++) {
      const { der } = await certificate({ name: [{ CN: ['c'.repeat(length)] }] });
      found.set(der.length % 3, der);
    }
    return [...found.values()];
  }

  test('what is no certificate is none', () => {
    for (const header of [undefined, '', ['a', 'b'], ':', '::', '-----BEGIN CERTIFICATE-----', 'a b', '%00']) {
      assert.equal(readCertificate(header), undefined, String(header));
    }
  });
});

describe('SEKISHO_TLS_CLIENT_CA', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-mtls-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('a file that is missing, empty, or holds what is no authority: the start ends with one line', async () => {
    const leaf = await certificate();
    const files: [name: string, text: string | undefined, message: RegExp][] = [
      ['missing.pem', undefined, /can not be read \(ENOENT\)/],
      ['empty.pem', '', /holds no certificate/],
      ['leaf.pem', `${(await authority('A')).cert}\n${leaf.cert}`, /certificate 2 of .* is not one of an authority/],
      ['broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /can not be read: take it out/],
    ];
    const dataDir = join(folder, 'data');
    for (const [name, text, message] of files) {
      if (text !== undefined) writeFileSync(join(folder, name), text);
      const env = {
        SEKISHO_PORT: String(await freePort()),
        SEKISHO_DATA_DIR: dataDir,
        SEKISHO_HTTPS: 'local',
        SEKISHO_TLS_CLIENT_CERTIFICATES: 'ask',
        SEKISHO_TLS_CLIENT_CA: join(folder, name),
      };
      await assert.rejects(startServer({ env }), (error: Error) => {
        assert.equal(error.name, 'ConfigError');
        assert.match(error.message, /^SEKISHO_TLS_CLIENT_CA /);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    }
    const { existsSync } = await import('node:fs');
    assert.equal(existsSync(dataDir), false, 'nothing was written');
  });
});
