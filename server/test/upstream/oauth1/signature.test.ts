/** The signature base string and the signature of RFC 5849, by its own examples. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { systemRandom } from '../../../src/kernel/random.ts';
import { authorizationHeader, signatureBaseString } from '../../../src/upstream/oauth1/signature.ts';

test('the base string of RFC 5849 §3.4.1.1: the query and the body are sorted in among the others', () => {
  const base = signatureBaseString('POST', 'http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b', [
    ['oauth_consumer_key', '9djdj82h48djs9d2'],
    ['oauth_token', 'kkk9d7dh3k39sjv7'],
    ['oauth_signature_method', 'HMAC-SHA1'],
    ['oauth_timestamp', '137131201'],
    ['oauth_nonce', '7d8f3e4a'],
    ['c2', ''],
    ['a3', '2 q'],
  ]);
  assert.equal(
    base,
    'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26' +
      'oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26' +
      'oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
  );
});

test('a header: every member is encoded, the key is both secrets, no nonce twice', () => {
  const header = (url = 'https://example.com:8443/a?x=%20*') =>
    authorizationHeader(
      { consumerKey: 'k "1"', consumerSecret: 's&1', token: 't/1', tokenSecret: 'ü' },
      { method: 'GET', url, timestampSeconds: 12, random: systemRandom },
    );
  const members = new Map(
    [...header().matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, decodeURIComponent(value!)]),
  );
  const { oauth_signature: signature, ...signed } = Object.fromEntries(members);
  assert.equal(signed.oauth_consumer_key, 'k "1"');
  assert.equal(signed.oauth_timestamp, '12');
  const base = signatureBaseString('GET', 'https://example.com:8443/a?x=%20*', Object.entries(signed));
  assert.match(base, /^GET&https%3A%2F%2Fexample\.com%3A8443%2Fa&/);
  assert.equal(signature, createHmac('sha1', 's%261&%C3%BC').update(base).digest('base64'));
  const nonces = Array.from({ length: 50 }, () => /oauth_nonce="(\w+)"/.exec(header())?.[1]);
  assert.equal(new Set(nonces).size, 50);
});
