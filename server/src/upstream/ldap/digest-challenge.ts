/** What a server asks in DIGEST-MD5 (RFC 2831 §2.1.1). */
import { malformed, utf8Of } from './ber.ts';

export interface DigestChallenge {
  readonly nonce: string;
  readonly realms: readonly string[];
  /** Names may be any Unicode; else they are ISO 8859-1. */
  readonly isUtf8: boolean;
}

/** Longest challenge, in bytes (§2.1.1). */
const maximumLength = 2048;
const directivePattern = /[\s,]*([a-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/isy;

/** Throws `answer_invalid` for what no client may answer: no nonce, another algorithm, a layer that we do not speak. */
export function readChallenge(bytes: Buffer): DigestChallenge {
  const directives = bytes.length < maximumLength ? directivesOf(bytes.toString('latin1')) : undefined;
  if (directives === undefined) throw malformed('a challenge that is none');
  const allOf = (name: string) => directives.filter((directive) => directive.name === name).map(({ value }) => value);
  const [nonce, ...otherNonces] = allOf('nonce');
  const [algorithm, ...otherAlgorithms] = allOf('algorithm');
  const [charset] = allOf('charset');
  const isUtf8 = charset?.toLowerCase() === 'utf-8';
  if (nonce === undefined || otherNonces.length > 0 || !/^[\x21-\x7e]+$/.test(nonce)) throw malformed('no nonce');
  if (algorithm?.toLowerCase() !== 'md5-sess' || otherAlgorithms.length > 0) throw malformed('an unknown algorithm');
  if (!offersAuth(allOf('qop'))) throw malformed('it wants a security layer');
  const realms = allOf('realm').map((realm) => (isUtf8 ? utf8Of(Buffer.from(realm, 'latin1')) : realm));
  if (!realms.every((realm) => realm !== undefined)) throw malformed('a realm that is no text');
  return { nonce, realms, isUtf8 };
}

/** Absent means `auth`. */
const offersAuth = (lists: readonly string[]): boolean =>
  lists.length === 0 ||
  lists.some((list) =>
    list
      .toLowerCase()
      .split(/[\s,]+/)
      .includes('auth'),
  );

function directivesOf(text: string): { name: string; value: string }[] | undefined {
  const found: { name: string; value: string }[] = [];
  for (let end = 0; end < text.length; end = directivePattern.lastIndex) {
    directivePattern.lastIndex = end;
    const match = directivePattern.exec(text);
    if (match === null) return undefined;
    const [, name = '', quoted, token = ''] = match;
    found.push({ name: name.toLowerCase(), value: quoted?.replace(/\\(.)/gs, '$1') ?? token });
  }
  return found;
}
