import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { baseUrl, ConfigError, readSettings } from '../../src/config/read.ts';
import { type Settings, settings } from '../../src/config/settings.ts';

const hex = 'a1'.repeat(32);
const base64 = Buffer.from(hex, 'hex').toString('base64');
const secret = 'MRK-0123456789abcdefghijklmnopqrstuvwxyz';

interface Cases {
  /** Text → what it is read as. */
  good: [text: string, value: unknown][];
  bad: string[];
}

const path: Cases = { good: [['/some/where', '/some/where']], bad: ['a\0b'] };
const limit: Cases = {
  good: [
    ['0', 0],
    ['1000000', 1_000_000],
  ],
  bad: ['-1', '1.5', '1e3', '1000001', ' 1', '0x10', 'many'],
};

/** Good and bad values of every setting. What it takes to use one is in `together`. */
const cases: Record<keyof Settings, Cases> = {
  url: {
    good: [
      ['https://auth.example.com', new URL('https://auth.example.com')],
      ['https://auth.example.com:8443/', new URL('https://auth.example.com:8443')],
      ['http://localhost:9000', new URL('http://localhost:9000')],
    ],
    bad: [
      'auth.example.com',
      'ftp://auth.example.com',
      'https://auth.example.com/path',
      'https://auth.example.com/?a=b',
      'https://auth.example.com/#a',
      'https://user@auth.example.com',
      'https://user:pass@auth.example.com',
      'http://auth.example.com',
      'https://',
    ],
  },
  host: {
    good: [
      ['0.0.0.0', '0.0.0.0'],
      ['::1', '::1'],
      ['LocalHost', 'localhost'],
    ],
    bad: ['localhost:80', 'a b', '-a', 'a_b', 'http://localhost', `${'a'.repeat(64)}.example`],
  },
  port: {
    good: [
      ['1', 1],
      ['65535', 65_535],
    ],
    bad: ['0', '65536', '-1', '80a', '8480.0', '123456'],
  },
  dataDir: path,
  databaseUrl: {
    good: [
      ['sqlite::memory:', 'sqlite::memory:'],
      ['sqlite:/var/lib/a.sqlite', 'sqlite:/var/lib/a.sqlite'],
      ['postgres://u:p@db:5432/sekisho', 'postgres://u:p@db:5432/sekisho'],
      ['postgresql://db/sekisho', 'postgresql://db/sekisho'],
    ],
    bad: ['sqlite:', 'mysql://db/sekisho', '/var/lib/a.sqlite', 'postgres://', 'postgres:db', 'memory'],
  },
  sqliteSynchronous: { good: [['normal', 'normal']], bad: ['off', 'FULL', '1'] },
  postgresConnections: {
    good: [
      ['1', 1],
      ['1000', 1000],
    ],
    bad: ['0', '1001', 'ten'],
  },
  masterKey: {
    good: [
      [hex, [Buffer.from(hex, 'hex')]],
      [hex.toUpperCase(), [Buffer.from(hex, 'hex')]],
      [base64, [Buffer.from(hex, 'hex')]],
      [base64.replace('=', ''), [Buffer.from(hex, 'hex')]],
      [`${hex},${'b2'.repeat(32)}`, [Buffer.from(hex, 'hex'), Buffer.from('b2'.repeat(32), 'hex')]],
    ],
    // 43 and 44 hexadecimal digits are 32 bytes when read as base64: a key that was cut off.
    bad: [hex.slice(0, 63), hex.slice(0, 43), hex.slice(0, 44), `${hex}0`, ',', 'short', `${hex},short`, `!${base64}`],
  },
  masterKeyFile: path,
  https: {
    good: [
      ['off', 'off'],
      ['local', 'local'],
    ],
    bad: ['on', 'true', 'Local'],
  },
  tlsCert: path,
  tlsKey: path,
  tlsClientCertificates: { good: [['ask', 'ask']], bad: ['on', 'true', 'require'] },
  tlsClientCa: path,
  clientCertificateHeader: {
    good: [
      ['X-SSL-Client-Cert', 'x-ssl-client-cert'],
      ['client-cert', 'client-cert'],
    ],
    bad: ['a b', 'a:', '-a', 'Authorization', 'DPoP', 'X-Forwarded-For', 'Host', 'ä', 'a'.repeat(64)],
  },
  adminClientId: { good: [['admin-1_A', 'admin-1_A']], bad: ['a b', 'a'.repeat(65), 'ä', 'a@clients'] },
  adminClientSecret: {
    good: [
      [secret, secret],
      ['ä'.repeat(17) + secret, 'ä'.repeat(17) + secret],
    ],
    bad: ['short', 'ab'.repeat(16), secret.repeat(7), '0123456789abcdefghijklmnopqrstu'],
  },
  extraHosts: {
    good: [
      ['api.example.com', ['api.example.com']],
      [' API.example.com , b.example:8443,', ['api.example.com', 'b.example:8443']],
      ['::1,10.0.0.1,[::2]:80', ['[::1]', '10.0.0.1', '[::2]:80']],
    ],
    bad: ['https://api.example.com', 'a b', 'a.example:99999', 'a.example:', '*.example.com', '[nine]'],
  },
  allowHttp: {
    good: [
      ['true', true],
      ['false', false],
    ],
    bad: ['yes', '1', 'TRUE'],
  },
  allowPrivateTargets: {
    good: [
      ['true', true],
      ['false', false],
    ],
    bad: ['yes', '1', 'TRUE'],
  },
  trustedProxies: { good: [['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']]], bad: [] },
  logLevel: {
    good: [
      ['silent', 'silent'],
      ['trace', 'trace'],
    ],
    bad: ['loud', 'INFO'],
  },
  logRetentionDays: {
    good: [
      ['1', 1],
      ['36500', 36_500],
    ],
    bad: ['0', '36501', 'P30D'],
  },
  failuresPerClient: limit,
  failuresPerAddress: limit,
  requestsPerClient: limit,
  signInFailuresPerAccountAndAddress: limit,
  signInFailuresPerAccount: limit,
  signInFailuresPerAddress: limit,
  signUpsPerAddress: limit,
};

