import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, request, type ServerOptions } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { PeerCertificate, SecureContext, TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { fileTls, type LocalTls, localTls } from '../src/http/tls.ts';
import { tlsCache } from '../src/http/tls-cache.ts';
import { makeAuthority, makeLeaf } from '../src/kernel/authority.ts';
import {
  type CertificateAlgorithm,
  certificateDetails,
  pkcs7,
  selfSignedCertificate,
} from '../src/kernel/certificates.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { hostName, permits, permittedBy } from '../src/kernel/name-constraints.ts';
import { systemRandom } from '../src/kernel/random.ts';

const run = promisify(execFile);
const day = 24 * 3_600_000;
const root = await mkdtemp(join(tmpdir(), 'sekisho-tls-'));
after(() => rm(root, { recursive: true }));
const newFolder = () => mkdtemp(join(root, 'folder-'));
const has = (command: string, argument: string) => spawnSync(command, [argument]).status === 0;
const read = (folder: string, name: string) => readFile(join(folder, name), 'utf8');
const mode = async (folder: string, name: string) => (await stat(join(folder, name))).mode & 0o777;

interface Overrides {
  hosts?: string[];
  now?: () => number;
  known?: (host: string) => boolean;
}

const tlsIn = (folder: string, { hosts = ['localhost:3000'], now = Date.now, known }: Overrides = {}) =>
  localTls({ folder, hosts, isKnownHost: known ?? (() => false), clock: { now }, random: systemRandom });

async function serving<T>(options: ServerOptions, work: (port: number) => Promise<T>): Promise<T> {
  const server = createServer(options, (_, response) => response.end('hello'));
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A request that checks chain and name as a client does; resolves to the certificate it was shown. */
function call(port: number, ca: string, host: string, servername?: string): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const options = { port, ca, host, agent: false, ...(servername === undefined ? {} : { servername }) };
    const sent = request(options, (response) => {
      const peer = (response.socket as TLSSocket).getPeerCertificate();
      response.resume().on('end', () => resolve(peer));
    });
    sent.on('error', reject).end();
  });
}

const pick = (tls: LocalTls, servername: string) =>
  new Promise<SecureContext | undefined>((resolve, reject) =>
    tls.options.SNICallback(servername, (error, context) => (error === null ? resolve(context) : reject(error))),
  );

