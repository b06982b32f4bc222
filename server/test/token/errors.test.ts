import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { basic, type Expected, refused, visible, withoutLimits } from './refusals.ts';

eachEngine('errors of the token endpoint', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  let machine: Awaited<ReturnType<TestServer['machine']>>;
  let good: { client_id: string; client_secret: string; audience: string };
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    machine = await server.machine({ identifier: 'https://orders.example', granted: ['read:orders'] });
    good = { client_id: machine.clientId, client_secret: machine.clientSecret, audience: machine.audience };
  });
  after(() => server.close());

  const ask = (change: Record<string, string>) => () => server.token({ ...good, ...change });
  const unauthorized = { status: 401, error: 'access_denied', description: 'Unauthorized' };

  test('a grant type that is missing is named', async () => {
    await refused(server, ask({ grant_type: '' }), {
      status: 400,
      error: 'invalid_request',
      description: 'Missing required parameter: grant_type',
      reason: 'grant_type_missing',
    });
  });

  for (const grantType of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'made-up']) {
    test(`the grant type ${grantType} is unsupported, whoever asks`, async () => {
      const asAdmin = { client_id: admin.clientId, client_secret: admin.clientSecret };
      await refused(server, ask({ ...asAdmin, grant_type: grantType, username: 'a', password: 'b' }), {
        status: 400,
        error: 'unsupported_grant_type',
        description: `Unsupported grant type: ${grantType}`,
        reason: 'grant_type_unsupported',
      });
    });
  }

  test('a request that names no client is told so', async () => {
    const { answer } = await refused(server, () => server.token({ audience: good.audience }), {
      status: 401,
      error: 'invalid_client',
      reason: 'client_id_missing',
    });
    assert.match(answer.body.error_description, /client_id/);
  });

  test('a grant type outside the client’s list is not allowed', async () => {
    const other = await server.machine({ client: { grant_types: ['authorization_code'] } });
    await refused(
      server,
      () => server.token({ client_id: other.clientId, client_secret: other.clientSecret, audience: other.audience }),
      {
        status: 403,
        error: 'unauthorized_client',
        description: "Grant type 'client_credentials' not allowed for the client.",
        reason: 'grant_type_not_allowed',
      },
    );
  });

  test('an API without a grant is told from one that does not exist', async () => {
    const stranger = await server.machine();
    const asStranger = { client_id: stranger.clientId, client_secret: stranger.clientSecret };
    await refused(server, ask(asStranger), {
      status: 403,
      error: 'access_denied',
      description: `Client "${stranger.clientId}" is not authorized to access resource server "${good.audience}". You need to create a "client-grant" associated to this API.`,
      reason: 'grant_missing',
    });
    await refused(server, ask({ ...asStranger, audience: 'https://nowhere.example' }), {
      status: 403,
      error: 'access_denied',
      description: 'Service not enabled within domain: https://nowhere.example',
      reason: 'audience_unknown',
    });
  });

  test('an internal name of a management API is no audience', async () => {
    for (const audience of ['urn:sekisho:management:api_v2', 'urn:sekisho:management:api']) {
      await refused(server, ask({ client_id: admin.clientId, client_secret: admin.clientSecret, audience }), {
        status: 403,
        error: 'access_denied',
        reason: 'audience_unknown',
      });
    }
  });

  test('no audience, and no default one, is refused', async () => {
    const { event } = await refused(server, ask({ audience: '' }), {
      status: 403,
      error: 'access_denied',
      description: 'Non-global clients are not allowed access to APIv1',
      reason: 'audience_missing',
    });
    assert.equal(event.client_id, machine.clientId);
  });

  test('a scope outside the grant is refused, also one granted on another API', async () => {
    const other = await server.machine({ scopes: ['read:stock'] });
    await server.manage('POST', '/client-grants', {
      client_id: machine.clientId,
      audience: other.audience,
      scope: ['read:stock'],
    });
    for (const scope of ['write:orders', 'read:stock', 'openid']) {
      const { event } = await refused(server, ask({ scope: `read:orders ${scope}` }), {
        status: 403,
        error: 'access_denied',
        description: `Client has not been granted scopes: ${scope}`,
        reason: 'scope_not_granted',
      });
      assert.equal(event.scope, `read:orders ${scope}`);
    }
    await refused(server, ask({ scope: 'b a' }), {
      status: 403,
      error: 'access_denied',
      description: 'Client has not been granted scopes: b a',
      reason: 'scope_not_granted',
    });
  });

  test('what can not be a scope is an invalid parameter', async () => {
    for (const scope of ['read:"orders"', 'back\\slash', 'lectura:órdenes', 'read\u200b:orders']) {
      await refused(server, ask({ scope }), {
        status: 400,
        error: 'invalid_request',
        description: 'The parameter scope is not valid.',
        reason: 'parameter_invalid',
      });
    }
  });

  test('an API that is closed to clients gives nothing, whatever is granted', async () => {
    const closed = await server.machine({
      api: { subject_type_authorization: { client: { policy: 'deny_all' } } },
    });
    await refused(
      server,
      () => server.token({ client_id: closed.clientId, client_secret: closed.clientSecret, audience: closed.audience }),
      { status: 403, error: 'access_denied', reason: 'audience_closed' },
    );
  });

  test('the management audience never takes an organization', async () => {
    const asAdmin = { client_id: admin.clientId, client_secret: admin.clientSecret };
    const audience = server.managementAudience;
    await refused(server, ask({ ...asAdmin, audience, organization: 'org_0123456789abcdef' }), {
      status: 403,
      error: 'access_denied',
      reason: 'organization_not_accepted',
    });
  });

  test('the organization usage of the grant decides', async () => {
    const byUsage: [string | null, Record<string, string>, string][] = [
      ['deny', { organization: 'org_0123456789abcdef' }, 'organization_denied_by_grant'],
      [null, { organization: 'org_0123456789abcdef' }, 'organization_denied_by_grant'],
      ['allow', { organization: 'org_0123456789abcdef' }, 'organization_unknown'],
      ['require', { organization: 'org_0123456789abcdef' }, 'organization_unknown'],
      ['require', {}, 'organization_required_by_grant'],
    ];
    for (const [usage, parameters, reason] of byUsage) {
      await server.manage('PATCH', `/client-grants/${machine.grantId}`, { organization_usage: usage });
      await refused(server, ask(parameters), { status: 403, error: 'access_denied', reason });
    }
    await server.manage('PATCH', `/client-grants/${machine.grantId}`, { organization_usage: null });
    assert.equal((await ask({})()).status, 200, 'a legitimate request still works');
  });

  test('a bad target is told apart from an unknown audience (RFC 8707)', async () => {
    const { audience: _, ...client } = good;
    for (const resource of ['orders', '/orders', 'https://orders.example#x', 'https://orders.example#']) {
      await refused(server, () => server.token({ ...client, resource }), {
        status: 400,
        error: 'invalid_target',
        reason: 'target_invalid',
      });
    }
    await refused(server, ask({ resource: 'https://other.example' }), {
      status: 400,
      error: 'invalid_target',
      reason: 'target_invalid',
    });
  });

  test('a disabled client is told so only once it has proved who it is', async () => {
    const other = await server.machine();
    await server.manage('PATCH', `/clients/${other.clientId}`, { enabled: false });
    const parameters = { client_id: other.clientId, audience: other.audience };
    await refused(server, () => server.token({ ...parameters, client_secret: other.clientSecret }), {
      status: 403,
      error: 'unauthorized_client',
      description: 'The client is disabled.',
      reason: 'client_disabled',
    });
    await refused(server, () => server.token({ ...parameters, client_secret: 'wrong' }), {
      ...unauthorized,
      reason: 'secret_wrong',
    });
  });

  describe('who can’t prove to be the client gets one answer', () => {
    test('unknown, public and disabled client, wrong, missing and expired secret are not told apart', async () => {
      const spa = await server.machine({ client: { app_type: 'spa', token_endpoint_auth_method: 'none' } });
      const rotated = await server.machine();
      await server.manage('POST', `/clients/${rotated.clientId}/rotate-secret`, { overlap_seconds: 60 });
      clock.advance(61_000);
      const other = { client_secret: 'x'.repeat(64) };
      const cases: [string, Record<string, string>][] = [
        ['client_unknown', { client_id: 'a'.repeat(32), ...other }],
        ['secret_wrong', other],
        ['secret_expired', { client_id: rotated.clientId, client_secret: rotated.clientSecret }],
        ['client_public', { client_id: spa.clientId, ...other }],
        ['credentials_missing', { client_secret: '' }],
        ['client_public', { client_id: spa.clientId, client_secret: '' }],
        ['client_unknown', { client_id: 'a'.repeat(32), client_secret: '' }],
      ];
      const seen = [];
      for (const [reason, change] of cases) {
        const { answer, event } = await refused(server, ask(change), { ...unauthorized, reason });
        assert.equal(event.client_id, change.client_id ?? machine.clientId);
        seen.push(visible(answer));
      }
      for (const answer of seen) assert.deepEqual(answer, seen[0]);
    });

    test('the same by HTTP Basic, which is asked for in return', async () => {
      const { audience } = good;
      const seen = [];
      for (const [clientId, reason] of [
        ['a'.repeat(32), 'client_unknown'],
        [machine.clientId, 'secret_wrong'],
      ] as const) {
        const expected: Expected = { ...unauthorized, reason };
        const send = () => server.token({ audience }, basic(clientId, 'x'.repeat(64)));
        const { answer } = await refused(server, send, expected);
        assert.equal(answer.headers.get('www-authenticate'), 'Basic realm="sekisho"');
        seen.push(visible(answer));
      }
      assert.deepEqual(seen[0], seen[1]);
    });
  });

  test('introspection and revocation refuse and log in the same way', async () => {
    for (const path of ['/oauth/introspect', '/oauth/revoke']) {
      const post = (form: Record<string, string>) => () => server.request('POST', path, { form });
      const kind = 'endpoint.refused';
      const token = 'whatever';
      const { client_id, client_secret } = good;
      await refused(server, post({ token }), {
        status: 401,
        error: 'invalid_client',
        reason: 'client_id_missing',
        kind,
      });
      await refused(server, post({ token, client_id, client_secret: 'wrong' }), {
        ...unauthorized,
        reason: 'secret_wrong',
        kind,
      });
      await refused(server, post({ token, client_id }), { ...unauthorized, reason: 'credentials_missing', kind });
      await refused(server, post({ client_id, client_secret }), {
        status: 400,
        error: 'invalid_request',
        description: 'Missing required parameter: token',
        reason: 'token_missing',
        kind,
      });
    }
  });
});