/** Settings that go together with others. */
const together: Partial<Record<keyof Settings, Record<string, string>>> = {
  adminClientId: { SEKISHO_ADMIN_CLIENT_SECRET: secret },
  adminClientSecret: { SEKISHO_ADMIN_CLIENT_ID: 'admin' },
  tlsClientCertificates: { SEKISHO_HTTPS: 'local' },
  tlsClientCa: { SEKISHO_HTTPS: 'local', SEKISHO_TLS_CLIENT_CERTIFICATES: 'ask' },
  clientCertificateHeader: { SEKISHO_TRUSTED_PROXIES: '127.0.0.1' },
};

const refusal = (environment: Record<string, string>): string => {
  try {
    readSettings(environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  assert.fail(`accepted ${JSON.stringify(environment)}`);
};

describe('every setting', () => {
  for (const [key, { name, fallback }] of Object.entries(settings) as [keyof Settings, (typeof settings)['url']][]) {
    const others = together[key] ?? {};

    test(`${name} is read, defaults when absent or empty, and refuses a wrong value by name`, () => {
      assert.deepEqual(readSettings({}).settings[key], fallback);
      const unset = readSettings({ [name]: '' }).settings[key];
      assert.deepEqual(unset, fallback);
      for (const [text, value] of cases[key].good) {
        assert.deepEqual(readSettings({ ...others, [name]: text }).settings[key], value, text);
      }
      for (const text of cases[key].bad) {
        const message = refusal({ ...others, [name]: text });
        assert.ok(message.startsWith(`${name} `), message);
      }
    });
  }

  test('a value that may be secret is not repeated when it is wrong', () => {
    for (const name of ['SEKISHO_MASTER_KEY', 'SEKISHO_ADMIN_CLIENT_SECRET', 'SEKISHO_DATABASE_URL']) {
      assert.doesNotMatch(refusal({ SEKISHO_ADMIN_CLIENT_ID: 'a', [name]: 'mysql://u:hush@db' }), /hush/);
    }
  });
});

describe('a name that is no setting', () => {
  test('is refused, with the one that was meant when it is near', () => {
    assert.match(refusal({ SEKISHO_PROT: '80' }), /^SEKISHO_PROT is not a setting; did you mean SEKISHO_PORT\?$/);
    assert.match(refusal({ SEKISHO_DATADIR: 'x' }), /did you mean SEKISHO_DATA_DIR\?/);
    assert.match(refusal({ SEKISHO_MASTERKEY: 'x' }), /did you mean SEKISHO_MASTER_KEY\?/);
    assert.match(refusal({ SEKISHO_port: '80' }), /did you mean SEKISHO_PORT\?/);
  });

  test('is refused without a guess when it is far from every one', () => {
    assert.match(refusal({ SEKISHO_COMPLETELY_OTHER: 'x' }), /docs\/configuration\.md/);
    assert.doesNotMatch(refusal({ SEKISHO_COMPLETELY_OTHER: 'x' }), /did you mean/);
  });

  test('is refused even when it is empty', () => {
    assert.match(refusal({ SEKISHO_PROT: '' }), /is not a setting/);
  });

  test('of another program is not looked at', () => {
    assert.deepEqual(readSettings({ PATH: '/bin', sekisho_port: 'x', MY_SEKISHO_PORT: 'x' }), readSettings({}));
  });
});

describe('what Kubernetes injects', () => {
  const beside = (service: string): Record<string, string> => ({
    [`${service}_SERVICE_HOST`]: '10.0.0.1',
    [`${service}_SERVICE_PORT`]: '8480',
    [`${service}_SERVICE_PORT_HTTP`]: '8480',
    [`${service}_PORT`]: 'tcp://10.0.0.1:8480',
    [`${service}_PORT_8480_TCP`]: 'tcp://10.0.0.1:8480',
    [`${service}_PORT_8480_TCP_PROTO`]: 'tcp',
    [`${service}_PORT_8480_TCP_PORT`]: '8480',
    [`${service}_PORT_8480_TCP_ADDR`]: '10.0.0.1',
  });

  for (const service of ['SEKISHO', 'SEKISHO_POSTGRES']) {
    test(`beside the service ${service} is ignored with one hint`, () => {
      const { settings: read, hints } = readSettings({ ...beside(service), SEKISHO_LOG_LEVEL: 'warn' });
      assert.deepEqual(read, readSettings({ SEKISHO_LOG_LEVEL: 'warn' }).settings);
      assert.equal(hints.length, 1);
      assert.match(hints[0] ?? '', /Kubernetes/);
      assert.ok(hints[0]?.includes(`${service}_SERVICE_HOST`));
    });
  }

  test('is not confused with settings of like names', () => {
    assert.deepEqual(readSettings({ SEKISHO_PORT: '9000' }).hints, []);
    assert.match(refusal({ SEKISHO_PORT: 'tcp' }), /^SEKISHO_PORT expects/);
    assert.match(refusal({ SEKISHO_SERVICE: 'x' }), /is not a setting/);
    assert.match(refusal({ SEKISHO_PORT_TCP: 'x' }), /is not a setting/);
  });
});

describe('settings that go together', () => {
  const refused = (environment: Record<string, string>, message: RegExp) => assert.match(refusal(environment), message);

  test('https by files needs both files', () => {
    refused({ SEKISHO_HTTPS: 'files' }, /^SEKISHO_HTTPS is "files": set SEKISHO_TLS_CERT and SEKISHO_TLS_KEY/);
    refused({ SEKISHO_HTTPS: 'files', SEKISHO_TLS_CERT: 'a' }, /^SEKISHO_HTTPS/);
    readSettings({ SEKISHO_HTTPS: 'files', SEKISHO_TLS_CERT: 'a', SEKISHO_TLS_KEY: 'b' });
  });

  test('a certificate of a client comes by a way that is there, and an authority has some to check', () => {
    const [ask, ca, header] = [
      'SEKISHO_TLS_CLIENT_CERTIFICATES',
      'SEKISHO_TLS_CLIENT_CA',
      'SEKISHO_CLIENT_CERTIFICATE_HEADER',
    ];
    refused({ [ask]: 'ask' }, /^SEKISHO_TLS_CLIENT_CERTIFICATES is "ask" while SEKISHO_HTTPS is "off"/);
    refused({ [header]: 'client-cert' }, /^SEKISHO_CLIENT_CERTIFICATE_HEADER .*SEKISHO_TRUSTED_PROXIES/);
    refused({ [ca]: 'ca.pem' }, /^SEKISHO_TLS_CLIENT_CA has no certificate to check/);
    readSettings({ [ask]: 'ask', [ca]: 'ca.pem', SEKISHO_HTTPS: 'local' });
    readSettings({ [header]: 'client-cert', [ca]: 'ca.pem', SEKISHO_TRUSTED_PROXIES: '127.0.0.1' });
  });

  test('one master key, not two places for it', () => {
    refused({ SEKISHO_MASTER_KEY: hex, SEKISHO_MASTER_KEY_FILE: 'k' }, /^SEKISHO_MASTER_KEY .*keep one/);
  });

  test('the admin client has an id and a secret, or neither', () => {
    refused({ SEKISHO_ADMIN_CLIENT_ID: 'a' }, /go together/);
    refused({ SEKISHO_ADMIN_CLIENT_SECRET: secret }, /go together/);
  });

  test('http beyond loopback has to be allowed in so many words', () => {
    for (const host of ['auth.example.com', '192.168.0.1', '127.0.0.1.example.com', 'localhost.example.com', '[::2]']) {
      refused({ SEKISHO_URL: `http://${host}` }, /^SEKISHO_URL is http .*SEKISHO_ALLOW_HTTP=true/);
      readSettings({ SEKISHO_URL: `http://${host}`, SEKISHO_ALLOW_HTTP: 'true' });
    }
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]', 'a.localhost']) {
      readSettings({ SEKISHO_URL: `http://${host}` });
    }
  });

  test('an http base URL and https of our own contradict each other', () => {
    refused({ SEKISHO_URL: 'http://localhost', SEKISHO_HTTPS: 'local' }, /^SEKISHO_URL is http while SEKISHO_HTTPS/);
  });

  test('the base URL defaults to the scheme of SEKISHO_HTTPS, localhost and the port', () => {
    const of = (environment: Record<string, string>) => baseUrl(readSettings(environment).settings).origin;
    assert.equal(of({}), 'http://localhost:8480');
    assert.equal(of({ SEKISHO_PORT: '9000' }), 'http://localhost:9000');
    assert.equal(of({ SEKISHO_HTTPS: 'local' }), 'https://localhost:8480');
    assert.equal(of({ SEKISHO_HTTPS: 'local', SEKISHO_PORT: '443' }), 'https://localhost');
    assert.equal(of({ SEKISHO_HOST: '0.0.0.0', SEKISHO_PORT: '80' }), 'http://localhost');
    assert.equal(of({ SEKISHO_URL: 'https://auth.example.com' }), 'https://auth.example.com');
  });
});
