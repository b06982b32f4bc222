import type * as Jose from 'jose';

let loaded: Promise<typeof Jose> | undefined;

/** jose, loaded at the first token or assertion that has to be verified: issuing one by a secret does without. */
export function jose(): Promise<typeof Jose> {
  loaded ??= import('jose');
  return loaded;
}
