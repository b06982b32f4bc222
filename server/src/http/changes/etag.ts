/** Entity tags (RFC 9110 §8.8.3): a hash of the body that GET answers. */
import { hash } from 'node:crypto';
import { DomainError } from '../../kernel/errors.ts';

export const etagOf = (body: unknown): string => `"${hash('sha256', JSON.stringify(body), 'base64url').slice(0, 27)}"`;

const tagsOf = (header: string): string[] => header.split(',').map((tag) => tag.trim());

/** `If-Match` (RFC 9110 §13.1.1) compares strongly: a weak tag matches nothing. Throws `etag.mismatch`. */
export function assertMatches(header: string, etag: string): void {
  if (header.trim() === '*' || tagsOf(header).includes(etag)) return;
  throw new DomainError('etag.mismatch', 'The thing was changed meanwhile: read it again.');
}

/** `If-None-Match` (RFC 9110 §13.1.2) compares weakly. */
export const noneMatch = (header: string, etag: string): boolean =>
  header.trim() !== '*' && !tagsOf(header).some((tag) => tag.replace(/^W\//, '') === etag);
