import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';

const fresh = {
  allowed_logout_urls: [],
  default_directory: '',
  enabled_locales: ['en'],
  session_lifetime: 168,
  idle_session_lifetime: 72,
  ephemeral_session_lifetime: 72,
  idle_ephemeral_session_lifetime: 24,
  sandbox_version: '22',
  pushed_authorization_requests_supported: false,
  authorization_response_iss_parameter_supported: false,
  allow_organization_name_in_authentication_api: false,
  customize_mfa_in_postlogin_action: false,
  resource_parameter_profile: 'audience',
  default_audience: '',
  flags: {},
  sandbox_versions_available: ['22'],
};

eachEngine('/api/v2/tenants/settings', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine });
    token = await server.managementToken();
  });
  after(() => server.close());

  const path = '/api/v2/tenants/settings';
  const get = (query = ''): Promise<Answer> => server.request('GET', `${path}${query}`, { token });
  const patch = (json: unknown): Promise<Answer> => server.request('PATCH', path, { token, json });

  test('a fresh tenant has Auth0’s defaults', async () => {
    const answer = await get();
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, fresh);
    assert.deepEqual((await get('?fields=flags,sandbox_version')).body, { flags: {}, sandbox_version: '22' });
    const { flags, ...rest } = fresh;
    assert.ok(flags);
    assert.deepEqual((await get('?fields=flags&include_fields=false')).body, rest);
  });

  test('a change answers the full settings; lifetimes in minutes become hours, flags merge, null unsets', async () => {
    const first = await patch({
      friendly_name: 'Acme',
      support_email: 'help@acme.example',
      session_lifetime_in_minutes: 600,
      idle_session_lifetime_in_minutes: 90,
      ephemeral_session_lifetime: 48,
      flags: { enable_sso: true, trust_azure_adfs_email_verified_connection_property: false },
      session_cookie: { mode: 'non-persistent' },
      allowed_logout_urls: ['https://acme.example/bye'],
    });
    assert.equal(first.status, 200, first.text);
    assert.deepEqual(first.body, {
      ...fresh,
      friendly_name: 'Acme',
      support_email: 'help@acme.example',
      session_lifetime: 10,
      idle_session_lifetime: 1.5,
      ephemeral_session_lifetime: 48,
      flags: { enable_sso: true, trust_azure_adfs_email_verified_connection_property: false },
      session_cookie: { mode: 'non-persistent' },
      allowed_logout_urls: ['https://acme.example/bye'],
    });
    const second = await patch({ flags: { enable_sso: false }, session_cookie: null, support_email: null });
    assert.deepEqual(second.body.flags, {
      enable_sso: false,
      trust_azure_adfs_email_verified_connection_property: false,
    });
    assert.equal('session_cookie' in second.body, false);
    assert.equal('support_email' in second.body, false);
    assert.deepEqual((await get()).body, second.body);
    assert.deepEqual((await patch({})).body, second.body);
    // What is shown can be sent back, but for the list of versions.
    const { sandbox_versions_available: _, ...echo } = second.body;
    assert.deepEqual((await patch(echo)).body, second.body);
  });

  test('flags changed at once are all there afterwards', async () => {
    const names = ['enable_client_connections', 'enable_apis_section', 'enable_pipeline2'];
    await Promise.all(names.map((name) => patch({ flags: { [name]: true } })));
    const { flags } = (await get()).body;
    for (const name of names) assert.equal(flags[name], true, name);
  });

  test('the default audience is used by a token request that names none, and can be taken away', async () => {
    const { audience, clientId, clientSecret } = await server.machine();
    assert.equal((await patch({ default_audience: audience })).body.default_audience, audience);
    const request = { client_id: clientId, client_secret: clientSecret };
    const answer = await server.token(request);
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await patch({ default_audience: '' })).body.default_audience, '');
    assert.equal((await server.token(request)).status, 403);
  });

  test('what can not be is refused by name and changes nothing', async () => {
    const cases: [unknown, RegExp][] = [
      [{ environment_tag: 'production' }, /Additional properties not allowed: environment_tag/],
      [{ session_lifetime: 'long' }, /Expected type number.* on property session_lifetime/],
      [{ session_lifetime: 0 }, /on property session_lifetime/],
      [{ session_lifetime_in_minutes: 0 }, /on property session_lifetime_in_minutes/],
      [{ session_lifetime: 1, session_lifetime_in_minutes: 90 }, /on property session_lifetime_in_minutes/],
      [{ flags: { enable_sso: 'yes' } }, /on property flags.enable_sso/],
      [{ session_cookie: { mode: 'eternal' } }, /on property session_cookie.mode/],
      [{ default_audience: 'https://nowhere.example' }, /must be an API of this tenant.' on property default_audience/],
      [{ default_audience: server.managementAudience }, /on property default_audience/],
      [{ allowed_logout_urls: ['javascript:alert(1)'] }, /on property allowed_logout_urls.0/],
      [{ picture_url: 'data:image/svg+xml,x' }, /on property picture_url/],
      [{ enabled_locales: [] }, /on property enabled_locales/],
      [[], /Expected type object but found type array/],
    ];
    for (const [body, message] of cases) {
      const state = await server.stateHash();
      const refused = await patch(body);
      assert.equal(refused.status, 400, refused.text);
      assert.equal(refused.body.errorCode, 'invalid_body');
      assert.match(refused.body.message, message);
      assert.equal(await server.stateHash(), state);
    }
    assert.equal((await get('?page=1')).body.errorCode, 'invalid_query_string');
  });

  test('reading and changing ask for their scopes', async () => {
    const [reader, writer] = [
      (await callerWith(server, ['read:tenant_settings'])).token,
      (await callerWith(server, ['update:tenant_settings'])).token,
    ];
    const state = await server.stateHash();
    const refusedWrite = await server.request('PATCH', path, { token: reader, json: { friendly_name: 'x' } });
    assert.equal(refusedWrite.status, 403);
    assert.equal(refusedWrite.body.message, 'Insufficient scope, expected any of: update:tenant_settings');
    const refusedRead = await server.request('GET', path, { token: writer });
    assert.equal(refusedRead.body.message, 'Insufficient scope, expected any of: read:tenant_settings');
    assert.equal((await server.request('GET', path)).status, 401);
    assert.equal((await server.request('PATCH', path, { json: {} })).status, 401);
    assert.equal(await server.stateHash(), state);
  });
});
