/** What the tests of sign-in share beside the pages: the sign-in itself, from any address; and what it leaves in the log. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ProtocolContext } from '../../src/protocol/context.ts';
import { Refusal, type RefusalReason } from '../../src/protocol/refusal.ts';
import { type PasswordSignIn, signInWithPassword } from '../../src/protocol/sign-in/by-password.ts';
import type { TestServer } from '../harness.ts';
import type { Browser } from './support.ts';

/** A request's context, as the pages hand it to the protocol. */
export const contextAt = (server: TestServer, ip = '127.0.0.1'): ProtocolContext => {
  const { services } = server.composed;
  const site = services.sites.ofTenant('default');
  return { services, site, origin: { ip, userAgent: 'test', host: site.host } };
};

/** An application, and no organization, that take every policy. */
export const anywhere = { client: { offeredPolicyIds: undefined }, organizationId: null };

export const signIn = (server: TestServer, input: PasswordSignIn, ip?: string) =>
  signInWithPassword(contextAt(server, ip), input);

/** The refusal that the work ends with. */
export async function refusalOf(work: Promise<unknown>, reason: RefusalReason): Promise<Refusal> {
  const outcome = await work.then(
    () => undefined,
    (error) => error,
  );
  assert.ok(outcome instanceof Refusal, `no refusal: ${outcome}`);
  assert.equal(outcome.reason, reason);
  return outcome;
}

/** The kinds, and why, of what happened since a number of log events. */
export const loggedSince = async (
  server: TestServer,
  before: number,
): Promise<[kind: string, reason: string | null][]> =>
  (await server.logEvents()).slice(before).map(({ kind, reason }) => [kind, reason]);

export const countOfEvents = async (server: TestServer): Promise<number> => (await server.logEvents()).length;

let made = 0;

/** An identifier that nobody has. */
export function nobody(): string {
  made += 1;
  return `nobody-${made}-${randomBytes(3).toString('hex')}@example.com`;
}

/** The session's secret in a browser's cookies. */
export const sessionSecretOf = ({ cookies }: Browser): string => cookies.get('sekisho-session') ?? '';
