/** What the redirecting upstreams (OAuth 1, OAuth 2, OpenID Connect) have in common. */
import type { Clock } from '../kernel/clock.ts';
import type { Random } from '../kernel/random.ts';
import type { GuardSettings } from './guarded-fetch.ts';
import type { UpstreamIdentity } from './identity.ts';

/** What an upstream client gets of the process. */
export interface UpstreamServices {
  readonly guard: GuardSettings;
  readonly random: Random;
  readonly clock: Clock;
}

/** A sign-in on its way to an upstream. */
export interface RedirectRequest {
  /** Where the browser comes back to. */
  readonly redirectUri: string;
  /** Opaque; comes back with the browser. */
  readonly state: string;
  readonly loginHint?: string | undefined;
  readonly uiLocales?: readonly string[] | undefined;
  /** The person has to prove again who it is. */
  readonly reauthenticates?: boolean;
}

/** Where the browser goes, and what has to be remembered until it comes back (it may hold secrets). */
export interface RedirectStart {
  readonly location: string;
  readonly kept: Readonly<Record<string, string>>;
}

/** The browser is back. */
export interface RedirectReturn {
  readonly redirectUri: string;
  readonly state: string;
  readonly kept: Readonly<Record<string, string>>;
  /** The query it came back with. */
  readonly parameters: URLSearchParams;
}

/** A redirecting upstream: pure functions of a configuration and its secrets. All throw `UpstreamError`. */
export interface RedirectUpstream<Configuration, Secrets> {
  begin(
    services: UpstreamServices,
    configuration: Configuration,
    secrets: Secrets,
    request: RedirectRequest,
  ): Promise<RedirectStart>;
  finish(
    services: UpstreamServices,
    configuration: Configuration,
    secrets: Secrets,
    back: RedirectReturn,
  ): Promise<UpstreamIdentity>;
  /** Whether it can be reached and answers as it should, as far as that shows without a person. */
  test(services: UpstreamServices, configuration: Configuration, secrets: Secrets): Promise<void>;
}

/** Longest wait for all that one step asks of an upstream, in milliseconds: whoever signs in is answered within 5 s. */
export const upstreamDeadlineMs = 4000;
