/** Tokens as attackers make them: any header, any payload, any signature. */
import assert from 'node:assert/strict';
import { InvalidTokenError, type TokenProblem, type Verifier } from '../src/index.ts';

export const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** The three parts of a token. */
export const partsOf = (token: string): [string, string, string] => token.split('.') as [string, string, string];

export const decoded = (text: string): Record<string, unknown> => JSON.parse(Buffer.from(text, 'base64url').toString());

/** The verifier refuses the token for this very reason. */
export async function refuses(verifier: Verifier, token: string, problem: TokenProblem, why?: string): Promise<void> {
  const outcome = await verifier.verifyAccessToken(token).then(
    () => 'it was taken',
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof InvalidTokenError, `${why ?? String(token).slice(0, 80)}: ${outcome}`);
  assert.equal(outcome.problem, problem, why);
}

/** Counts what goes through a fetch, by path. */
export function counted(fetch: (url: string, init: RequestInit) => Promise<Response>) {
  const calls: string[] = [];
  return {
    calls,
    count: (path: string) => calls.filter((called) => called.endsWith(path)).length,
    fetch: (url: string, init: RequestInit) => {
      calls.push(new URL(url).pathname);
      return fetch(url, init);
    },
  };
}
