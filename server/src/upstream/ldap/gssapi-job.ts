/** What goes to the process that signs somebody in by Kerberos, and what comes back: one JSON text each way. */
import type { GuardSettings } from '../guarded-fetch.ts';
import { UpstreamError, type UpstreamFailure } from '../identity.ts';
import { malformed } from './ber.ts';
import type { LdapConfiguration, LdapSecrets } from './configuration.ts';
import type { LdapCredentials } from './credentials.ts';
import type { KerberosParts } from './kerberos.ts';
import type { LdapEntry } from './operations.ts';
import type { Principal } from './principal.ts';

export interface GssapiJob {
  readonly guard: GuardSettings;
  readonly configuration: LdapConfiguration;
  readonly secrets: LdapSecrets;
  readonly credentials: LdapCredentials;
  readonly principal: Principal;
  readonly parts: KerberosParts;
  /** Milliseconds. */
  readonly deadlineMs: number;
}

type Answer =
  | { readonly entry: { readonly dn: string; readonly attributes: readonly (readonly [string, readonly string[]])[] } }
  | { readonly failure: UpstreamFailure; readonly message: string };

export function writeAnswer(outcome: LdapEntry | UpstreamError): string {
  const answer: Answer =
    outcome instanceof UpstreamError
      ? { failure: outcome.failure, message: outcome.message }
      : {
          entry: {
            dn: outcome.dn,
            attributes: [...outcome.attributes].map(([name, values]) => [name, values.map(inBase64)]),
          },
        };
  return JSON.stringify(answer);
}

const inBase64 = (value: Buffer): string => value.toString('base64');

/** The entry; throws the `UpstreamError` that the process ended with. */
export function readAnswer(text: string): LdapEntry {
  if (text === '') throw new UpstreamError('unavailable', 'the Kerberos process ended without an answer');
  const answer = JSON.parse(text) as Answer;
  if ('failure' in answer) throw new UpstreamError(answer.failure, answer.message);
  if (!('entry' in answer)) throw malformed('no entry');
  const { dn, attributes } = answer.entry;
  return {
    dn,
    attributes: new Map(
      attributes.map(([name, values]) => [name, values.map((value) => Buffer.from(value, 'base64'))]),
    ),
  };
}