describe('local https', () => {
  test('a client that trusts the authority reaches loopback and known hosts, and no other', async () => {
    const folder = await newFolder();
    const known = (host: string) => ['acme.localhost', 'other.example'].includes(host);
    const tls = await tlsIn(folder, { known });
    const ca = await readFile(tls.caPath, 'utf8');
    await serving(tls.options, async (port) => {
      await call(port, ca, 'localhost');
      await call(port, ca, '127.0.0.1');
      const shown = await Promise.all([1, 2, 3, 4].map(() => call(port, ca, '127.0.0.1', 'acme.localhost')));
      assert.equal(shown[0]?.subjectaltname, 'DNS:acme.localhost');
      assert.equal(new Set(shown.map(({ serialNumber }) => serialNumber)).size, 1, 'made once for all who ask at once');

      await assert.rejects(call(port, ca, '127.0.0.1', 'nobody.localhost'), { code: 'ECONNRESET' });
      await assert.rejects(call(port, ca, '127.0.0.1', 'other.example'), { code: 'ECONNRESET' });
      await assert.rejects(call(port, '', 'localhost'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    });
    await assert.rejects(pick(tls, 'nobody.localhost'), /No tenant answers at nobody\.localhost/);
    await assert.rejects(pick(tls, 'other.example'), /does not permit other\.example/);
  });

  test('curl accepts a known host', { skip: !has('curl', '--version') }, async () => {
    const tls = await tlsIn(await newFolder(), { known: (host) => host === 'acme.localhost' });
    await serving(tls.options, async (port) => {
      const curl = (host: string) =>
        run('curl', [
          ...['--silent', '--show-error', '--noproxy', '*', '--cacert', tls.caPath],
          ...['--resolve', `${host}:${port}:127.0.0.1`, `https://${host}:${port}/`],
        ]);
      assert.equal((await curl('acme.localhost')).stdout, 'hello');
      assert.equal((await curl('localhost')).stdout, 'hello');
      await assert.rejects(curl('nobody.localhost'));
    });
  });

  test('a client refuses what the authority signed outside its name constraints', async () => {
    const folder = await newFolder();
    const { caPath } = await tlsIn(folder);
    const authority = { certificate: await readFile(caPath, 'utf8'), privateKey: await read(folder, 'ca-key.pem') };
    for (const host of ['evil.example', 'evillocalhost', '192.0.2.1']) {
      const leaf = await makeLeaf({ authority, hosts: [host], now: Date.now(), serial: systemRandom(16) });
      await serving({ key: leaf.privateKey, cert: leaf.certificate }, async (port) => {
        const attempt = call(port, authority.certificate, '127.0.0.1', isIP(host) === 0 ? host : undefined);
        await assert.rejects(attempt, /permitted subtree violation/, host);
      });
    }
  });

  test('private files are 0600, the authority is for all to read', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'ca-key.pem'), 'not a key');
    await chmod(join(folder, 'ca-key.pem'), 0o644);
    await tlsIn(folder);
    const modes = await Promise.all(['ca.pem', 'ca-key.pem', 'leaf.pem', 'leaf-key.pem'].map((f) => mode(folder, f)));
    assert.deepEqual(modes, [0o644, 0o600, 0o600, 0o600]);
  });

  test('a later start takes what is there and does not load the x509 library', async () => {
    const folder = await newFolder();
    const script = `
      import { createRequire } from 'node:module';
      import { localTls } from ${JSON.stringify(import.meta.resolve('../src/http/tls.ts'))};
      import { systemRandom as random } from ${JSON.stringify(import.meta.resolve('../src/kernel/random.ts'))};
      const input = { hosts: ['localhost'], isKnownHost: () => false, clock: { now: Date.now }, random };
      const { options } = await localTls({ folder: ${JSON.stringify(folder)}, ...input });
      const loaded = Object.keys(createRequire('/').cache).some((path) => path.includes('@peculiar'));
      console.log(JSON.stringify({ loaded, cert: options.cert, polyfill: 'getMetadata' in Reflect }));`;
    const start = async () =>
      JSON.parse((await run(process.execPath, ['--input-type=module', '--eval', script])).stdout);
    const first = await start();
    const authority = await read(folder, 'ca.pem');
    const second = await start();
    assert.deepEqual([first.loaded, second.loaded, second.polyfill], [true, false, false]);
    assert.equal(second.cert, first.cert);
    assert.equal(await read(folder, 'ca.pem'), authority);
  });

  test('authority and leaf are made anew when they run out, fit no longer, or are damaged', async () => {
    const folder = await newFolder();
    const start = async (overrides: Overrides = {}) => {
      const { options } = await tlsIn(folder, overrides);
      return { authority: await read(folder, 'ca.pem'), leaf: options.cert };
    };
    const first = await start();
    const nextYear = await start({ now: () => Date.now() + 380 * day });
    assert.equal(nextYear.authority, first.authority);
    assert.notEqual(nextYear.leaf, first.leaf);

    const later = await start({ now: () => Date.now() + 3660 * day });
    assert.notEqual(later.authority, first.authority);
    const now = await start();
    assert.equal(now.authority, later.authority);
    assert.notEqual(now.leaf, later.leaf, 'not valid yet');

    const wider = await start({ hosts: ['Auth.Example.com:8443', '[fe80::1]:1'] });
    assert.notEqual(wider.authority, later.authority);
    const inside = await start({ hosts: ['eu.auth.example.com'] });
    assert.equal(inside.authority, wider.authority);
    assert.match(new X509Certificate(inside.leaf).subjectAltName ?? '', /DNS:eu\.auth\.example\.com/);

    await writeFile(join(folder, 'ca-key.pem'), await read(folder, 'leaf-key.pem'));
    const mended = await start();
    assert.notEqual(mended.authority, inside.authority);
    const issuer = new X509Certificate(mended.authority);
    assert.ok(new X509Certificate(mended.leaf).verify(issuer.publicKey));
  });

  test('a folder that can not be used is the operator’s to mend', async () => {
    const file = join(await newFolder(), 'file');
    await writeFile(file, '');
    await assert.rejects(tlsIn(file), { code: 'ENOTDIR' });
  });

  test('a leaf is kept for a year', async () => {
    let now = Date.now();
    const tls = await tlsIn(await newFolder(), { known: () => true, now: () => now });
    const first = await pick(tls, 'a.localhost');
    assert.equal(await pick(tls, 'A.localhost'), first);
    assert.notEqual(await pick(tls, 'b.localhost'), first);
    assert.equal(await pick(tls, 'localhost'), undefined, 'the server’s own context');
    now += 366 * day;
    assert.notEqual(await pick(tls, 'a.localhost'), first);
  });

  test('the cache forgets the least recently used and remembers no failure', async () => {
    const made: string[] = [];
    let broken = false;
    const make = async (key: string) => {
      made.push(key);
      if (broken) throw new Error('broken');
      return key;
    };
    const remembered = tlsCache({ limit: 2, lifetime: 1, clock: { now: () => 0 }, make });
    await Promise.all(['a', 'a', 'b', 'a', 'c', 'a', 'b'].map(remembered));
    assert.deepEqual(made.splice(0), ['a', 'b', 'c', 'b']);
    broken = true;
    await assert.rejects(remembered('d'), /broken/);
    broken = false;
    assert.equal(await remembered('d'), 'd');
    assert.deepEqual(made, ['d', 'd']);
  });
});

