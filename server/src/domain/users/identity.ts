/**
 * What tells people apart: e-mail, username, phone. Each is brought to one canonical form here and nowhere else; the
 * form is what unique indexes, look-ups and limits use, so that no spelling of a name is a second account.
 */
import { domainToASCII } from 'node:url';
import { invalid } from '../../kernel/errors.ts';

/** An identity as it is shown and as it is compared. */
export interface Identity {
  readonly shown: string;
  readonly key: string;
}

const longestEmail = 254;
const longestUsername = 128;

/** Controls, format characters, unassigned ones, spaces, and what is not drawn: nobody can see them (RFC 8265 §3.3). */
const invisible = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u;

/**
 * Text as it is compared where case does not matter: NFKC, then folded by way of upper case (`ß` and `SS` meet), the
 * Turkish `İ` and `ı` with `i`, the final sigma with the other one; again until nothing changes.
 */
export function foldCase(text: string): string {
  let folded = text;
  for (let pass = 0; pass < 4; pass += 1) {
    const next = folded
      .normalize('NFKC')
      .toUpperCase()
      .toLowerCase()
      .replaceAll('ς', 'σ')
      .replaceAll('i\u0307', 'i')
      .normalize('NFKC');
    if (next === folded) break;
    folded = next;
  }
  return folded;
}

/** Reads an e-mail address. Throws `input.invalid` naming `path` when it is none. */
export function emailIdentity(text: string, path = 'email'): Identity {
  const refused = () => invalid(path, 'It is not an e-mail address.');
  const plain = text.trim().normalize('NFKC');
  const [local = '', host = '', ...more] = plain.split('@');
  // More than one @ has been read in more than one way by others: which host it belongs to is not decided here.
  if (local === '' || more.length > 0 || plain.length > longestEmail || invisible.test(plain)) throw refused();
  if (/["(),:;<>[\\\]]|^\.|\.$|\.\./.test(local)) throw refused();
  // `domainToASCII` reads a host as a URL has it: it would drop a port, a path or a fragment, and decode `%2e`.
  if (/[^\x80-\u{10ffff}A-Za-z0-9.-]/u.test(host)) throw refused();
  const domain = domainToASCII(host);
  if (!/^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/.test(domain)) throw refused();
  return { shown: plain.toLowerCase(), key: `${foldCase(local)}@${domain}` };
}

/** The canonical form of an e-mail address to look for; of what is none, its folded text, which finds nobody. */
export function emailKeyOf(text: string): string {
  try {
    return emailIdentity(text).key;
  } catch {
    return foldCase(text.trim());
  }
}

/** A domain as the key of an e-mail address has it. Throws `input.invalid` naming `path`. */
export function emailDomainKey(text: string, path: string): string {
  const refused = invalid(path, 'It is not a domain of e-mail addresses.');
  try {
    const [, domain] = text.includes('@') ? [] : emailIdentity(`a@${text}`).key.split('@');
    if (domain?.includes('.')) return domain;
  } catch {
    throw refused;
  }
  throw refused;
}

/** Reads a username. Throws `input.invalid` naming `path`: it has no space and no @, and is not an e-mail address. */
export function usernameIdentity(text: string, path = 'username'): Identity {
  const shown = text.trim().normalize('NFKC');
  const key = foldCase(shown);
  if (shown === '' || [...shown].length > longestUsername || invisible.test(shown)) {
    throw invalid(path, `A username has 1 to ${longestUsername} visible characters and no space.`);
  }
  if (shown.includes('@')) throw invalid(path, 'A username has no @: it could be taken for an e-mail address.');
  if (/^\.|\.$/.test(shown)) throw invalid(path, 'A username does not begin or end with a dot.');
  return { shown, key };
}

/** Reads a phone number (E.164). Throws `input.invalid` naming `path`. */
export function phoneIdentity(text: string, path = 'phone'): string {
  const phone = text.normalize('NFKC').replace(/[ ().-]/g, '');
  if (!/^\+[1-9]\d{4,14}$/.test(phone)) throw invalid(path, 'A phone number is written as +<country><number>.');
  return phone;
}
