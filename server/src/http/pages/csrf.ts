/**
 * A form counts when our page sent it in the same browser. Two independent checks: a token bound to the browser's cookie
 * and to where the form goes, and the browser's own word on where the request came from.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Cipher } from '../../kernel/cipher.ts';
import { Refusal } from '../../protocol/refusal.ts';
import type { HttpServices } from '../request.ts';
import { browserOf } from './cookies.ts';
import type { FormTarget } from './fields.ts';
import { formField } from './form-body.ts';

const keys = new WeakMap<Cipher, Buffer>();

function keyOf(cipher: Cipher): Buffer {
  const known = keys.get(cipher);
  if (known !== undefined) return known;
  const key = cipher.deriveKey('page forms');
  keys.set(cipher, key);
  return key;
}

/** A form of this browser that goes to `action`, a path of ours. */
export const formTarget = (
  services: HttpServices,
  request: FastifyRequest,
  browserSecret: string,
  action: string,
): FormTarget => ({ action, token: tokenOf(services, request, browserSecret, action).toString('base64url') });

const tokenOf = (services: HttpServices, request: FastifyRequest, browserSecret: string, action: string): Buffer =>
  createHmac('sha256', keyOf(services.cipher)).update(`${request.site.tenantId}\n${action}\n${browserSecret}`).digest();

/** Throws the refusal `form_forged` unless the request is a form that our page sent in this browser. */
export function assertOwnForm(services: HttpServices, request: FastifyRequest): void {
  const refused = (detail: string) => new Refusal('form_forged', { detail });
  if (!cameFromHere(request)) throw refused('the form came from another site');
  const { browserSecret } = browserOf(request);
  if (browserSecret === undefined) throw refused('the browser sent no cookie');
  const sent = Buffer.from(formField(request, 'csrf') ?? '', 'base64url');
  const expected = tokenOf(services, request, browserSecret, pathOf(request));
  if (sent.length !== expected.length || !timingSafeEqual(sent, expected)) {
    throw refused('the form has no token of this browser for this address');
  }
}

const pathOf = (request: FastifyRequest): string => (request.raw.url ?? '').split('?')[0] as string;

/**
 * What the browser says of a request's origin (Fetch Metadata; RFC 6454 §7). Another host below ours is another tenant's,
 * so `same-site` is not enough. Without either header (old browsers, programs) the token alone decides.
 */
function cameFromHere(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const { origin, host = '' } = request.headers;
  if (origin === undefined) return true;
  // The page may have been asked for by a further host of the tenant; the scheme is the configured one.
  const { protocol } = new URL(request.site.origin);
  return URL.canParse(`${protocol}//${host}`) && origin === new URL(`${protocol}//${host}`).origin;
}
