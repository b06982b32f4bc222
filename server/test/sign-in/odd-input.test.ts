import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type RawAnswer, rawRequest } from '../management/support.ts';
import { authorizeUrl, Browser, formsOf, issuers, makeApp, makeUser, native, pkce, redirectUri } from './support.ts';

/** Percent-encoded values that some reader stumbles over. */
const odd = [
  '%00',
  'a%00b',
  '%ED%A0%80',
  '%ff',
  '%',
  '%0d%0aLocation:%20https://evil.example',
  '__proto__',
  'constructor',
  '%F0%9F%92%A9',
  '%E2%80%AE',
  "'%20or%201=1--",
  '%7B%7D',
  '9'.repeat(400),
  'x'.repeat(12_000),
];

const withoutLimits = {
  SEKISHO_RATE_LIMIT_FAILURES_PER_CLIENT: '0',
  SEKISHO_RATE_LIMIT_FAILURES_PER_ADDRESS: '0',
};

/** No input of a request makes the server fail: it is a mistake of who sent it, or it is taken as it is. */
eachEngine('odd input', (engine) => {
  let server: TestServer;
  let clientId: string;
  let secret: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const app = await makeApp(server, 'Traditional', { isThirdParty: false });
    clientId = app.clientId;
    secret = app.clientSecret as string;
  });
  after(() => server.close());

  const send = (method: string, path: string, body?: string, cookie = '', type = 'application/x-www-form-urlencoded') =>
    rawRequest(server, method, path, {
      host: new URL(server.origin).host,
      headers: { cookie, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
    });

  const check = (answer: RawAnswer, what: string) => {
    assert.ok(answer.status < 500, `${answer.status} at ${what.slice(0, 200)}: ${answer.text.slice(0, 300)}`);
    const { location } = answer.headers;
    assert.ok(!/^https?:\/\/evil/.test(String(location ?? '')), what);
  };

  const tried = async (
    method: string,
    path: string,
    parameters: Record<string, string>,
    names = Object.keys(parameters),
  ) => {
    for (const name of names) {
      for (const value of odd) {
        const pairs = Object.entries({ ...parameters, [name]: value }).map(([key, one]) => `${key}=${one}`);
        const what = `${method} ${path} ${name}=${value}`;
        check(
          method === 'GET'
            ? await send('GET', `${path}?${pairs.join('&')}`)
            : await send(method, path, pairs.join('&')),
          what,
        );
      }
      const all = Object.entries(parameters).map(([key, one]) => `${key}=${one}`);
      const twice = [...all, `${name}=one`, `${name}[]=two`, `${name}[a]=three`].join('&');
      check(
        method === 'GET' ? await send('GET', `${path}?${twice}`) : await send(method, path, twice),
        `${path} ${name}`,
      );
    }
  };

  test('at the authorization endpoints and what follows', async () => {
    for (const { authorize } of Object.values(issuers)) {
      const parameters = {
        client_id: clientId,
        redirect_uri: encodeURIComponent(redirectUri),
        response_type: 'code',
        response_mode: 'query',
        scope: 'openid',
        state: 's',
        nonce: 'n',
        code_challenge: pkce().challenge,
        code_challenge_method: 'S256',
        prompt: 'login',
        max_age: '1',
        login_hint: 'me',
        ui_locales: 'ja',
        id_token_hint: 'a.b.c',
        resource: 'https%3A%2F%2Fx.example',
        audience: 'https%3A%2F%2Fx.example',
        organization: 'org',
        request_uri: 'urn:x',
        dpop_jkt: 'x',
      };
      const { request_uri: _, resource: _r, audience: _a, id_token_hint: _i, ...plain } = parameters;
      await tried('GET', authorize, plain);
      await tried('GET', authorize, { ...plain, request_uri: parameters.request_uri }, ['request_uri']);
      await tried('GET', authorize, { ...plain, id_token_hint: 'a.b.c' }, ['id_token_hint']);
      for (const name of ['resource', 'audience'] as const) {
        await tried('GET', authorize, { ...plain, [name]: parameters[name] }, [name]);
      }
    }
  });

  test('at the endpoints of clients', async () => {
    const credentials = { client_id: clientId, client_secret: secret };
    for (const { token, introspect, revoke, par } of Object.values(issuers)) {
      for (const [grant_type, more] of Object.entries({
        authorization_code: { code: 'x', redirect_uri: 'x', code_verifier: 'x' },
        refresh_token: { refresh_token: 'x', organization_id: 'x', resource: 'https%3A%2F%2Fx.example' },
        'urn:ietf:params:oauth:grant-type:device_code': { device_code: 'x' },
        'urn:ietf:params:oauth:grant-type:token-exchange': {
          subject_token: 'x',
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        },
      })) {
        await tried('POST', token, { grant_type, ...credentials, ...more });
      }
      for (const path of [introspect, revoke]) await tried('POST', path, { ...credentials, token: 'x' });
      const asked = { response_type: 'code', redirect_uri: encodeURIComponent(redirectUri), state: 's', nonce: 'n' };
      await tried('POST', par, { ...credentials, ...asked, scope: 'openid' });
    }
    for (const path of ['/oidc/device/auth', '/oauth/device/code']) {
      await tried('POST', path, {
        ...credentials,
        scope: 'openid',
        resource: 'https%3A%2F%2Fx.example',
        organization: 'x',
      });
    }
  });

  test('at sign-out, devices, setup and the pages', async () => {
    const out = {
      client_id: clientId,
      id_token_hint: 'a.b.c',
      post_logout_redirect_uri: 'x',
      state: 's',
      ui_locales: 'ja',
    };
    for (const path of ['/oidc/session/end', '/oidc/logout']) await tried('GET', path, out);
    await tried('POST', '/oidc/session/end', out);
    await tried('GET', '/v2/logout', { client_id: clientId, returnTo: 'x' });
    await tried('GET', '/device', { user_code: 'x' });
    await tried('GET', '/device/confirm', { user_code: 'x', entry: 'x' });
    await tried('GET', '/setup', { token: 'x' });
    await tried('GET', '/signed-out', { ui_locales: 'x' });
    for (const value of odd) {
      for (const path of [
        `/interaction/${value}`,
        `/interaction/${value}/sign-in`,
        `/pages/theme/${value}`,
        `/oidc/reg/${value}`,
      ]) {
        check(await send('GET', path), path);
        check(
          await send('GET', path, undefined, `sekisho-browser=${'a'.repeat(43)}; sekisho-session=${'b'.repeat(43)}`),
          path,
        );
      }
    }
  });

  test('in the forms of the pages', async () => {
    const user = await makeUser(server);
    const fresh = async () => {
      const browser = new Browser(server);
      await browser.open(authorizeUrl('oidc', { clientId, clientSecret: secret }));
      const { action, hidden } = formsOf(browser.page.text)[0] as { action: string; hidden: Record<string, string> };
      const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      return { action, hidden, cookie };
    };
    const { action, hidden, cookie } = await fresh();
    for (const value of odd) {
      for (const form of [
        { ...hidden, identifier: value, password: 'x' },
        { ...hidden, identifier: encodeURIComponent(user.email), password: value },
        { csrf: value, identifier: 'x', password: 'x' },
      ]) {
        const body = Object.entries(form).map(([name, one]) => `${name}=${one}`);
        check(await send('POST', action, body.join('&'), cookie), `${action} ${value}`);
      }
    }
  });

  test('in registrations and JSON', async () => {
    const { value } = await native(server, 'POST', '/initial-access-tokens', {
      name: 'x',
      uses: 1000,
      expiresAt: Date.now() + 3_600_000,
    });
    const good = { redirect_uris: [redirectUri], client_name: 'x' };
    const values = [
      '\u0000',
      '\ud800',
      'a\r\nb',
      7,
      -1,
      1e300,
      true,
      null,
      [],
      {},
      [[]],
      [null],
      ['\u0000'],
      ['\ud800'],
      { keys: [null] },
      { keys: [{ kty: 'RSA', n: '\u0000', e: 'AQAB' }] },
      'x'.repeat(100_000),
    ];
    for (const name of [
      'redirect_uris',
      'client_name',
      'jwks',
      'grant_types',
      'response_types',
      'token_endpoint_auth_method',
      'logo_uri',
      'client_uri',
      'post_logout_redirect_uris',
      'backchannel_logout_uri',
      'application_type',
      'contacts',
      'scope',
      '__proto__',
    ]) {
      for (const one of values) {
        const body = { ...good, token_endpoint_auth_method: name === 'jwks' ? 'private_key_jwt' : 'none', [name]: one };
        const answer = await server.request('POST', '/oidc/reg', { token: value, json: body });
        assert.ok(answer.status < 500, `${answer.status} ${name} ${JSON.stringify(one).slice(0, 100)}: ${answer.text}`);
      }
    }
    for (const body of ['[]', '"x"', 'null', '7', '{"a":1,"a":2}', '{', '']) {
      check(await send('POST', '/oidc/reg', body, '', 'application/json'), body);
      check(await send('POST', '/oidc/token', body, '', 'application/json'), body);
      check(await send('POST', '/oidc/auth', body, '', 'application/json'), body);
      check(await send('POST', '/oidc/par', body, '', 'application/json'), body);
      check(await send('POST', '/device', body, '', 'application/json'), body);
    }
    const token = await server.managementToken(server.nativeAudience);
    for (const [method, path, field] of [
      ['POST', '/subject-tokens', 'userId'],
      ['POST', '/initial-access-tokens', 'name'],
      ['PATCH', '/sign-in-exp', 'name'],
    ] as const) {
      for (const one of values) {
        const answer = await server.request(method, `/api${path}`, { token, json: { [field]: one } });
        assert.ok(answer.status < 500, `${answer.status} ${path} ${JSON.stringify(one).slice(0, 100)}: ${answer.text}`);
      }
    }
  });
});
