/** Metadata, addresses, redirects and token answers of a provider that lies. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { UpstreamFailure } from '../../../src/upstream/identity.ts';
import { type Endpoint, type Liar, type Lies, type Members, startLiar } from '../../labs/liar.ts';
import { json, redirectTo } from '../../labs/liar-answers.ts';
import { failure, goAndReturn, test as testUpstream } from '../oauth2/support.ts';
import { refusedWith, setupOf } from './support.ts';

describe('an OpenID provider that lies', () => {
  let liar: Liar;
  before(async () => {
    liar = await startLiar();
  });
  after(() => liar.close());

  const setup = () => setupOf(liar);
  const refused = (lies: Lies, expected: UpstreamFailure = 'answer_invalid') => refusedWith(liar, lies, expected);
  const metadata = (members: Members): Lies => ({ metadata: (truth) => ({ ...truth, ...members }) });

  test('metadata of somebody else, or none', async () => {
    for (const issuer of [
      undefined,
      7,
      '',
      'x',
      'https://else.example',
      `${liar.issuer}/`,
      liar.issuer.toUpperCase(),
    ]) {
      await refused(metadata({ issuer }));
    }
    for (const body of ['', 'null', '[]', '"x"', '{"issuer"', '<html>', '\ufeff{}']) {
      const answer = { status: 200, headers: { 'content-type': 'application/json' }, body };
      await refused({ answers: { discovery: answer } });
    }
    await refused({ answers: { discovery: { status: 404 } } }, 'misconfigured');
    await refused({ answers: { discovery: { status: 503 } } }, 'unavailable');
    await refused({ answers: { discovery: { status: 429 } } }, 'unavailable');
  });

  test('people are sent nowhere but to https', async () => {
    for (const [authorization_endpoint, expected] of [
      ['http://example.com/', 'forbidden'],
      ['javascript:alert(1)//', 'forbidden'],
      ['https://a:b@example.com/', 'misconfigured'],
      [undefined, 'misconfigured'],
      [['https://example.com'], 'misconfigured'],
    ] as const) {
      liar.lies = metadata({ authorization_endpoint });
      await assert.rejects(goAndReturn(setup(), { answers: {} }), failure(expected));
      await assert.rejects(testUpstream(setup()), failure(expected));
    }
  });

  test('endpoints at addresses that nobody may be asked at: no word goes there', async () => {
    const addresses = [
      'https://169.254.169.254/latest/meta-data',
      'http://169.254.169.254/',
      'https://[fe80::1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://0.0.0.0/',
      'http://10.0.0.1/',
      'http://user:password@127.0.0.1/',
    ];
    for (const address of addresses) {
      for (const name of ['token_endpoint', 'jwks_uri', 'userinfo_endpoint']) {
        await refused(metadata({ [name]: address }), 'forbidden');
      }
    }
    for (const name of ['token_endpoint', 'jwks_uri', 'userinfo_endpoint']) {
      for (const value of [7, '', 'nowhere', '//x', 'ftp://example.com/', 'file:///etc/passwd']) {
        await refused(metadata({ [name]: value }));
      }
    }
  });

  test('no redirect is followed, whether to a private address or to a public one', async () => {
    for (const endpoint of ['discovery', 'token', 'jwks', 'userinfo'] as Endpoint[]) {
      for (const target of ['http://169.254.169.254/', `${liar.issuer}/trap`, 'https://example.com/']) {
        await refused({ answers: { [endpoint]: redirectTo(target) } });
      }
      const again = { status: 307, headers: { location: `${liar.issuer}/trap` } };
      await refused({ answers: { [endpoint]: again } });
    }
    assert.deepEqual(
      liar.requests.filter(({ path }) => path === '/trap'),
      [],
    );
  });

  test('the token endpoint: errors by their code, other things than a token of the type Bearer', async () => {
    const long = 'x'.repeat(10_000);
    await refused({ answers: { token: json({ error: 'invalid_grant', error_description: long }, 400) } }, 'denied');
    await refused({ answers: { token: json({ error: 'invalid_client' }, 401) } }, 'misconfigured');
    await refused({ answers: { token: json({ error: long }, 400) } }, 'misconfigured');
    await refused({ answers: { token: json({ error: 'server_error' }, 500) } }, 'unavailable');
    await refused({ answers: { token: { status: 400, body: 'no' } } });
    await refused({ answers: { token: { status: 204 } } });
    await refused({ answers: { token: { status: 304 } } });
    await refused({ answers: { token: { status: 200, headers: { 'x-long': 'x'.repeat(20_000) } } } });
    const challenge = { 'www-authenticate': `Basic ${'a="b",'.repeat(2000)}`, 'content-type': 'application/json' };
    await refused(
      { answers: { token: { status: 401, headers: challenge, body: '{"error":"invalid_client"}' } } },
      'misconfigured',
    );
    for (const members of [
      { token_type: 'DPoP' },
      { token_type: 'mac' },
      { token_type: undefined },
      { access_token: undefined },
      { access_token: '' },
      { access_token: 7 },
    ]) {
      await refused({ token: (truth) => ({ ...truth, ...members }) });
    }
  });

  test('the test of a policy tells what could not work', async () => {
    const testWith = (lies: Lies, expected: UpstreamFailure) => {
      liar.lies = lies;
      return assert.rejects(testUpstream(setup()), failure(expected), JSON.stringify(lies));
    };
    liar.lies = {};
    await testUpstream(setup());
    for (const members of [
      { id_token_signing_alg_values_supported: ['HS256', 'none'] },
      { response_types_supported: ['id_token'] },
      { code_challenge_methods_supported: ['plain'] },
      { grant_types_supported: ['implicit'] },
      { token_endpoint_auth_methods_supported: ['private_key_jwt'] },
      { response_modes_supported: ['fragment'] },
      { jwks_uri: undefined },
    ]) {
      await testWith(metadata(members), 'misconfigured');
    }
    await testWith({ keys: () => [] }, 'answer_invalid');
    await testWith({ answers: { jwks: json([]) } }, 'answer_invalid');
    await testWith({ answers: { jwks: { status: 404 } } }, 'answer_invalid');
    await testWith({ answers: { token: json({ error: 'invalid_client' }, 401) } }, 'misconfigured');
    await testWith({ answers: { token: { status: 404, body: 'nothing here' } } }, 'answer_invalid');
    await testWith(metadata({ jwks_uri: 'https://169.254.169.254/' }), 'forbidden');
  });
});
