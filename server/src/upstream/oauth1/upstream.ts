/**
 * OAuth 1.0a as a way to sign in (RFC 5849 §2), with HMAC-SHA1: three legs, then a signed request asks who it is.
 *
 *   begin   → request token (its secret is kept) → browser to the provider
 *   finish  → state, token, verifier → access token → profile → identity
 *
 * Nothing here says when and how a person proved who it is, so a new proof can't be had.
 */
import { hashSecret, secretMatches } from '../../kernel/secrets.ts';
import { UpstreamError, type UpstreamFailure, type UpstreamIdentity } from '../identity.ts';
import { keptValue, locationOf } from '../oauth2/authorization-request.ts';
import { inProtocol } from '../oauth2/failures.ts';
import { claimsOf, subjectAndPersonOf } from '../oauth2/person.ts';
import { assertAnswered, type JsonObject, jsonObject, type Send, sender } from '../oauth2/requests.ts';
import type { RedirectReturn, RedirectUpstream, UpstreamServices } from '../redirect.ts';
import { issuerOf, type OAuth1Configuration, type OAuth1Secrets } from './configuration.ts';
import { authorizationHeader, type Credentials } from './signature.ts';

export const oauth1Upstream: RedirectUpstream<OAuth1Configuration, OAuth1Secrets> = {
  begin: (services, configuration, secrets, request) =>
    inProtocol(async () => {
      if (request.reauthenticates === true) {
        throw new UpstreamError('denied', 'With OAuth 1 nobody can be asked to prove again who it is.');
      }
      const callback = new URL(request.redirectUri);
      callback.searchParams.set('state', request.state);
      const kept = await requestToken(services, configuration, secrets, callback.href);
      const location = locationOf(services.guard, configuration.authorizeUrl, { oauth_token: kept.token });
      return { location, kept };
    }),

  finish: (services, configuration, secrets, back) =>
    inProtocol(async () => {
      const oauth_verifier = verifierOf(back);
      const send = sender(services);
      const consumer = consumerOf(configuration, secrets);
      const requested = { token: keptValue(back, 'token'), tokenSecret: keptValue(back, 'tokenSecret') };
      const access = await askForToken(
        { services, send, url: configuration.accessTokenUrl, refused: 'denied' },
        { ...consumer, ...requested },
        { oauth_verifier },
      );
      return identityOf(configuration, await profile(services, send, configuration, { ...consumer, ...access }));
    }),

  test: (services, configuration, secrets) =>
    inProtocol(async () => {
      locationOf(services.guard, configuration.authorizeUrl, {});
      // Nobody is to come back (RFC 5849 §2.1).
      await requestToken(services, configuration, secrets, 'oob');
    }),
};

function consumerOf({ consumerKey }: OAuth1Configuration, { consumerSecret }: OAuth1Secrets) {
  if (!consumerSecret) throw new UpstreamError('misconfigured', 'The consumer secret is missing.');
  return { consumerKey, consumerSecret };
}

/** RFC 5849 §2.1. */
async function requestToken(
  services: UpstreamServices,
  configuration: OAuth1Configuration,
  secrets: OAuth1Secrets,
  oauth_callback: string,
): Promise<{ token: string; tokenSecret: string }> {
  const leg = {
    services,
    send: sender(services),
    url: configuration.requestTokenUrl,
    refused: 'misconfigured',
  } as const;
  const { confirmed, ...token } = await askForToken(leg, consumerOf(configuration, secrets), { oauth_callback });
  // Without it the provider speaks OAuth 1.0, where anybody's token can be fixed on somebody else.
  if (!confirmed) throw new UpstreamError('answer_invalid', 'The provider does not confirm the callback.');
  return token;
}

/** What the browser brought (RFC 5849 §2.2), once it is shown that it belongs to the sign-in that was begun. */
function verifierOf(back: RedirectReturn): string {
  const [state, token, verifier] = ['state', 'oauth_token', 'oauth_verifier'].map((name) => single(back, name));
  if (!same(state, back.state)) throw new UpstreamError('answer_invalid', 'The state is another one.');
  const kept = keptValue(back, 'token');
  if (back.parameters.has('denied') || back.parameters.has('oauth_problem')) {
    throw new UpstreamError('denied', 'The person, or the provider, said no.');
  }
  if (!same(token, kept)) throw new UpstreamError('answer_invalid', 'The token is of another sign-in.');
  if (!verifier) throw new UpstreamError('answer_invalid', 'There is no verifier.');
  return verifier;
}

function single({ parameters }: RedirectReturn, name: string): string | undefined {
  const [value, ...more] = parameters.getAll(name);
  if (more.length > 0) throw new UpstreamError('answer_invalid', `More than one ${name} came back.`);
  return value;
}

/** In constant time. */
const same = (brought: string | undefined, kept: string): boolean =>
  brought !== undefined && secretMatches(brought, hashSecret(kept));

interface Leg {
  readonly services: UpstreamServices;
  readonly send: Send;
  readonly url: string;
  /** What a 4xx means here. */
  readonly refused: UpstreamFailure;
}

/** RFC 5849 §2.1, §2.3: a signed POST without a body, answered by a form. */
async function askForToken(
  { services, send, url, refused }: Leg,
  credentials: Credentials,
  parameters: Readonly<Record<string, string>>,
): Promise<{ token: string; tokenSecret: string; confirmed: boolean }> {
  const headers = { authorization: signed(services, credentials, 'POST', url, parameters) };
  const answer = await send({ method: 'POST', url, headers, body: '' });
  assertAnswered(answer);
  if (answer.status >= 400) throw new UpstreamError(refused, `The provider refused with ${answer.status}.`);
  const form = new URLSearchParams(answer.status === 200 ? answer.body.toString() : '');
  const token = form.get('oauth_token');
  const tokenSecret = form.get('oauth_token_secret');
  if (!token || !tokenSecret || token.length > 1024 || tokenSecret.length > 1024) {
    throw new UpstreamError('answer_invalid', 'The provider answered no token.');
  }
  return { token, tokenSecret, confirmed: form.get('oauth_callback_confirmed') === 'true' };
}

async function profile(
  services: UpstreamServices,
  send: Send,
  { profileUrl: url }: OAuth1Configuration,
  credentials: Credentials,
): Promise<JsonObject> {
  const headers = { accept: 'application/json', authorization: signed(services, credentials, 'GET', url) };
  const answer = await send({ method: 'GET', url, headers });
  assertAnswered(answer);
  if (answer.status === 401 || answer.status === 403) {
    throw new UpstreamError('misconfigured', `The profile URL answered ${answer.status}.`);
  }
  return jsonObject(answer);
}

const signed = (
  { clock, random }: UpstreamServices,
  credentials: Credentials,
  method: 'GET' | 'POST',
  url: string,
  parameters: Readonly<Record<string, string>> = {},
): string => {
  if (!URL.canParse(url)) throw new UpstreamError('misconfigured', 'A URL of the provider is none.');
  const timestampSeconds = Math.floor(clock.now() / 1000);
  return authorizationHeader(credentials, { method, url, timestampSeconds, random, parameters });
};

const identityOf = (configuration: OAuth1Configuration, answer: JsonObject): UpstreamIdentity => ({
  issuer: issuerOf(configuration),
  ...subjectAndPersonOf(configuration, answer),
  amr: [],
  claims: claimsOf([answer]),
});
