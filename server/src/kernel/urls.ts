import { invalid } from './errors.ts';

/** Schemes that run or show what they carry: never a place to send anybody (RFC 9700 §4.1). */
const dangerous = /^(javascript|data|vbscript|file|blob|about|ws|wss)$/;

/** Loopback by name or address: `localhost`, `*.localhost`, 127.0.0.0/8, ::1. */
export const isLoopback = (hostname: string): boolean =>
  /^(.+\.)?localhost$|^127(\.\d{1,3}){3}$|^\[?::1\]?$/.test(hostname);

/**
 * A URL a browser may be sent to: absolute, of a harmless scheme, without control characters, credentials or a wildcard
 * in its host. Throws `input.invalid` naming `path`.
 */
export function assertSafeUrl(text: string, path: string): void {
  if (/[\x00-\x20\x7f-\x9f]/.test(text) || !URL.canParse(text)) throw invalid(path, 'It must be an absolute URL.');
  const url = new URL(text);
  if (dangerous.test(url.protocol.slice(0, -1))) throw invalid(path, `The scheme ${url.protocol} is not possible.`);
  if (url.username !== '' || url.password !== '') throw invalid(path, 'A URL with credentials is not possible.');
  if (url.hostname.includes('*')) throw invalid(path, 'A wildcard in the host is not possible; list each host.');
}
