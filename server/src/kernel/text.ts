/** Longest text a log event keeps of one field, in characters. */
const logTextLength = 256;

/** Makes text safe to store and to show on one line: well-formed Unicode, no controls, capped. */
export function logText(text: string | undefined | null): string | null {
  if (text === undefined || text === null) return null;
  // Nearly every text is plain already.
  if (text.length <= logTextLength && /^[\x20-\x7e]*$/.test(text)) return text;
  const wellFormed = text.slice(0, logTextLength * 2).toWellFormed();
  return wellFormed
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ')
    .slice(0, logTextLength)
    .toWellFormed();
}

/** RFC 6749 §3.3 scope-token: printable ASCII without space, quote and backslash. */
export const isScopeToken = (text: string): boolean => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text);

/** Splits an RFC 6749 §3.3 scope string; empty parts are dropped, repeats are kept once. */
export const splitScopes = (text: string): string[] => [...new Set(text.split(' ').filter((part) => part !== ''))];
