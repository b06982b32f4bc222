/** The redirecting upstreams alone: both halves of a sign-in with a person in between. */
import { systemRandom } from '../../../src/kernel/random.ts';
import { UpstreamError, type UpstreamFailure, type UpstreamIdentity } from '../../../src/upstream/identity.ts';
import type {
  RedirectRequest,
  RedirectReturn,
  RedirectUpstream,
  UpstreamServices,
} from '../../../src/upstream/redirect.ts';
import { TestClock } from '../../harness.ts';
import { type PersonAtProvider, signInAtProvider } from '../../labs/oidc-driver.ts';

/** Nobody listens there; the drivers stop before they go. */
export const redirectUri = 'http://127.0.0.1:9/sign-in/callback?policy=p1';

export const services = (): UpstreamServices & { clock: TestClock } => ({
  guard: { privateTargets: true },
  random: systemRandom,
  clock: new TestClock(),
});

export interface Setup<Configuration, Secrets> {
  readonly upstream: RedirectUpstream<Configuration, Secrets>;
  readonly configuration: Configuration;
  readonly secrets: Secrets;
  readonly services?: UpstreamServices;
}

/** From the first leg to the return of the browser. */
export async function goAndReturn<Configuration, Secrets>(
  { upstream, configuration, secrets, services: given = services() }: Setup<Configuration, Secrets>,
  person: PersonAtProvider,
  request: Partial<RedirectRequest> = {},
): Promise<RedirectReturn> {
  const state = 'a state of no meaning';
  const { location, kept } = await upstream.begin(given, configuration, secrets, { redirectUri, state, ...request });
  const { parameters } = await signInAtProvider(location, redirectUri, person);
  return { redirectUri, state, kept, parameters };
}

export const finish = <Configuration, Secrets>(
  { upstream, configuration, secrets, services: given = services() }: Setup<Configuration, Secrets>,
  back: RedirectReturn,
): Promise<UpstreamIdentity> => upstream.finish(given, configuration, secrets, back);

export const test = <Configuration, Secrets>({
  upstream,
  configuration,
  secrets,
  services: given = services(),
}: Setup<Configuration, Secrets>): Promise<void> => upstream.test(given, configuration, secrets);

/** For `assert.rejects`: fails for this reason, and with a message that holds none of the secrets. */
export const failure =
  (expected: UpstreamFailure, ...secrets: readonly string[]) =>
  (error: unknown): boolean => {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.failure !== expected) throw new Error(`${error.failure} instead of ${expected}: ${error.message}`);
    const leaked = secrets.find((secret) =>
      `${error.message} ${JSON.stringify(error)} ${error.cause}`.includes(secret),
    );
    if (leaked !== undefined) throw new Error(`the error holds a secret: ${error.message}`);
    return true;
  };
