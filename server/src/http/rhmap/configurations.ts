/**
 * `configurations` of a policy, in RHMAP's words and ours, both ways. RHMAP documents few words: `authmethod`, `url`, `dn`,
 * `dn_prefix`, `clientId`, `clientSecret`, `provider`. For what it left to built-in providers the words are ours; whatever
 * else the native API knows goes by its native name, so that what is read can be sent back whole.
 */
import { isDeepStrictEqual } from 'node:util';
import { checkConfiguration } from '../../domain/auth-policies/configuration/configuration.ts';
import {
  type AuthPolicy,
  type AuthPolicyType,
  type SecretName,
  secretMask,
} from '../../domain/auth-policies/policy.ts';
import type { Services } from '../../domain/context.ts';
import { type Body, memberOf } from './body.ts';
import { providerOf } from './providers.ts';

type Read = (value: unknown) => unknown;

interface Word {
  readonly wire: string;
  /** Of the native configuration; a dot goes deeper. */
  readonly native: string;
  /** Other words that mean the same. */
  readonly also?: readonly string[];
  readonly read?: Read;
}

const same = (...names: readonly string[]): Word[] => names.map((name) => ({ wire: name, native: name }));

/** fhc has nothing but strings. */
const flag: Read = (value) => (value === 'true' ? true : value === 'false' ? false : value);
const scopes: Read = (value) =>
  typeof value === 'string' ? value.split(/[ ,]+/).filter((part) => part !== '') : value;

const emailIsVerified: Word = { wire: 'emailIsVerified', native: 'emailIsVerified', read: flag };

const ofOAuth2: readonly Word[] = [
  ...same('clientId', 'clientSecret', 'issuer'),
  { wire: 'scope', native: 'scopes', also: ['scopes'], read: scopes },
  ...same('clientAuthMethod', 'fields'),
  emailIsVerified,
];

const words: Readonly<Record<AuthPolicyType, readonly Word[]>> = {
  password: [],
  ldap: [
    { wire: 'authmethod', native: 'authMethod', also: ['authMethod'] },
    ...same('url', 'dn'),
    { wire: 'dn_prefix', native: 'dnPrefix', also: ['dnPrefix'] },
    { wire: 'searchBase', native: 'search.base' },
    { wire: 'searchFilter', native: 'search.filter' },
    { wire: 'bindDn', native: 'search.bindDn' },
    ...same('bindPassword', 'realm'),
    { wire: 'starttls', native: 'startTls', also: ['startTls'], read: flag },
    ...same('caCertificates'),
    { wire: 'allowsClearText', native: 'allowsClearText', read: flag },
    ...same('attributes'),
    emailIsVerified,
  ],
  oauth1: [
    { wire: 'consumerKey', native: 'consumerKey', also: ['clientId'] },
    { wire: 'consumerSecret', native: 'consumerSecret', also: ['clientSecret'] },
    ...same('requestTokenUrl', 'authorizeUrl', 'accessTokenUrl', 'profileUrl', 'fields'),
    emailIsVerified,
  ],
  oauth2: [...same('authorizationUrl', 'tokenUrl', 'userInfoUrl'), ...ofOAuth2],
  openid: [...ofOAuth2, ...same('responseMode', 'identifier')],
};

/** The configuration in native words. What is wrong with it is the domain's to say. */
export function toNative(type: AuthPolicyType, given: Body): Record<string, unknown> {
  const native: Record<string, unknown> = {};
  for (const { wire, native: path, also = [], read } of words[type]) {
    const name = [wire, ...also].find((one) => memberOf(given, one) !== undefined);
    if (name !== undefined) put(native, path, read === undefined ? memberOf(given, name) : read(memberOf(given, name)));
  }
  if (type === 'oauth2' || type === 'openid') Object.assign(native, ofProvider(native, memberOf(given, 'provider')));
  const idField = memberOf(given, 'userIdField');
  return idField === undefined ? native : withIdField(type, native, idField);
}

function put(target: Record<string, unknown>, path: string, value: unknown): void {
  const [name = '', inner] = path.split('.');
  if (inner === undefined) target[name] = value;
  else target[name] = { ...(target[name] as object | undefined), [inner]: value };
}

/** A provider that is known by its name needs no address. */
function ofProvider(native: Body, provider: unknown): Record<string, unknown> {
  const known = typeof provider === 'string' ? providerOf(provider) : undefined;
  if (known === undefined || native.issuer !== undefined || native.authorizationUrl !== undefined) return {};
  return { issuer: known.issuer, scopes: native.scopes ?? known.scopes };
}

/**
 * What the provider calls its people. An address is that only as far as the provider vouches for it, so it is read as the
 * e-mail address, never as a username.
 */
function withIdField(type: AuthPolicyType, native: Record<string, unknown>, field: unknown): Record<string, unknown> {
  if (type === 'ldap' || type === 'password') return native;
  // No object: the domain says so.
  if (typeof (native.fields ?? {}) !== 'object' || Array.isArray(native.fields)) return native;
  const named = typeof field === 'string' && /mail/i.test(field) ? { email: field } : { username: field };
  // OpenID Connect tells people apart by `sub`, always.
  const id = type === 'openid' ? {} : { id: field };
  return { ...native, fields: { ...id, ...named, ...(native.fields as object | undefined) } };
}

