/** Reading what clients send. Fields that nobody asked for are ignored: fhc sends whole answers back. */
import type { FastifyRequest } from 'fastify';
import { DomainError, malformed } from '../../kernel/errors.ts';
import { echoName } from '../edge/text.ts';

export const unreadableBody = 'Request body must be a JSON object';

/** Something wrong with a request, in the dialect's own sentence. */
export const wrong = (message: string): DomainError => new DomainError('input.invalid', message);

export type Body = Readonly<Record<string, unknown>>;

/** The body as an object; none is an empty one. Throws `input.malformed`. */
export function bodyOf({ body = {} }: FastifyRequest): Body {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw malformed(unreadableBody);
  return body as Body;
}

export const memberOf = (body: Body, name: string): unknown => (Object.hasOwn(body, name) ? body[name] : undefined);

/** Text that may be left out; what is no text counts as left out. */
export const textOf = (body: Body, name: string): string | undefined => {
  const value = memberOf(body, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
};

export function requiredText(body: Body, name: string): string {
  const value = memberOf(body, name);
  if (value === undefined || value === null || value === '') throw wrong(`${name} is required`);
  if (typeof value !== 'string') throw wrong(`${name} must be a string`);
  return value;
}

export function requiredObject(body: Body, name: string): Body {
  const value = memberOf(body, name);
  if (value === undefined || value === null) throw wrong(`${name} is required`);
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong(`${name} must be an object`);
  return value as Body;
}

/** A flag, also as the word that fhc sends; undefined when it is absent. */
export function optionalFlag(body: Body, name: string): boolean | undefined {
  const value = memberOf(body, name);
  if (value === undefined || value === null) return undefined;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw wrong(`${name} must be true or false`);
}

/** Most users that one request names. */
const mostUsers = 1000;

export function requiredUsers(body: Body): string[] {
  const value = memberOf(body, 'users');
  const isList =
    Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && one !== '');
  if (!isList) throw wrong('users must be a non-empty array of user ids');
  if (value.length > mostUsers) throw wrong(`users must have at most ${mostUsers} user ids`);
  return value;
}

/** What a client wrote, as an error repeats it. */
export const echo = (text: string): string => echoName(text);

/** A header's value; the JavaScript SDK writes each as JSON, with quotes. */
export function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  if (typeof value !== 'string' || value === '') return undefined;
  return /^".*"$/.test(value) ? value.slice(1, -1) : value;
}
