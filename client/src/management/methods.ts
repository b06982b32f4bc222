/** Makes the methods of a client of its table of operations: one function for all of them, and their types. */
import { ConfigurationError, ResponseError } from '../errors.ts';
import type { Answer } from '../http/send.ts';
import { asObject } from '../jose/base64url.ts';
import type { Connection } from './connection.ts';
import { type List, listOf, type Page, type Place } from './list.ts';
import type { Operations } from './types.ts';

export interface CallOptions {
  /** Ends the call. */
  readonly signal?: AbortSignal;
}

/** How a dialect's lists go on: `Link` and `Total-Number` beside an array, or `next` beside `data`. */
export type ListStyle = 'link' | 'data';

/** A table of operations, by groups or flat. */
export interface Table {
  readonly [name: string]: string | Table;
}

/** The client of a table. */
export type ClientOf<T> = {
  readonly [Name in keyof T]: T[Name] extends string ? Method<T[Name]> : ClientOf<T[Name]>;
};

interface Shape {
  parameters: string[];
  body?: unknown;
  options: object;
  answer: unknown;
}
type Operation<Route> = Route extends keyof Operations ? Operations[Route] : never;

/** The method of one operation: the path's parameters, the body where there is one, and the options. */
export type Method<Entry extends string> = Entry extends `LIST ${infer Path}`
  ? ListMethod<Operation<`GET ${Path}`>>
  : Entry extends `SEARCH ${infer Path}`
    ? ListMethod<Operation<`POST ${Path}`>>
    : Entry extends `ASK ${infer Path}`
      ? CallMethod<Operation<`POST ${Path}`>>
      : CallMethod<Operation<Entry>>;

type CallMethod<O extends Shape> = (
  ...args: [...O['parameters'], ...BodyOf<O>, options?: O['options'] & CallOptions]
) => Promise<O['answer']>;

type ListMethod<O extends Shape> = (
  ...args: [...O['parameters'], ...BodyOf<O, 'cursor'>, options?: Omit<O['options'], 'page' | 'cursor'> & CallOptions]
) => List<ItemOf<O['answer']>>;

type BodyOf<O, Left extends string = never> = O extends { body: infer Body }
  ? [body: [Left] extends [never] ? Body : Omit<Body, Left>]
  : [];
type ItemOf<A> = A extends (infer Item)[] ? Item : A extends { data: (infer Item)[] } ? Item : never;

/** The methods of a table, at a connection. */
export function clientOf<T extends Table>(table: T, connection: Connection, style: ListStyle): ClientOf<T> {
  const methods = Object.entries(table).map(([name, entry]) => [
    name,
    typeof entry === 'string' ? methodOf(entry, connection, style) : clientOf(entry, connection, style),
  ]);
  return Object.fromEntries(methods) as ClientOf<T>;
}

const tags = new WeakMap<object, string>();

/** The entity tag of something that was read or changed by PATCH, for the option `ifMatch`. */
export const etagOf = (answer: object): string | undefined => tags.get(answer);

type Arguments = readonly unknown[];

function methodOf(entry: string, connection: Connection, style: ListStyle): (...args: Arguments) => unknown {
  const [kind = '', path = ''] = entry.split(' ');
  const isList = kind === 'LIST' || kind === 'SEARCH';
  const method = { LIST: 'GET', SEARCH: 'POST', ASK: 'POST' }[kind] ?? kind;
  const names = path.match(/:\w+/g) ?? [];
  const hasBody = (method === 'POST' && kind !== 'ASK') || method === 'PUT' || method === 'PATCH';
  const read = async (args: Arguments, place: Record<string, unknown> = {}): Promise<Answer> => {
    const given = asObject(args[names.length + (hasBody ? 1 : 0)]) ?? {};
    const { signal, dryRun, idempotencyKey, ifMatch, ...query } = given;
    const body = hasBody ? args[names.length] : undefined;
    const inQuery = { ...query, dry_run: dryRun, ...(kind === 'SEARCH' ? {} : place) };
    return connection.call({
      method,
      path: `${pathOf(path, args)}${queryOf(inQuery)}`,
      ...(hasBody ? { body: kind === 'SEARCH' ? { ...(body as object), ...place } : body } : {}),
      headers: headersOf({ 'idempotency-key': idempotencyKey, 'if-match': ifMatch }),
      isRepeatable: method === 'GET' || kind === 'SEARCH' || (method === 'POST' && idempotencyKey !== undefined),
      signal: signal as AbortSignal | undefined,
    });
  };
  if (isList) {
    return (...args) => listOf(async (place) => pageOf(await read(args, placeOf(place, style)), style));
  }
  return async (...args) => bodyOf(await read(args));
}

/** The body, which remembers its tag; undefined where there is none. */
function bodyOf({ json, headers }: Answer): unknown {
  const tag = headers.get('etag');
  if (tag !== null && typeof json === 'object' && json !== null) tags.set(json, tag);
  return json;
}

/** At the native API an empty cursor is the beginning, by key; without it the page would be the one with number 1. */
const placeOf = ({ cursor, page }: Place, style: ListStyle): Record<string, unknown> =>
  page === undefined ? { cursor: cursor ?? (style === 'link' ? '' : undefined) } : { page };

function pageOf({ status, json, headers }: Answer, style: ListStyle): Page<unknown> {
  if (style === 'data') {
    const { data, next } = asObject(json) ?? {};
    return { items: itemsOf(data, status), next: typeof next === 'string' ? next : undefined, total: undefined };
  }
  const total = headers.get('total-number');
  return { items: itemsOf(json, status), next: nextOf(headers), total: total === null ? undefined : Number(total) };
}

function itemsOf(value: unknown, status: number): unknown[] {
  if (!Array.isArray(value)) throw new ResponseError('The answer is not a list.', status);
  return value;
}

/** The cursor of `Link` rel=next (RFC 8288). Only that is taken from it: where to ask stays the base URL's. */
function nextOf(headers: Headers): string | undefined {
  const target = /<([^>]*)>;\s*rel="next"/.exec(headers.get('link') ?? '')?.[1];
  if (target === undefined || !URL.canParse(target)) return undefined;
  return new URL(target).searchParams.get('cursor') ?? undefined;
}

function pathOf(path: string, args: Arguments): string {
  let place = 0;
  return path.replace(/:\w+/g, (name) => {
    const value = args[place++];
    // A URL with a segment of dots is another URL (WHATWG URL, "double-dot path segment").
    if (typeof value !== 'string' || value === '' || value === '.' || value === '..') {
      throw new ConfigurationError(`${name.slice(1)} must be an id.`);
    }
    return encodeURIComponent(value);
  });
}

function queryOf(query: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) parameters.append(name, String(one));
  }
  return parameters.size === 0 ? '' : `?${parameters}`;
}

const headersOf = (headers: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
