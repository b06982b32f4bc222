import { type Parsed, parsers } from './parsers.ts';

/**
 * Every setting, declared once: name, parser (its type), default, documentation. `docs/configuration.md` is generated
 * from this table and a test keeps it equal.
 */
export interface Setting<T> {
  readonly name: `SEKISHO_${string}`;
  readonly parse: (text: string) => T;
  readonly fallback: T;
  /** How the default reads in the manual, when it is not the value itself. */
  readonly fallbackDoc?: string;
  readonly type: string;
  readonly doc: string;
}

const setting = <T>(
  name: Setting<T>['name'],
  parser: { type: string; parse(text: string): T },
  fallback: NoInfer<T>,
  doc: string,
  fallbackDoc?: string,
): Setting<T> => ({
  name,
  parse: parser.parse,
  type: parser.type,
  fallback,
  doc,
  ...(fallbackDoc === undefined ? {} : { fallbackDoc }),
});

const {
  network,
  url,
  host,
  hostAndPort,
  port,
  path,
  flag,
  choice,
  integer,
  databaseUrl,
  masterKey,
  list,
  clientId,
  headerName,
  secret,
} = parsers;

export const settings = {
  url: setting(
    'SEKISHO_URL',
    url.optional,
    undefined,
    'Public base URL: scheme, host and port that clients use. Issuers and audiences are built from it. An `http` URL on a host other than loopback is refused unless SEKISHO_ALLOW_HTTP is `true`.',
    'the scheme of SEKISHO_HTTPS, `localhost`, and SEKISHO_PORT',
  ),
  host: setting('SEKISHO_HOST', host, '127.0.0.1', 'Address to listen on.'),
  port: setting('SEKISHO_PORT', port, 8480, 'Port to listen on.'),
  dataDir: setting(
    'SEKISHO_DATA_DIR',
    path,
    './data',
    'Folder for the SQLite file, the master key, local certificates and the compile cache. Made with mode 700.',
  ),
  databaseUrl: setting(
    'SEKISHO_DATABASE_URL',
    databaseUrl.optional,
    undefined,
    '`sqlite:<path>`, `sqlite::memory:` (gone when the process ends), or `postgres://user:password@host:port/database`.',
    '`sekisho.sqlite` in the data folder',
  ),
  sqliteSynchronous: setting(
    'SEKISHO_SQLITE_SYNCHRONOUS',
    choice('full', 'normal'),
    'full',
    '`full`: a committed change survives a power cut. `normal`: it survives a crash of the process, and commits are faster.',
  ),
  postgresConnections: setting(
    'SEKISHO_POSTGRES_CONNECTIONS',
    integer(1, 1000),
    10,
    'Most connections of this process to PostgreSQL; counts and searches have two to four more of their own.',
  ),
  masterKey: setting(
    'SEKISHO_MASTER_KEY',
    masterKey.optional,
    undefined,
    'The master key: 32 bytes as 64 hexadecimal digits or as base64. It encrypts private keys and secrets at rest. Several, separated by commas, make a ring: the first encrypts, all decrypt. Required for `postgres://` unless SEKISHO_MASTER_KEY_FILE is set.',
    'the key in SEKISHO_MASTER_KEY_FILE',
  ),
  masterKeyFile: setting(
    'SEKISHO_MASTER_KEY_FILE',
    path.optional,
    undefined,
    'File that holds the master key (one key a line, the current one first), readable by its owner only. Made on first start, mode 600; never made for a database that has data.',
    '`master.key` in the data folder',
  ),
  https: setting(
    'SEKISHO_HTTPS',
    choice('off', 'local', 'files'),
    'off',
    '`off`: plain http, for loopback or behind a proxy that ends TLS. `local`: a local certificate authority (`ca.pem` in the data folder) and a certificate for each known host. `files`: SEKISHO_TLS_CERT and SEKISHO_TLS_KEY.',
  ),
  tlsCert: setting('SEKISHO_TLS_CERT', path.optional, undefined, 'Certificate chain, PEM; for SEKISHO_HTTPS=files.'),
  tlsKey: setting('SEKISHO_TLS_KEY', path.optional, undefined, 'Private key, PEM; for SEKISHO_HTTPS=files.'),
  tlsClientCertificates: setting(
    'SEKISHO_TLS_CLIENT_CERTIFICATES',
    choice('off', 'ask'),
    'off',
    '`ask`: the TLS handshake asks for a certificate, and clients that have one can prove themselves with it or bind their tokens to it (RFC 8705). A browser that holds fitting certificates may then ask its user for one. Only with SEKISHO_HTTPS.',
  ),
  tlsClientCa: setting(
    'SEKISHO_TLS_CLIENT_CA',
    path.optional,
    undefined,
    'Certificates, PEM, of the authorities that issue clients their certificates, for `tls_client_auth`; each must have signed them itself. Needs SEKISHO_TLS_CLIENT_CERTIFICATES=ask or SEKISHO_CLIENT_CERTIFICATE_HEADER.',
  ),
  clientCertificateHeader: setting(
    'SEKISHO_CLIENT_CERTIFICATE_HEADER',
    headerName.optional,
    undefined,
    'Name of the header in which the proxies of SEKISHO_TRUSTED_PROXIES pass on the certificate of a TLS client: PEM, URL-encoded or in one line, or base64 of its DER. The proxy must remove the header from what clients send. From any other peer it is ignored.',
  ),
  adminClientId: setting(
    'SEKISHO_ADMIN_CLIENT_ID',
    clientId.optional,
    undefined,
    'Id of the first management client, for scripts: 1 to 64 characters of `A-Z a-z 0-9 _ -`. Made when missing; it holds every scope of both management audiences.',
    'a generated one, printed once at first start',
  ),
  adminClientSecret: setting(
    'SEKISHO_ADMIN_CLIENT_SECRET',
    secret.optional,
    undefined,
    'Secret of the first management client: 32 to 256 characters, at least 16 distinct. Once the client exists a different value changes nothing and gives a warning.',
    'a generated one, printed once at first start',
  ),
  extraHosts: setting(
    'SEKISHO_EXTRA_HOSTS',
    list(hostAndPort),
    [],
    "Further hosts, separated by commas, that serve the same tenants under the same issuers (`api.example.com`; with `tenant.` before it for other tenants). Without a port: on the base URL's port, and on none, as a proxy passes it on.",
    'none',
  ),
  allowHttp: setting(
    'SEKISHO_ALLOW_HTTP',
    flag,
    false,
    'Allows an `http` base URL on a host other than loopback. Tokens and secrets then cross the network in the clear.',
  ),
  trustedProxies: setting(
    'SEKISHO_TRUSTED_PROXIES',
    list(network),
    [],
    'Addresses and ranges (CIDR), separated by commas, of reverse proxies whose `X-Forwarded-For` is believed.',
    'none',
  ),
  allowPrivateTargets: setting(
    'SEKISHO_ALLOW_PRIVATE_TARGETS',
    flag,
    false,
    'Lets requests of this server (back-channel logout, directories and providers that people sign in with) go to loopback and private addresses too, and over `http` to loopback. Otherwise they go to public addresses, over `https` only; to link-local ones never.',
  ),
  logLevel: setting(
    'SEKISHO_LOG_LEVEL',
    choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'How much the process logs to standard error, as JSON lines. Log events of tokens and changes are in the database.',
  ),
  logRetentionDays: setting('SEKISHO_LOG_RETENTION_DAYS', integer(1, 36_500), 30, 'Days that log events are kept.'),
  failuresPerClient: setting(
    'SEKISHO_RATE_LIMIT_FAILURES_PER_CLIENT',
    integer(0, 1_000_000),
    20,
    'Failed authentications a minute of one client from one address before it gets 429; 0 = no limit. Counted in memory, per process.',
  ),
  failuresPerAddress: setting(
    'SEKISHO_RATE_LIMIT_FAILURES_PER_ADDRESS',
    integer(0, 1_000_000),
    200,
    'Failed authentications a minute from one address before it gets 429; 0 = no limit. Counted in memory, per process.',
  ),
  requestsPerClient: setting(
    'SEKISHO_RATE_LIMIT_REQUESTS_PER_CLIENT',
    integer(0, 1_000_000),
    0,
    'Token and management requests a minute of one client before it gets 429; 0 = no limit. Counted in memory, per process.',
  ),
  signInFailuresPerAccountAndAddress: setting(
    'SEKISHO_RATE_LIMIT_SIGN_IN_FAILURES_PER_ACCOUNT_AND_ADDRESS',
    integer(0, 1_000_000),
    10,
    'Wrong passwords in 15 minutes for one account from one address (of IPv6 a /64) before it gets 429; 0 = no limit. A browser that signed in to the account before is counted by itself, by the same number, and is not stopped by what others do. Counted in memory, per process.',
  ),
  signInFailuresPerAccount: setting(
    'SEKISHO_RATE_LIMIT_SIGN_IN_FAILURES_PER_ACCOUNT',
    integer(0, 1_000_000),
    50,
    'Wrong passwords in 15 minutes for one account from all addresses before it gets 429; 0 = no limit. Browsers that signed in to the account before are not stopped by it. Counted in memory, per process.',
  ),
  signInFailuresPerAddress: setting(
    'SEKISHO_RATE_LIMIT_SIGN_IN_FAILURES_PER_ADDRESS',
    integer(0, 1_000_000),
    100,
    'Wrong passwords in 15 minutes from one address (of IPv6 a /64), for whatever accounts, before it gets 429; 0 = no limit. Counted in memory, per process.',
  ),
  signUpsPerAddress: setting(
    'SEKISHO_RATE_LIMIT_SIGN_UPS_PER_ADDRESS',
    integer(0, 1_000_000),
    20,
    'Sign-ups in 15 minutes from one address (of IPv6 a /64), successful or not, before it gets 429; 0 = no limit. Counted in memory, per process.',
  ),
} as const;

export type Settings = {
  readonly [K in keyof typeof settings]: (typeof settings)[K] extends Setting<infer T> ? T : never;
};

export type { Parsed };
