import { isLoopback } from '../kernel/urls.ts';
import { type Setting, type Settings, settings } from './settings.ts';

/** A setting that can't be used. Its message is one line that names the setting and the cure. */
export class ConfigError extends Error {
  constructor(setting: string, problem: string) {
    super(`${setting} ${problem}`);
    this.name = 'ConfigError';
  }
}

/** What Kubernetes injects beside a service named `sekisho` or `sekisho-…`: not ours, ignored with one hint. */
const kubernetesName = /^SEKISHO_(.+_)?(SERVICE_(HOST|PORT(_.+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const kubernetesPort = /^(tcp|udp|sctp):\/\//;

export interface ReadSettings {
  settings: Settings;
  /** Lines worth telling the operator. */
  hints: string[];
}

/** Reads the settings from environment variables; throws `ConfigError` on an unknown name or a wrong value. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): ReadSettings {
  const declared = Object.entries(settings) as [keyof Settings, Setting<unknown>][];
  const byName = new Map(declared.map(([key, setting]) => [setting.name as string, { key, setting }]));
  const values = Object.fromEntries(declared.map(([key, setting]) => [key, setting.fallback])) as Record<
    string,
    unknown
  >;
  const injected: string[] = [];

  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('SEKISHO_') || text === undefined) continue;
    const entry = byName.get(name);
    if (kubernetesName.test(name) || (name.endsWith('_PORT') && kubernetesPort.test(text))) injected.push(name);
    else if (entry === undefined)
      throw new ConfigError(name, `is not a setting${suggestion(name, [...byName.keys()])}`);
    else if (text !== '') values[entry.key] = parse(entry.setting, text);
  }
  const result = values as Settings;
  crossCheck(result);
  const hints =
    injected.length === 0
      ? []
      : [`Ignored, as Kubernetes sets them beside a service of this name: ${injected.sort().join(', ')}.`];
  return { settings: result, hints };
}

function parse(setting: Setting<unknown>, text: string): unknown {
  try {
    return setting.parse(text);
  } catch (error) {
    throw new ConfigError(setting.name, `${(error as Error).message}.`);
  }
}

function crossCheck(values: Settings): void {
  if (values.https === 'files' && (values.tlsCert === undefined || values.tlsKey === undefined)) {
    throw new ConfigError('SEKISHO_HTTPS', 'is "files": set SEKISHO_TLS_CERT and SEKISHO_TLS_KEY too.');
  }
  crossCheckClientCertificates(values);
  if (values.masterKey !== undefined && values.masterKeyFile !== undefined) {
    throw new ConfigError('SEKISHO_MASTER_KEY', 'and SEKISHO_MASTER_KEY_FILE are both set: keep one of them.');
  }
  if ((values.adminClientId === undefined) !== (values.adminClientSecret === undefined)) {
    throw new ConfigError('SEKISHO_ADMIN_CLIENT_ID', 'and SEKISHO_ADMIN_CLIENT_SECRET go together: set both or none.');
  }
  const { url } = values;
  if (url?.protocol === 'http:' && !isLoopback(url.hostname) && !values.allowHttp) {
    throw new ConfigError(
      'SEKISHO_URL',
      'is http on a host other than loopback: use https, or set SEKISHO_ALLOW_HTTP=true if you must.',
    );
  }
  if (url?.protocol === 'http:' && values.https !== 'off') {
    throw new ConfigError('SEKISHO_URL', `is http while SEKISHO_HTTPS is "${values.https}": make it https.`);
  }
}

function crossCheckClientCertificates(values: Settings): void {
  const { tlsClientCertificates, tlsClientCa, clientCertificateHeader, trustedProxies, https } = values;
  if (tlsClientCertificates === 'ask' && https === 'off') {
    throw new ConfigError(
      'SEKISHO_TLS_CLIENT_CERTIFICATES',
      'is "ask" while SEKISHO_HTTPS is "off": turn https on, or let a proxy ask and set SEKISHO_CLIENT_CERTIFICATE_HEADER.',
    );
  }
  if (clientCertificateHeader !== undefined && trustedProxies.length === 0) {
    throw new ConfigError(
      'SEKISHO_CLIENT_CERTIFICATE_HEADER',
      'is believed of no one: set SEKISHO_TRUSTED_PROXIES too.',
    );
  }
  if (tlsClientCa !== undefined && tlsClientCertificates === 'off' && clientCertificateHeader === undefined) {
    throw new ConfigError(
      'SEKISHO_TLS_CLIENT_CA',
      'has no certificate to check: set SEKISHO_TLS_CLIENT_CERTIFICATES=ask or SEKISHO_CLIENT_CERTIFICATE_HEADER too.',
    );
  }
}

/** The public base URL, from SEKISHO_URL or the settings it defaults to. */
export function baseUrl(values: Settings): URL {
  return values.url ?? new URL(`${values.https === 'off' ? 'http' : 'https'}://localhost:${values.port}`);
}

/** " (did you mean …?)" when a declared name is near. */
function suggestion(name: string, names: string[]): string {
  const nearest = names
    .map((candidate) => ({ candidate, distance: distance(name.toUpperCase(), candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return nearest !== undefined && nearest.distance <= 3
    ? `; did you mean ${nearest.candidate}?`
    : '; docs/configuration.md lists them all.';
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    previous = row;
  }
  return previous[b.length] as number;
}