describe('https from files', async () => {
  const folder = await newFolder();
  await tlsIn(folder);
  const paths = { certPath: join(folder, 'leaf.pem'), keyPath: join(folder, 'leaf-key.pem') };

  test('certificate and key are read', async () => {
    const options = await fileTls(paths);
    const ca = await read(folder, 'ca.pem');
    await serving(options, (port) => call(port, ca, 'localhost'));
  });

  test('a mistake is told in one line that names the setting and the cure', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const lockedPath = join(folder, 'locked.pem');
    const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
    await writeFile(lockedPath, privateKey.export(locked));
    const absent = join(folder, 'absent.pem');
    const cases: [Partial<typeof paths>, RegExp][] = [
      [{ certPath: absent }, /^SEKISHO_TLS_CERT: .*absent\.pem can not be read \(ENOENT\); give .+\.$/],
      [{ keyPath: absent }, /^SEKISHO_TLS_KEY: .*absent\.pem can not be read \(ENOENT\); give .+\.$/],
      [{ certPath: paths.keyPath }, /^SEKISHO_TLS_CERT: .* holds no certificate; give .+\.$/],
      [{ keyPath: paths.certPath }, /^SEKISHO_TLS_KEY: .* holds no private key; give .+\.$/],
      [{ keyPath: lockedPath }, /^SEKISHO_TLS_KEY: .* is locked with a passphrase; give .+\.$/],
      [{ keyPath: join(folder, 'ca-key.pem') }, /^SEKISHO_TLS_KEY: .* does not belong to .*SEKISHO_TLS_CERT.+\.$/],
    ];
    for (const [change, message] of cases) await assert.rejects(fileTls({ ...paths, ...change }), { message });
  });
});

