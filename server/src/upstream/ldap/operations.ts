/** What a directory is asked: binds, searches and the two extended operations (RFC 4511 §4). */
import { type Element, element } from '../../kernel/der.ts';
import { UpstreamError } from '../identity.ts';
import { upstreamDeadlineMs } from '../redirect.ts';
import { expect, integer, malformed, octets, read, readText, sequence, tags, truth } from './ber.ts';
import type { LdapConnection } from './connection.ts';
import { codes, failureOf, type LdapResult, readResult } from './result.ts';

const operations = {
  bindRequest: 0x60,
  bindResponse: 0x61,
  searchRequest: 0x63,
  searchEntry: 0x64,
  searchDone: 0x65,
  searchReference: 0x73,
  extendedRequest: 0x77,
  extendedResponse: 0x78,
} as const;

/** A simple bind (RFC 4511 §4.2); without a name it is an anonymous one. */
export const bindSimple = (connection: LdapConnection, dn: string, password: string): Promise<LdapResult> =>
  bind(connection, dn, octets(password, 0x80));

/** One round of a SASL bind. No credentials is not the same as empty ones: Cyrus refuses a first that should not be. */
export const bindSasl = (connection: LdapConnection, mechanism: string, credentials?: Buffer): Promise<LdapResult> =>
  bind(connection, '', element(0xa3, octets(mechanism), ...(credentials === undefined ? [] : [octets(credentials)])));

async function bind(connection: LdapConnection, dn: string, authentication: Buffer): Promise<LdapResult> {
  const request = element(operations.bindRequest, integer(3), octets(dn), authentication);
  return resultOf(await connection.ask(request, operations.bindResponse));
}

const resultOf = (answer: readonly Element[]): LdapResult => readResult(read((answer.at(-1) as Element).content));

export interface SearchRequest {
  readonly base: string;
  readonly scope: 'base' | 'subtree';
  /** As `readFilter` makes it. */
  readonly filter: Buffer;
  /** By name only. */
  readonly attributes: readonly string[];
  readonly sizeLimit: number;
}

export interface LdapEntry {
  readonly dn: string;
  /** By name in lower case. */
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>;
}

export interface SearchAnswer {
  readonly result: LdapResult;
  readonly entries: readonly LdapEntry[];
}

/** Searches; aliases are not dereferenced, and references to other directories are left out. */
export async function search(connection: LdapConnection, asked: SearchRequest): Promise<SearchAnswer> {
  const request = element(
    operations.searchRequest,
    octets(asked.base),
    integer(asked.scope === 'base' ? 0 : 2, tags.enumerated),
    // neverDerefAliases
    integer(0, tags.enumerated),
    integer(asked.sizeLimit),
    integer(Math.ceil(upstreamDeadlineMs / 1000)),
    truth(false),
    asked.filter,
    sequence(...asked.attributes.map((name) => octets(name))),
  );
  const others = [operations.searchEntry, operations.searchReference];
  const answer = await connection.ask(request, operations.searchDone, others);
  const entries = answer.filter(({ tag }) => tag === operations.searchEntry).map(readEntry);
  if (entries.length > asked.sizeLimit) throw malformed('more entries than asked for');
  return { result: resultOf(answer), entries };
}

function readEntry({ content }: Element): LdapEntry {
  const [dn, attributes] = read(content);
  const pairs = read(expect(attributes, tags.sequence)).map((attribute) => {
    const [name, values] = read(expect(attribute, tags.sequence));
    const found = read(expect(values, tags.set)).map((value) => expect(value, tags.octets));
    return [readText(name).toLowerCase(), found] as const;
  });
  return { dn: readText(dn), attributes: new Map(pairs) };
}

async function extended(connection: LdapConnection, name: string): Promise<LdapResult> {
  const request = element(operations.extendedRequest, octets(name, 0x80));
  return resultOf(await connection.ask(request, operations.extendedResponse));
}

/** RFC 4511 §4.14. A refusal ends it: nothing is ever said in the clear instead. Throws `untrusted`. */
export async function startTls(connection: LdapConnection, caCertificates: string | null): Promise<void> {
  const { code } = await extended(connection, '1.3.6.1.4.1.1466.20037');
  if (code !== codes.success) throw new UpstreamError('untrusted', `the directory refuses StartTLS (${code})`);
  await connection.secure(caCertificates);
}

/** The DN of whoever is signed in, as the directory sees it (RFC 4532); undefined when it names no DN. */
export async function whoAmI(connection: LdapConnection): Promise<string | undefined> {
  const result = await extended(connection, '1.3.6.1.4.1.4203.1.11.3');
  if (result.code !== codes.success) throw failureOf(result, '"Who am I?"');
  return /^dn:(.+)$/s.exec(result.value?.toString() ?? '')?.[1];
}
