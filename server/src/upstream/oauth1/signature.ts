/** Signing of requests with HMAC-SHA1 (RFC 5849 §3), everything of the protocol in the Authorization header (§3.5.1). */
import { createHmac } from 'node:crypto';
import { type Random, randomHex } from '../../kernel/random.ts';

export interface Credentials {
  readonly consumerKey: string;
  readonly consumerSecret: string;
  /** Of the request token or the access token, once there is one. */
  readonly token?: string;
  readonly tokenSecret?: string;
}

export interface Signing {
  readonly method: 'GET' | 'POST';
  /** Its query is signed too. */
  readonly url: string;
  readonly timestampSeconds: number;
  readonly random: Random;
  /** Further parameters of the protocol: `oauth_callback`, `oauth_verifier`. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** The value of the Authorization header; a nonce is never used twice. */
export function authorizationHeader(credentials: Credentials, signing: Signing): string {
  const { consumerKey, consumerSecret, token, tokenSecret = '' } = credentials;
  const parameters = {
    oauth_consumer_key: consumerKey,
    oauth_nonce: randomHex(signing.random, 16),
    oauth_signature_method: 'HMAC-SHA1',
    oauth_timestamp: String(signing.timestampSeconds),
    oauth_version: '1.0',
    ...(token === undefined ? {} : { oauth_token: token }),
    ...signing.parameters,
  };
  const base = signatureBaseString(signing.method, signing.url, Object.entries(parameters));
  const key = `${percentEncode(consumerSecret)}&${percentEncode(tokenSecret)}`;
  const oauth_signature = createHmac('sha1', key).update(base).digest('base64');
  const members = Object.entries({ ...parameters, oauth_signature });
  return `OAuth ${members.map(([name, value]) => `${percentEncode(name)}="${percentEncode(value)}"`).join(', ')}`;
}

/** RFC 5849 §3.4.1. */
export function signatureBaseString(
  method: string,
  address: string,
  parameters: readonly (readonly [name: string, value: string])[],
): string {
  const url = new URL(address);
  const encoded = [...url.searchParams, ...parameters].map((pair) => pair.map(percentEncode));
  // By bytes; encoded text is ASCII, so code units will do (§3.4.1.3.2).
  encoded.sort(([name, value], [otherName, otherValue]) => compare(name!, otherName!) || compare(value!, otherValue!));
  const normalized = encoded.map((pair) => pair.join('=')).join('&');
  return [method, `${url.origin}${url.pathname}`, normalized].map(percentEncode).join('&');
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** RFC 5849 §3.6: all but the unreserved characters. */
const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