/** Whether the admin said by which name the provider knows people: then it may be a username of ours. */
export const namesUsers = (given: Body): boolean => memberOf(given, 'userIdField') !== undefined;

/** What is kept of it: the words that mean something, secrets masked. */
export function toKeep(type: AuthPolicyType, given: Body): Record<string, unknown> {
  const known = ['provider', 'userIdField', ...words[type].flatMap(({ wire, also = [] }) => [wire, ...also])];
  return Object.fromEntries(
    known.flatMap((name) => {
      const value = memberOf(given, name);
      if (value === undefined || JSON.stringify(value).length > longestKept) return [];
      return [[name, secretWords.has(name) && value !== null && value !== '' ? secretMask : value]];
    }),
  );
}

/** Most of one word that is kept, in characters of JSON: a bundle of certificates. */
const longestKept = 70_000;

const secretWords: ReadonlySet<string> = new Set(['bindPassword', 'consumerSecret', 'clientSecret']);

/** What was kept, while it still says what the policy is; the policy in our words after it was changed elsewhere. */
export function toWire(services: Pick<Services, 'outgoing'>, policy: AuthPolicy): Record<string, unknown> {
  const kept = policy.extras.rhmap?.configurations as Record<string, unknown> | undefined;
  return kept !== undefined && stillSays(services, policy, kept) ? withSecrets(policy, kept) : fromNative(policy);
}

/** The masks of the secrets that there are: an update leaves one out that stays, the native API takes one away. */
function withSecrets({ type, secrets }: AuthPolicy, kept: Body): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...kept };
  for (const { wire, native, also = [] } of words[type].filter((word) => secretWords.has(word.native))) {
    const written = [wire, ...also].filter((name) => memberOf(kept, name) === secretMask);
    if (!secrets.includes(native as SecretName)) for (const name of written) delete shown[name];
    else if (written.length === 0) shown[wire] = secretMask;
  }
  return shown;
}

function stillSays({ outgoing }: Pick<Services, 'outgoing'>, policy: AuthPolicy, kept: Body): boolean {
  const { type, configuration, secrets } = policy;
  const native = toNative(type, kept);
  for (const name of secretWords) delete native[name];
  for (const name of secrets) native[name] = secretMask.replaceAll('*', 'x');
  try {
    const { typed } = checkConfiguration(outgoing, type, native);
    return isDeepStrictEqual(JSON.parse(JSON.stringify(typed.configuration)), configuration);
  } catch {
    return false;
  }
}

/** All of it, secrets masked; what is not set is left out. */
function fromNative({ type, configuration, secrets }: AuthPolicy): Record<string, unknown> {
  const wire: Record<string, unknown> = type === 'password' ? { provider: 'FEEDHENRY' } : {};
  for (const { wire: name, native: path } of words[type]) {
    const value = secrets.includes(path as SecretName) ? secretMask : valueAt(configuration, path);
    if (value !== undefined && value !== null && value !== false) {
      wire[name] = path === 'scopes' ? (value as string[]).join(' ') : value;
    }
  }
  return wire;
}

const valueAt = (configuration: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Body | null | undefined)?.[name], configuration);

/** The field of a request that the domain's path names; `given` is the configuration in it. */
export function wireFieldOf(path: string, given: Body): string {
  const [head, ...rest] = path.split('.');
  if (head !== 'configuration') return path;
  const inner = rest.filter((part) => !/^\d+$/.test(part)).join('.');
  if (comesFromIdField(inner, given)) return 'configurations.userIdField';
  const all = Object.values(words).flat();
  const word = all.find(({ native }) => native === inner) ?? all.find(({ native }) => native === `${inner}.base`);
  const name = word?.also?.find(
    (one) => memberOf(given, word.wire) === undefined && memberOf(given, one) !== undefined,
  );
  return ['configurations', name ?? word?.wire ?? inner].filter((part) => part !== '').join('.');
}

/** `userIdField` stands for these, where `fields` does not say otherwise. */
function comesFromIdField(inner: string, given: Body): boolean {
  const [, name] = /^fields\.(id|email|username)$/.exec(inner) ?? [];
  if (name === undefined || memberOf(given, 'userIdField') === undefined) return false;
  return !Object.hasOwn((memberOf(given, 'fields') ?? {}) as object, name);
}

const wireNames: ReadonlyMap<string, string> = new Map([
  ['search', 'searchBase'],
  ...Object.values(words).flatMap((ofType) => ofType.map(({ native, wire }) => [native, wire] as const)),
]);

/** The domain's sentence about a configuration, with RHMAP's names in it. */
export const inWireWords = (message: string): string =>
  message.replace(/\b[A-Za-z]+(\.[A-Za-z]+)?\b/g, (name) => wireNames.get(name) ?? name);
