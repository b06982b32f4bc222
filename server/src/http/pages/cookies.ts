/**
 * The three cookies of the pages. Over https they have the prefix `__Host-`: no other host, and no page of one below ours,
 * can set them. Over http (loopback) browsers do not allow it, so there they have plain names.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sessionLifetimeMs } from '../../domain/sessions/sessions.ts';
import type { Browser } from '../../protocol/authorize/request.ts';
import { knownDeviceLifetimeMs } from '../../protocol/sign-in/known-device.ts';

const browserName = 'sekisho-browser';
const sessionName = 'sekisho-session';
const deviceName = 'sekisho-device';

/** How long a browser is known, in seconds: 30 days. */
const browserMaxAgeSeconds = 30 * 86_400;

/** What the browser of a request holds: the secret that binds its sign-ins to it, and its session's. */
export function browserOf(request: FastifyRequest): Browser {
  const cookies = request.headers.cookie ?? '';
  const browserSecret = valueIn(cookies, nameOf(request, browserName), secret);
  const sessionSecret = valueIn(cookies, nameOf(request, sessionName), secret);
  return {
    ...(browserSecret === undefined ? {} : { browserSecret }),
    ...(sessionSecret === undefined ? {} : { sessionSecret }),
  };
}

/** The browser's notes of the accounts it signed in to; the protocol reads them (`sign-in/known-device.ts`). */
export const knownDeviceOf = (request: FastifyRequest): string | undefined =>
  valueIn(request.headers.cookie ?? '', nameOf(request, deviceName), /^[A-Za-z0-9_.~-]{1,4096}$/);

/** Keeps the notes for as long as they count. */
export function setKnownDeviceCookie(request: FastifyRequest, reply: FastifyReply, notes: string): void {
  setCookie(request, reply, deviceName, notes, knownDeviceLifetimeMs / 1000);
}

/** Keeps what binds interactions to this browser. */
export function setBrowserCookie(request: FastifyRequest, reply: FastifyReply, secret: string): void {
  setCookie(request, reply, browserName, secret, browserMaxAgeSeconds);
}

/** Keeps the secret of a session, for as long as one lasts. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, secret: string): void {
  setCookie(request, reply, sessionName, secret, sessionLifetimeMs / 1000);
}

/** Forgets the session. */
export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  setCookie(request, reply, sessionName, '', 0);
}

/** The scheme is that of the configured origin: a proxy in front may have taken TLS off. */
const isSecure = (request: FastifyRequest): boolean => request.site.origin.startsWith('https:');

const nameOf = (request: FastifyRequest, name: string): string => (isSecure(request) ? `__Host-${name}` : name);

function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  value: string,
  maxAgeSeconds: number,
): void {
  const secure = isSecure(request) ? '; Secure' : '';
  reply.header(
    'set-cookie',
    `${nameOf(request, name)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`,
  );
}

const secret = /^[A-Za-z0-9_-]{32,128}$/;

/** The cookie's value when it looks like one of ours. Two that differ are not both ours, so neither counts. */
function valueIn(header: string, name: string, pattern: RegExp): string | undefined {
  const values = new Set<string>();
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name) values.add(pair.slice(equals + 1).trim());
  }
  const [value = ''] = values;
  return values.size === 1 && pattern.test(value) ? value : undefined;
}
