/** Clients that prove themselves by certificates (RFC 8705 §2), shown in TLS. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { x509Library } from '../../src/kernel/x509-library.ts';
import { type Answer, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import {
  authority,
  type CertificateOptions,
  certificate,
  clientAuth,
  type Shown,
  send,
  serverAuth,
  trust,
  warehouse,
} from './client-certificates.ts';
import { refused, visible, withoutLimits } from './refusals.ts';

const day = 86_400_000;
const invalid = { status: 401, error: 'invalid_client', description: 'The client certificate is not valid.' };
const dn = 'CN=warehouse,O=Example,C=JP';
const bySubject = (credential: Record<string, unknown> = { subject_dn: dn }) => ({
  client_authentication_methods: {
    tls_client_auth: { credentials: [{ credential_type: 'cert_subject_dn', ...credential }] },
  },
});
const byItself = (shown: Shown) => ({
  client_authentication_methods: {
    self_signed_tls_client_auth: { credentials: [{ credential_type: 'x509_cert', pem: shown.cert }] },
  },
});

eachEngine('client certificates in TLS', (engine) => {
  const clock = new TestClock();
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-mtls-'));
  let server: TestServer;
  let [trusted, second, stranger]: Shown[] = [];
  let good: Shown;
  let machine: Awaited<ReturnType<TestServer['machine']>>;

  before(async () => {
    trusted = await authority('Clients of Example');
    second = await authority('Further clients');
    stranger = await authority('Clients of Example');
    writeFileSync(join(folder, 'clients.pem'), `${trusted.cert}\n${second.cert}`);
    server = await startServer({
      engine,
      clock,
      env: {
        ...withoutLimits,
        SEKISHO_HTTPS: 'local',
        SEKISHO_TLS_CLIENT_CERTIFICATES: 'ask',
        SEKISHO_TLS_CLIENT_CA: join(folder, 'clients.pem'),
      },
    });
    trust(server);
    machine = await server.machine({ client: bySubject() });
    good = await certificate({ by: trusted, usages: [clientAuth] });
  });
  after(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const form = (of = machine) => ({ grant_type: 'client_credentials', client_id: of.clientId, audience: of.audience });
  const ask = (shown: Shown | undefined, of = machine, more: Record<string, string> = {}): Promise<Answer> =>
    send(server, shown, 'POST', '/oauth/token', { form: { ...form(of), ...more } });

  describe('tls_client_auth', () => {
    test('a certificate of a trusted authority with the registered subject gives a token', async () => {
      assert.equal(machine.clientSecret, undefined);
      for (const shown of [good, await certificate({ by: second as Shown, usages: [serverAuth, clientAuth] })]) {
        const answer = await ask(shown);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.token_type, 'Bearer');
      }
      assert.equal((await ask(await certificate({ by: trusted as Shown }))).status, 200, 'no usage named: any');
    });

    test('a subject is the same however it is written', async () => {
      const same = [
        'cn=warehouse, o=Example, c=JP',
        '2.5.4.3=warehouse,2.5.4.10=Example,2.5.4.6=JP',
        'CN=\\77arehouse,O=#0c074578616d706c65,C=JP',
        'C=JP\nO=Example\nCN=warehouse',
      ];
      for (const subject_dn of same) {
        const target = await server.machine({ client: bySubject({ subject_dn }) });
        assert.equal((await ask(good, target)).status, 200, subject_dn);
      }
      const byPem = await server.machine({ client: bySubject({ pem: good.cert }) });
      const another = await certificate({ by: trusted as Shown, usages: [clientAuth] });
      assert.equal((await ask(another, byPem)).status, 200, 'its subject counts, not the certificate');
    });

    const wrong: [name: string, shown: () => Promise<CertificateOptions>, detail: RegExp][] = [
      ['of an unknown authority of the same name', async () => ({ by: stranger as Shown }), /no trusted authority/],
      ['that nobody signed', async () => ({}), /no trusted authority/],
      ['that is expired', async () => ({ by: trusted as Shown, notAfter: Date.now() - 1000 }), /expired/],
      [
        'that is not yet valid',
        async () => ({ by: trusted as Shown, notBefore: Date.now() + 60_000 }),
        /not yet valid/,
      ],
      ['signed by a client', async () => ({ by: await certificate({ by: trusted as Shown }) }), /no trusted authority/],
      ['of an authority', async () => ({ by: trusted as Shown, isAuthority: true }), /one of an authority/],
      ['for servers', async () => ({ by: trusted as Shown, usages: [serverAuth] }), /not for clients/],
      ['not to sign with', async () => ({ by: trusted as Shown, keyUsage: 1 << 2 }), /not to sign with/],
      [
        'with an unknown critical extension',
        async () => {
          const { Extension } = await x509Library();
          return { by: trusted as Shown, extensions: [new Extension('1.2.3.4', true, Buffer.of(5, 0))] };
        },
        /not known/,
      ],
      ['of another subject', async () => ({ by: trusted as Shown, name: [{ CN: ['other'] }] }), /registered no such/],
      ['of the subject reversed', async () => ({ by: trusted as Shown, name: warehouse.toReversed() }), /no such/],
      [
        'of the subject in another case',
        async () => ({ by: trusted as Shown, name: [{ C: ['JP'] }, { O: ['Example'] }, { CN: ['Warehouse'] }] }),
        /no such/,
      ],
      [
        'whose one value looks like the whole subject',
        async () => ({ by: trusted as Shown, name: [{ CN: ['warehouse,O=Example,C=JP'] }] }),
        /no such/,
      ],
      ['without a subject', async () => ({ by: trusted as Shown, name: [] }), /no such/],
    ];
    for (const [name, options, detail] of wrong) {
      test(`a certificate ${name}: refused`, async () => {
        const shown = await certificate({ usages: [clientAuth], ...(await options()) });
        const { event } = await refused(server, () => ask(shown), { ...invalid, reason: 'certificate_invalid' });
        assert.match(event.description, detail);
      });
    }

    test('the same answer as for a client that does not exist, is public, or has another method', async () => {
      const secret = await server.machine();
      const open = await server.machine({ client: { app_type: 'spa', token_endpoint_auth_method: 'none' } });
      const bad = await certificate({ by: stranger as Shown });
      const seen: Answer[] = [];
      for (const [of, reason] of [
        [{ ...machine, clientId: 'nobody' }, 'client_unknown'],
        [secret, 'auth_method_not_registered'],
        [open, 'client_public'],
        [machine, 'certificate_invalid'],
      ] as const) {
        seen.push((await refused(server, () => ask(bad, of), { ...invalid, reason })).answer);
      }
      for (const answer of seen) assert.deepEqual(visible(answer), visible(seen[0] as Answer));
    });

    test('without a certificate: refused like an unknown client', async () => {
      const expected = { status: 401, error: 'access_denied', description: 'Unauthorized' };
      const { answer } = await refused(server, () => ask(undefined), { ...expected, reason: 'credentials_missing' });
      const nobody = await ask(undefined, { ...machine, clientId: 'nobody' });
      assert.deepEqual(visible(answer), visible(nobody));
    });

    test('a secret does not help, and is none beside the certificate', async () => {
      await refused(server, () => ask(good, machine, { client_secret: 'x'.repeat(64) }), {
        status: 401,
        error: 'access_denied',
        reason: 'auth_method_not_registered',
      });
    });

    test('a client with a secret goes on as before, whatever it shows in TLS', async () => {
      const target = await server.machine();
      const answer = await ask(good, target, { client_secret: target.clientSecret });
      assert.equal(answer.status, 200, answer.text);
    });

    test('introspection and revocation take it too', async () => {
      const { access_token: token } = (await ask(good)).body;
      const of = { token, client_id: machine.clientId };
      const tell = (shown?: Shown) => send(server, shown, 'POST', '/oauth/introspect', { form: of });
      assert.equal((await tell(good)).body.active, true);
      assert.equal((await tell()).status, 401);
      assert.equal((await send(server, good, 'POST', '/oauth/revoke', { form: of })).status, 200);
      assert.equal((await tell(good)).body.active, false);
    });

    test('the issuer below /oidc takes it too', async () => {
      const parameters = { grant_type: 'client_credentials', client_id: machine.clientId, resource: machine.audience };
      const answer = await send(server, good, 'POST', '/oidc/token', { form: parameters });
      assert.equal(answer.status, 200, answer.text);
      const bad = await certificate({ by: stranger as Shown });
      const refusal = await send(server, bad, 'POST', '/oidc/token', { form: parameters });
      assert.deepEqual([refusal.status, refusal.body.error], [401, 'invalid_client']);
    });

    test('its credential can expire, and be taken out', async () => {
      const expires_at = new Date(clock.now() + 3_600_000).toISOString();
      const target = await server.machine({ client: bySubject({ subject_dn: dn, expires_at }) });
      assert.equal((await ask(good, target)).status, 200);
      clock.advance(3_601_000);
      await refused(server, () => ask(good, target), { ...invalid, reason: 'certificate_invalid' });
      clock.advance(-3_601_000);
      const path = `/clients/${target.clientId}`;
      const [{ id }] = await server.manage('GET', `${path}/credentials`);
      await server.manage('PATCH', path, {
        client_authentication_methods: null,
        token_endpoint_auth_method: 'client_secret_post',
      });
      assert.equal((await ask(good, target)).status, 401);
      await server.manage('DELETE', `${path}/credentials/${id}`);
      assert.deepEqual(await server.manage('GET', `${path}/credentials`), []);
    });

    test('an authority that has expired vouches for nobody', async () => {
      const shown = await certificate({ by: trusted as Shown, notAfter: Date.now() + 3 * day });
      clock.advance(2 * day);
      const { event } = await refused(server, () => ask(shown), { ...invalid, reason: 'certificate_invalid' });
      clock.advance(-2 * day);
      assert.match(event.description, /authority of the certificate has expired/);
    });
  });

  describe('self_signed_tls_client_auth', () => {
    test('the registered certificate gives a token, and no other one of the same subject', async () => {
      const own = await certificate();
      const target = await server.machine({ client: byItself(own) });
      assert.equal((await ask(own, target)).status, 200);
      for (const other of [await certificate(), good]) {
        await refused(server, () => ask(other, target), { ...invalid, reason: 'certificate_invalid' });
      }
      const [shown] = await server.manage('GET', `/clients/${target.clientId}/credentials`);
      assert.equal(shown.credential_type, 'x509_cert');
      assert.ok(!JSON.stringify(shown).includes('BEGIN'));
    });

    test('it ends with its own time', async () => {
      const own = await certificate({ notAfter: Date.now() + 3_600_000 });
      const target = await server.machine({ client: byItself(own) });
      clock.advance(3_601_000);
      await refused(server, () => ask(own, target), { ...invalid, reason: 'certificate_invalid' });
      clock.advance(-3_601_000);
      assert.equal((await ask(own, target)).status, 200);
    });

    test('a change over: a second certificate, then the first is taken out', async () => {
      const [first, next] = [await certificate(), await certificate()];
      const target = await server.machine({ client: byItself(first) });
      const path = `/clients/${target.clientId}`;
      const [{ id: firstId }] = await server.manage('GET', `${path}/credentials`);
      const added = await server.manage('POST', `${path}/credentials`, {
        credential_type: 'x509_cert',
        pem: next.cert,
      });
      const refer = (...ids: string[]) =>
        server.manage('PATCH', path, {
          client_authentication_methods: {
            self_signed_tls_client_auth: { credentials: ids.map((id) => ({ id })) },
          },
        });
      const statuses = async () => [(await ask(first, target)).status, (await ask(next, target)).status];
      assert.deepEqual(await statuses(), [200, 401]);
      await refer(firstId, added.id);
      assert.deepEqual(await statuses(), [200, 200]);
      const client = await refer(added.id);
      assert.deepEqual(await statuses(), [401, 200]);
      assert.deepEqual(client.client_authentication_methods, {
        self_signed_tls_client_auth: { credentials: [{ id: added.id }] },
      });
      assert.equal(client.token_endpoint_auth_method, undefined);
    });
  });

  describe('the native API', () => {
    test('adds, lists and removes certificates; with the last one the secret counts again', async () => {
      const target = await server.machine();
      const token = await server.managementToken(server.nativeAudience);
      const path = `/api/applications/${target.clientId}/certificates`;
      const json = { method: 'tls_client_auth', subject: 'cn=warehouse, o=Example, c=JP', name: 'first' };
      const added = await server.request('POST', path, { token, json });
      assert.equal(added.status, 201, added.text);
      assert.equal(added.body.subject, dn);
      assert.deepEqual([added.body.method, added.body.thumbprint], ['tls_client_auth', null]);
      const listed = await server.request('GET', path, { token });
      assert.deepEqual(listed.body, [added.body]);
      const bySecret = () => ask(undefined, target, { client_secret: target.clientSecret });
      assert.deepEqual([(await ask(good, target)).status, (await bySecret()).status], [200, 401]);

      const before = await server.stateHash();
      const own = { method: 'self_signed_tls_client_auth', certificate: good.cert };
      const other = await server.request('POST', path, { token, json: own });
      assert.deepEqual([other.status, other.body.data.path], [400, 'method'], other.text);
      const again = await server.request('POST', path, { token, json });
      assert.equal(again.status, 422, again.text);
      const stranger = await server.request('DELETE', `${path}/cred_x`, { token });
      assert.equal(stranger.status, 404);
      assert.equal(await server.stateHash(), before);

      assert.equal((await server.request('DELETE', `${path}/${added.body.id}`, { token })).status, 204);
      assert.deepEqual([(await ask(good, target)).status, (await bySecret()).status], [401, 200]);
      const kinds = (await server.logEvents()).map(({ kind }) => kind);
      assert.ok(kinds.includes('client_certificate.created') && kinds.includes('client_certificate.deleted'));
    });

    const bad: [string, () => Record<string, unknown>][] = [
      ['neither subject nor certificate', () => ({ method: 'tls_client_auth' })],
      ['both', () => ({ method: 'tls_client_auth', subject: dn, certificate: good.cert })],
      ['a subject where the certificate counts', () => ({ method: 'self_signed_tls_client_auth', subject: dn })],
      ['no distinguished name', () => ({ method: 'tls_client_auth', subject: 'warehouse' })],
      ['a name that stops half-way', () => ({ method: 'tls_client_auth', subject: 'CN=a,' })],
      ['an unknown type of attribute', () => ({ method: 'tls_client_auth', subject: 'XX=a' })],
      ['no certificate', () => ({ method: 'self_signed_tls_client_auth', certificate: 'PEM' })],
      ['a private key beside it', () => ({ method: 'tls_client_auth', certificate: good.cert + good.key })],
      ['an end in the past', () => ({ method: 'tls_client_auth', subject: dn, expiresAt: 1 })],
    ];
    for (const [name, json] of bad) {
      test(`${name}: refused, by both doors`, async () => {
        const target = await server.machine();
        const token = await server.managementToken(server.nativeAudience);
        const before = await server.stateHash();
        const path = `/api/applications/${target.clientId}/certificates`;
        const answer = await server.request('POST', path, { token, json: json() });
        assert.equal(answer.status, 400, answer.text);
        assert.ok(!/BEGIN/.test(answer.text));
        const { method, subject, certificate: pem, expiresAt } = json();
        const credential = {
          credential_type: method === 'tls_client_auth' ? 'cert_subject_dn' : 'x509_cert',
          ...(subject === undefined ? {} : { subject_dn: subject }),
          ...(pem === undefined ? {} : { pem }),
          ...(expiresAt === undefined ? {} : { expires_at: new Date(expiresAt as number).toISOString() }),
        };
        const auth0 = await server.request('POST', `/api/v2/clients/${target.clientId}/credentials`, {
          token: await server.managementToken(),
          json: credential,
        });
        assert.equal(auth0.status, 400, auth0.text);
        assert.equal(await server.stateHash(), before);
      });
    }
  });

  test('discovery names the methods', async () => {
    const { body } = await send(server, undefined, 'GET', '/.well-known/openid-configuration');
    for (const endpoint of ['token', 'introspection', 'revocation']) {
      const methods = body[`${endpoint}_endpoint_auth_methods_supported`];
      assert.ok(methods.includes('tls_client_auth') && methods.includes('self_signed_tls_client_auth'));
    }
    assert.equal(body.tls_client_certificate_bound_access_tokens, true);
  });
});
