/**
 * The address a browser ends at. Who reads it are parsers of five SDKs, none of which reads URLs as the standard has it:
 * one "?" in all, no needed parameter first (.NET keeps the "?" in its name), `status=complete` last (some browsers add
 * "#_=_" to the last value), messages bare, and `authResponse` decoded once by some and twice by others.
 */

/** What the parameters tell. */
export type End =
  | { readonly sessionToken: string; readonly authResponse: Readonly<Record<string, unknown>> }
  | { readonly message: string };

/** Adds the end of a sign-in to an address without a fragment. */
export function endUrl(base: string, end: End): string {
  const separator = base.includes('?') ? (/[?&]$/.test(base) ? '' : '&') : '?';
  // Nobody reads the first one.
  const first = /\?.+$/.test(base) ? '' : 'fh_auth=end&';
  return `${base}${separator}${first}${parametersOf(end)}&status=complete`;
}

const parametersOf = (end: End): string =>
  'message' in end
    ? `result=failure&message=${encodeURIComponent(end.message)}`
    : `fh_auth_session=${encodeURIComponent(end.sessionToken)}&authResponse=${encoded(end.authResponse)}&result=success`;

/** JSON without any "%" of its own, so that decoding it once or twice gives the same. */
const encoded = (value: object): string => encodeURIComponent(JSON.stringify(value).replaceAll('%', '\\u0025'));
