/** OAuth 2 with a provider that says anything: token answers and user info. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { UpstreamFailure } from '../../../src/upstream/identity.ts';
import type { UserInfoFields } from '../../../src/upstream/oauth2/configuration.ts';
import { oauth2Upstream } from '../../../src/upstream/oauth2/upstream.ts';
import { type Liar, type Lies, type Members, startLiar } from '../../labs/liar.ts';
import { json, redirectTo } from '../../labs/liar-answers.ts';
import { macked } from '../../labs/liar-tokens.ts';
import { noFields } from '../../labs/oidc.ts';
import { failure, finish, goAndReturn, test as testUpstream } from './support.ts';

describe('an OAuth 2 provider that lies', () => {
  let liar: Liar;
  before(async () => {
    liar = await startLiar();
  });
  after(() => liar.close());

  const setup = (fields: Partial<UserInfoFields> = {}) => ({
    upstream: oauth2Upstream,
    configuration: { ...liar.oauth2, fields: { ...noFields, ...fields } },
    secrets: { clientSecret: liar.clientSecret },
  });
  const signInWith = async (lies: Lies, fields: Partial<UserInfoFields> = {}) => {
    liar.lies = lies;
    return finish(setup(fields), await goAndReturn(setup(fields), { answers: {} }));
  };
  const refused = (lies: Lies, expected: UpstreamFailure = 'answer_invalid', fields: Partial<UserInfoFields> = {}) =>
    assert.rejects(
      signInWith(lies, fields),
      failure(expected, liar.clientSecret, 'an access token'),
      JSON.stringify([lies, fields]),
    );
  const token = (members: Members): Lies => ({ token: (truth) => ({ ...truth, ...members }) });
  const user = (members: Members): Lies => ({ userInfo: () => members });

  test('a token is of the type Bearer, however it is written', async () => {
    for (const token_type of ['bearer', 'Bearer', 'BEARER']) await signInWith(token({ token_type }));
    for (const members of [
      { token_type: 'DPoP' },
      { token_type: 'mac' },
      { token_type: '' },
      { token_type: undefined },
      { token_type: ['Bearer'] },
      { access_token: undefined },
      { access_token: {} },
      { access_token: 'a\r\nb' },
    ]) {
      await refused(token(members));
    }
  });

  test('an ID token beside is not read: some can only be checked with our own secret', async () => {
    const identity = await signInWith({ idToken: (claims) => macked(liar.clientSecret, { ...claims, sub: 'other' }) });
    assert.equal(identity.subject, 'person-1');
    await signInWith(token({ id_token: 7, refresh_token: null, expires_in: 'soon', scope: ['a'] }));
  });

  test('errors of the token endpoint, also with status 200', async () => {
    for (const [error, expected] of [
      ['bad_verification_code', 'denied'],
      ['invalid_grant', 'denied'],
      ['incorrect_client_credentials', 'misconfigured'],
      ['redirect_uri_mismatch', 'misconfigured'],
      ['constructor', 'misconfigured'],
    ] as const) {
      await refused({ answers: { token: json({ error, error_description: 'words' }) } }, expected);
      await refused({ answers: { token: json({ error }, 400) } }, expected);
    }
    await refused({ answers: { token: json({ error: 'temporarily_unavailable' }, 503) } }, 'unavailable');
    await refused({ answers: { token: redirectTo(`${liar.issuer}/trap`) } });
  });

  test('where no issuer is configured, an iss in the callback is of the place people were sent to; a state is ours', async () => {
    await signInWith({ callback: (parameters) => parameters.set('iss', `${liar.issuer}/tenant`) });
    await refused({ callback: (parameters) => parameters.set('iss', 'https://else.example') });
    await refused({ callback: (parameters) => parameters.set('state', 'x') });
  });

  test('who it is: a text or an integer, at the place that is named', async () => {
    const id = { id: 'data.id' };
    assert.equal((await signInWith(user({ data: { id: 42 } }), id)).subject, '42');
    assert.equal((await signInWith(user({ data: { id: 'x' } }), id)).subject, 'x');
    assert.equal((await signInWith(user({ 'data.id': 'y', data: { id: 'x' } }), id)).subject, 'y');
    // 2⁵³ and its neighbour are one and the same once JSON is read.
    for (const value of [
      undefined,
      null,
      '',
      1.5,
      2 ** 53,
      true,
      ['x'],
      { id: 'x' },
      'x'.repeat(256),
      'a\u0000',
      '\udc00',
    ]) {
      await refused(user({ data: { id: value } }), 'answer_invalid', id);
    }
    for (const path of ['data.id.length', 'data.constructor.name', '__proto__', 'toString', 'data..id', '.', '']) {
      await refused(user({ data: { id: 'x' } }), 'answer_invalid', { id: path });
    }
  });

  test('user info is JSON', async () => {
    const as = (type: string, body = '{"sub":"person-1"}') => ({
      answers: { userinfo: { status: 200, headers: { 'content-type': type }, body } },
    });
    await signInWith(as('application/json'));
    await signInWith(as('Application/JSON ; charset=utf-8'));
    await signInWith(as('application/vnd.api+json'));
    for (const type of ['text/html', 'text/plain', '', 'application/jsonx', 'application/jwt']) await refused(as(type));
    for (const body of ['', '[]', 'null', '"x"', '{', '\ufeff{"sub":"x"}x'])
      await refused(as('application/json', body));
    await refused({ answers: { userinfo: { status: 401 } } }, 'misconfigured');
    await refused({ answers: { userinfo: { status: 500 } } }, 'unavailable');
    await refused({ answers: { userinfo: json({ sub: 'person-1' }, 201) } });
    await refused({ answers: { userinfo: redirectTo(`${liar.issuer}/trap`) } });
    assert.deepEqual(
      liar.requests.filter(({ path }) => path === '/trap'),
      [],
    );
  });

  test('the token goes to the user info URL and nowhere else, the secret to the token URL', async () => {
    liar.requests.length = 0;
    await signInWith({});
    const shown = liar.requests.filter(({ authorization }) => authorization !== undefined);
    assert.deepEqual(
      shown.map(({ path, authorization }) => [path, authorization!.split(' ')[0]]),
      [
        ['/token', 'Basic'],
        ['/userinfo', 'Bearer'],
      ],
    );
    assert.ok(liar.requests.every(({ body }) => !body.includes('client_secret')));
  });

  test('the test of a policy says what does not answer as it should', async () => {
    liar.lies = {};
    await testUpstream(setup());
    const testWith = (lies: Lies, expected: UpstreamFailure) => {
      liar.lies = lies;
      return assert.rejects(testUpstream(setup()), failure(expected), JSON.stringify(lies));
    };
    await testWith({ answers: { token: { status: 404, body: 'what a long page' } } }, 'answer_invalid');
    await testWith({ answers: { token: json({ error: 'incorrect_client_credentials' }) } }, 'misconfigured');
    await testWith({ answers: { userinfo: { status: 404 } } }, 'misconfigured');
    await testWith({ answers: { userinfo: 'huge' } }, 'answer_invalid');
  });
});