describe('certificates', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys: Record<CertificateAlgorithm, { privateKey: KeyObject; publicKey: KeyObject }> = {
    RS256: rsa,
    RS512: rsa,
    PS256: rsa,
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    EdDSA: generateKeyPairSync('ed25519'),
  };
  const selfSigned = (algorithm: CertificateAlgorithm, commonName = 'tenant.example') =>
    selfSignedCertificate({
      ...keys[algorithm],
      algorithm,
      commonName,
      notBefore: Date.UTC(2026, 0, 1, 0, 0, 0, 999),
      notAfter: Date.UTC(2056, 0, 1),
      serial: new Uint8Array(16).fill(0xff),
    });

  for (const algorithm of Object.keys(keys) as CertificateAlgorithm[]) {
    test(`a self-signed certificate for ${algorithm} verifies with its key`, async () => {
      const pem = await selfSigned(algorithm);
      const certificate = new X509Certificate(pem);
      assert.ok(certificate.verify(keys[algorithm].publicKey));
      assert.ok(certificate.checkPrivateKey(keys[algorithm].privateKey));
      assert.equal(certificate.serialNumber, `7F${'FF'.repeat(15)}`);
      assert.equal(certificate.validFromDate.getTime(), Date.UTC(2026, 0, 1));
      assert.equal(certificate.validToDate.getTime(), Date.UTC(2056, 0, 1));
      assert.equal(certificate.ca, false);

      const details = certificateDetails(pem);
      const der = Buffer.from(details.x5c, 'base64');
      assert.deepEqual(new X509Certificate(der).raw, certificate.raw);
      assert.equal(details.x5t, createHash('sha1').update(der).digest('base64url'));
      assert.equal(details.x5tS256, createHash('sha256').update(der).digest('base64url'));
      assert.equal(details.thumbprint, createHash('sha1').update(der).digest('hex'));
      assert.match(details.fingerprint, /^([0-9A-F]{2}:){19}[0-9A-F]{2}$/);
      assert.equal(details.fingerprint.replaceAll(':', '').toLowerCase(), details.thumbprint);
    });
  }

  test('a key of another kind than the algorithm is refused', async () => {
    const mixed = { ...keys.ES256, algorithm: 'RS256', commonName: 'x', notBefore: 0, notAfter: day } as const;
    await assert.rejects(selfSignedCertificate({ ...mixed, serial: systemRandom(16) }));
  });

  test('a common name is taken as it is', async () => {
    for (const name of ['関所, O=x', '#3006', 'a "quoted" \\2c name']) {
      const { CN } = new X509Certificate(await selfSigned('ES256', name)).toLegacyObject().subject;
      assert.equal(CN, name);
    }
  });

  test('PKCS7 holds that certificate and nothing else', async () => {
    const pem = await selfSigned('RS256');
    const block = await pkcs7(pem);
    assert.match(block, /^-----BEGIN PKCS7-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END PKCS7-----\n$/);
    const { X509Certificates } = await import('@peculiar/x509');
    const read = new X509Certificates(Buffer.from(block.replace(/-----.+-----/g, ''), 'base64'));
    assert.deepEqual(
      Array.from(read, (certificate) => Buffer.from(certificate.rawData)),
      [new X509Certificate(pem).raw],
    );
    if (!has('openssl', 'version')) return;
    const printed = spawnSync('openssl', ['pkcs7', '-print_certs'], { input: block, encoding: 'utf8' });
    const [printedPem] = /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.exec(printed.stdout) ?? [''];
    assert.deepEqual(new X509Certificate(printedPem).raw, new X509Certificate(pem).raw);
  });

  test('an authority says what it may vouch for', async () => {
    const hosts = ['Auth.Example.com:8443', '[2001:DB8::1:0]:3000', '192.168.1.5:80', '関所.example'];
    const now = systemClock.now();
    const authority = await makeAuthority({ commonName: 'A', hosts, now, serial: systemRandom(16) });
    const permitted = permittedBy(authority.certificate);
    assert.deepEqual(permitted, {
      names: ['auth.example.com', 'xn--8ous75i.example', 'localhost'],
      addresses: ['20010db8000000000000000000010000', 'c0a80105', '7f000001', '00000000000000000000000000000001'],
    });
    for (const host of ['auth.example.com', 'a.b.localhost', '2001:db8:0::1:0', '::1', '127.0.0.1'])
      assert.ok(permits(permitted, host), host);
    for (const host of ['example.com', 'xauth.example.com', '127.0.0.2', '::2'])
      assert.ok(!permits(permitted, host), host);
    assert.throws(() => hostName('a b'), /'a b' is not the name of a host/);

    const leaf = await makeLeaf({ authority, hosts, now, serial: systemRandom(16) });
    const { validFromDate, validToDate } = new X509Certificate(leaf.certificate);
    assert.ok(validToDate.getTime() - validFromDate.getTime() < 397 * day);
    assert.ok(new X509Certificate(authority.certificate).ca);
    assert.deepEqual(permittedBy(await selfSigned('ES256')), { names: [], addresses: [] });
  });
});
