/** A provider of OAuth 1 that says what it is told to say, and checks nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OAuth1Configuration } from '../../src/upstream/oauth1/configuration.ts';
import { type BadAnswer, giveBadAnswer, json } from './liar-answers.ts';
import { noFields } from './oidc.ts';

export interface OAuth1Liar extends AsyncDisposable {
  readonly oauth1: OAuth1Configuration;
  /** By path; `/request_token`, `/access_token` and `/profile` begin honest. */
  readonly answers: Record<string, BadAnswer>;
  /** Paths and Authorization headers, in order. */
  readonly requests: { path: string; authorization: string }[];
}

export const form = (members: Record<string, string>): BadAnswer => ({
  status: 200,
  body: new URLSearchParams(members).toString(),
});

export const honestAnswers = (): Record<string, BadAnswer> => ({
  '/request_token': form({ oauth_token: 't1', oauth_token_secret: 's1', oauth_callback_confirmed: 'true' }),
  '/access_token': form({ oauth_token: 't2', oauth_token_secret: 's2' }),
  '/profile': json({ id: 'person-1', email: 'person@example.com', email_verified: 'true' }),
});

export async function startOAuth1Liar(): Promise<OAuth1Liar> {
  const answers = honestAnswers();
  const requests: OAuth1Liar['requests'] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push({ path, authorization: request.headers.authorization ?? '' });
    giveBadAnswer(answers[path] ?? { status: 404 }, response, () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const oauth1: OAuth1Configuration = {
    consumerKey: 'sekisho',
    requestTokenUrl: `${issuer}/request_token`,
    authorizeUrl: `${issuer}/authorize`,
    accessTokenUrl: `${issuer}/access_token`,
    profileUrl: `${issuer}/profile`,
    fields: { ...noFields, id: 'id' },
    emailIsVerified: false,
  };
  return {
    oauth1,
    answers,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
