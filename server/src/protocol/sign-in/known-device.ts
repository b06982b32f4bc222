/**
 * A browser that signed in to an account before keeps a signed note of it, so that others who fail on purpose do not
 * keep it out. It proves nothing about a person: it opens no account and spares nobody a password. A note is for one
 * account and its password of that time; a browser keeps the latest four, in one cookie.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { randomBase64Url } from '../../kernel/random.ts';
import type { ProtocolContext } from '../context.ts';

/** How long a note is good, in milliseconds. */
export const knownDeviceLifetimeMs = 365 * 86_400_000;

const mostNotes = 4;
const note = /^([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]{22})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/;

interface Account {
  readonly id: string;
  readonly passwordHash: string;
}

/** The number of the browser that brings these notes, when one of them is good for the account. */
export function deviceIdOf(ctx: ProtocolContext, account: Account, notes: string | undefined): string | undefined {
  for (const text of partsOf(notes)) {
    const [, user, deviceId = '', at = '', mac = ''] = note.exec(text) ?? [];
    if (user !== nameOf(account)) continue;
    const age = ctx.services.clock.now() - Number.parseInt(at, 36);
    const isGood = timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(ctx, account, deviceId, at)));
    if (isGood && age < knownDeviceLifetimeMs) return deviceId;
  }
  return undefined;
}

/** The notes of a browser that has just signed in to the account, for its cookie. */
export function notesAfter(ctx: ProtocolContext, account: Account, notes: string | undefined): string {
  const deviceId = deviceIdOf(ctx, account, notes) ?? randomBase64Url(ctx.services.random, 16);
  const at = ctx.services.clock.now().toString(36);
  const user = nameOf(account);
  const others = partsOf(notes).filter((text) => note.test(text) && !text.startsWith(`${user}.`));
  return [`${user}.${deviceId}.${at}.${macOf(ctx, account, deviceId, at)}`, ...others].slice(0, mostNotes).join('~');
}

const partsOf = (notes = ''): string[] => (notes.length > 4096 ? [] : notes.split('~').slice(0, mostNotes));

const nameOf = ({ id }: Account): string => Buffer.from(id).toString('base64url');

const macOf = ({ services, site }: ProtocolContext, account: Account, deviceId: string, at: string): string =>
  createHmac('sha256', services.cipher.deriveKey('known devices'))
    .update(JSON.stringify([site.tenantId, account.id, account.passwordHash, deviceId, at]))
    .digest('base64url');
