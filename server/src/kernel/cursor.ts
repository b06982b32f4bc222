import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from './errors.ts';

/**
 * Opaque keyset cursors. A cursor carries the sort values of the last row seen, authenticated together with the tenant
 * and the list it belongs to: an edited, forged or foreign one is refused.
 */
export interface Cursors {
  seal(list: string, position: readonly (string | number)[]): string;
  /** Throws `input.cursor_invalid`. */
  open(list: string, cursor: string, path: string): (string | number)[];
}

export function createCursors(key: Buffer): Cursors {
  const mac = (list: string, payload: string): Buffer =>
    createHmac('sha256', key).update(`${list}\n${payload}`).digest().subarray(0, 16);
  return {
    seal(list, position) {
      const payload = Buffer.from(JSON.stringify(position)).toString('base64url');
      return `${payload}.${mac(list, payload).toString('base64url')}`;
    },
    open(list, cursor, path) {
      const dot = cursor.indexOf('.');
      const payload = cursor.slice(0, Math.max(dot, 0));
      // The texts are compared, not what they decode to: one cursor has one spelling.
      const given = Buffer.from(cursor.slice(dot + 1));
      const expected = Buffer.from(mac(list, payload).toString('base64url'));
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new DomainError('input.cursor_invalid', 'The paging cursor is not valid for this list.', { path });
      }
      return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as (string | number)[];
    },
  };
}
