import type { RefusalData, RefusalReason } from '../../protocol/refusal.ts';

/** What a caller is told of a refusal (RFC 6749 §5.2). */
export interface OAuthAnswer {
  readonly status: number;
  readonly error: string;
  readonly description: string;
  /** Scopes that the answer names, space-joined. */
  readonly scope?: string;
}

/** An issuer's answer to each reason. The real reason is in the log. */
export type ErrorTable = Readonly<Record<RefusalReason, (data: RefusalData) => OAuthAnswer>>;

export type Row = ErrorTable[RefusalReason];

export const row =
  (status: number, error: string, description: string | ((data: RefusalData) => string)): Row =>
  (data) => ({ status, error, description: typeof description === 'string' ? description : description(data) });

/** Longest description that is sent, in characters. */
const maximumDescription = 400;

/** Makes a sentence fit for `error_description`: one line, no controls, not endless. */
export const describe = (text: string): string =>
  text
    .slice(0, maximumDescription)
    .toWellFormed()
    .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, ' ');
