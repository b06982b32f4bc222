/** What metadata and keys must be, whatever else they say (RFC 8414 §2, OpenID Connect Discovery §3, RFC 7517). */
import assert from 'node:assert/strict';
import type { TestServer } from '../harness.ts';
import type { Metadata } from './relying-party.ts';

/** Values of lists that are registered; others would be a slip of the pen. */
const known: Record<string, RegExp> = {
  response_modes_supported: /^(query|form_post)$/,
  code_challenge_methods_supported: /^S256$/,
  id_token_signing_alg_values_supported: /^([REP]S(256|384|512)|EdDSA|Ed25519)$/,
  dpop_signing_alg_values_supported: /^([EP]S(256|384|512)|EdDSA|Ed25519)$/,
  token_endpoint_auth_signing_alg_values_supported: /^([REP]S(256|384|512)|EdDSA|Ed25519)$/,
  token_endpoint_auth_methods_supported:
    /^(none|client_secret_(basic|post)|private_key_jwt|(self_signed_)?tls_client_auth)$/,
};

/** Checks the metadata of an issuer, and that every endpoint it names is there. */
export async function assertMetadata(server: TestServer, metadata: Metadata): Promise<void> {
  for (const name of ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint']) {
    assert.equal(typeof metadata[name], 'string', name);
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (/(_endpoint|_uri)$/.test(name)) {
      const url = new URL(value);
      assert.equal(url.origin, server.origin, name);
      assert.equal(url.hash + url.search, '', name);
      // Asked with nothing, an endpoint says what is missing; one that is not there says that.
      const answers = await Promise.all(['GET', 'POST'].map((method) => server.request(method, url.pathname)));
      assert.ok(
        answers.some(({ status }) => status !== 404 && status < 500),
        `${name}: ${answers.map(({ status }) => status)}`,
      );
    }
    if (Array.isArray(value)) {
      assert.equal(new Set(value).size, value.length, `${name} repeats a value`);
      assert.ok(
        value.every((one) => typeof one === 'string' && (known[name]?.test(one) ?? true)),
        `${name}: ${value}`,
      );
    }
  }
  assert.ok(!metadata.id_token_signing_alg_values_supported.includes('none'));
  assert.ok(!metadata.grant_types_supported.some((grant: string) => ['implicit', 'password'].includes(grant)));
  const answer = await server.request('GET', new URL(metadata.jwks_uri).pathname);
  assert.match(answer.headers.get('content-type') ?? '', /json/);
  assertKeys(answer.body.keys);
}

/** Public keys only, told apart, of a size that is good. */
function assertKeys(keys: Record<string, string>[]): void {
  assert.ok(keys.length > 0);
  assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length);
  for (const key of keys) {
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) assert.equal(secret in key, false, secret);
    assert.equal(key.use, 'sig');
    assert.ok(['RSA', 'EC', 'OKP'].includes(key.kty as string));
    if (key.kty === 'RSA') assert.ok(Buffer.from(key.n as string, 'base64url').length >= 256);
  }
}
