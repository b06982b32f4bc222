/** From what providers tell about a person to what we know of one. */
import { UpstreamError, type UpstreamIdentity } from '../identity.ts';
import type { UserInfoFields } from './configuration.ts';
import type { JsonObject } from './requests.ts';

type Person = Omit<UpstreamIdentity, 'issuer' | 'subject' | 'amr' | 'claims'>;

export interface Mapping {
  readonly fields: UserInfoFields;
  readonly emailIsVerified: boolean;
}

/** What several answers say, the first ones first. An address and whether it is verified come from one and the same. */
export function personOf(mapping: Mapping, answers: readonly JsonObject[]): Person {
  const people = answers.map((answer) => personIn(mapping, answer));
  const first = <Name extends keyof Person>(name: Name) => people.find((person) => person[name] !== null)?.[name];
  const addressed = people.find(({ email }) => email !== null);
  return {
    email: addressed?.email ?? null,
    emailVerified: addressed?.emailVerified ?? false,
    username: first('username') ?? null,
    name: first('name') ?? null,
    givenName: first('givenName') ?? null,
    familyName: first('familyName') ?? null,
    picture: first('picture') ?? null,
    groups: people.find(({ groups }) => groups.length > 0)?.groups ?? [],
  };
}

function personIn({ fields, emailIsVerified }: Mapping, answer: JsonObject): Person {
  const text = (path: string, maximum = 255) => textOf(valueAt(answer, path), maximum);
  const email = text(fields.email ?? 'email');
  // The standard claim speaks of the standard address, not of one that stands elsewhere.
  const verified =
    fields.emailVerified ?? (fields.email === null || fields.email === 'email' ? 'email_verified' : null);
  const picture = text(fields.picture ?? 'picture', 2048);
  return {
    email: email?.includes('@') === true ? email : null,
    emailVerified: isVerified(verified === null ? undefined : valueAt(answer, verified), emailIsVerified),
    username: text(fields.username ?? 'preferred_username'),
    name: text(fields.name ?? 'name'),
    givenName: text(fields.givenName ?? 'given_name'),
    familyName: text(fields.familyName ?? 'family_name'),
    picture: picture !== null && /^https?:$/.test(URL.parse(picture)?.protocol ?? '') ? picture : null,
    groups: groupsOf(valueAt(answer, fields.groups ?? 'groups')),
  };
}

/** Only `true` is a promise, the string "true" is none; the policy vouches where the provider does not say no. */
const isVerified = (claim: unknown, emailIsVerified: boolean): boolean =>
  claim === true || (emailIsVerified && claim !== false && claim !== 'false');

/** The member of that name, or what the dots lead to; own members only. */
export function valueAt(answer: JsonObject, path: string): unknown {
  if (Object.hasOwn(answer, path)) return answer[path];
  let value: unknown = answer;
  for (const name of path.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined;
    value = (value as JsonObject)[name];
  }
  return value;
}

/** Text that can be stored: not empty, no controls, well-formed, not longer than anything honest. */
function textOf(value: unknown, maximum: number): string | null {
  if (typeof value !== 'string' || value === '' || value.length > maximum) return null;
  return /[\x00-\x1f\x7f-\x9f]/.test(value) || !value.isWellFormed() ? null : value;
}

const groupsOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value])
    .slice(0, 1000)
    .map((group) => textOf(group, 255))
    .filter((group) => group !== null);

/** What tells people apart: a text, or an integer that JSON carries without loss. Throws `answer_invalid`. */
export function subjectOf(value: unknown): string {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  const subject = textOf(text, 255);
  if (subject === null) throw new UpstreamError('answer_invalid', 'The provider does not say who it is about.');
  return subject;
}

/**
 * What tells people apart where there is no `sub`: the member that the policy names. An address does so only as far as the
 * provider vouches for it: otherwise people could write somebody else's. Throws `answer_invalid`.
 */
export function subjectAndPersonOf(mapping: Mapping, answer: JsonObject): Person & { readonly subject: string } {
  const { id, email } = mapping.fields;
  const subject = subjectOf(valueAt(answer, id ?? 'sub'));
  const person = personOf(mapping, [answer]);
  if (id !== null && id === (email ?? 'email') && !person.emailVerified) {
    throw new UpstreamError('answer_invalid', 'The provider does not vouch for the address that tells people apart.');
  }
  return { subject, ...person };
}

/** Most that is kept of what a provider tells, in characters of JSON: of one member, and of all. */
const longestMember = 4096;
const longestClaims = 16_384;

/** What was told, for clients that ask for it; what is too long is left out. The first answers win. */
export function claimsOf(answers: readonly JsonObject[]): JsonObject {
  const kept: [string, unknown][] = [];
  let size = 0;
  for (const [name, value] of answers.toReversed().flatMap(told)) {
    const length = name.length + JSON.stringify(value).length;
    if (length > longestMember || size + length > longestClaims || name === '__proto__') continue;
    size += length;
    kept.push([name, value]);
  }
  return Object.fromEntries(kept);
}

/** That an address is verified is no news without the address: another answer may name another one. */
const told = (answer: JsonObject): [string, unknown][] =>
  Object.entries(answer).filter(([name]) => name !== 'email_verified' || Object.hasOwn(answer, 'email'));
