/** RFC 8693: a person's token for another application of one's own, never more than what is shown. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { holder, proofOf } from '../token/dpop-proofs.ts';
import { withoutLimits } from '../token/refusals.ts';
import {
  accessTokenType,
  exchangeGrant,
  exchangeToken,
  impersonationType,
  makeAdministratorOf,
  makeApi,
  makeExchanger,
  makeUserOf,
  signInFor,
  subjectTokenFor,
  type TestApi,
} from './exchange-support.ts';
import {
  authorizeUrl,
  Browser,
  callbackOf,
  claimsOf,
  exchange,
  type IssuerKey,
  issuers,
  makeApp,
  native,
  pkce,
  type TestClient,
  type TestUser,
} from './support.ts';

eachEngine('token exchange', (engine) => {
  let server: TestServer;
  let front: TestClient;
  let back: TestClient;
  let [api, other] = [] as unknown as [TestApi, TestApi];
  let user: TestUser;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    [front, back] = [await makeApp(server), await makeExchanger(server)];
    [api, other] = [await makeApi(server), await makeApi(server)];
    user = await makeUserOf(server, api, other);
  });
  after(() => server.close());

  const scopesOf = (jwt: string): string[] =>
    String(claimsOf(jwt).scope ?? '')
      .split(' ')
      .filter((scope) => scope.includes(':'))
      .sort();
  const introspected = (issuer: IssuerKey, token: string) =>
    server.request('POST', issuers[issuer].introspect, {
      form: { client_id: back.clientId, client_secret: back.clientSecret as string, token },
    });

  /** Refused: nothing is issued, nothing changes, one event says why. */
  async function refused(send: () => Promise<Answer>, error: string, reason: string, status = 400): Promise<void> {
    const before = { state: await server.stateHash(), events: (await server.logEvents()).length };
    const answer = await send();
    assert.equal(`${answer.status} ${answer.body.error}`, `${status} ${error}`, answer.text);
    assert.equal(answer.body.access_token, undefined);
    assert.equal(await server.stateHash(), before.state, 'nothing changed');
    const events = (await server.logEvents()).slice(before.events);
    assert.deepEqual(
      events.map(({ kind, reason }) => [kind, reason]),
      [['token.refused', reason]],
    );
  }

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    const bad = issuer === 'root' ? 'invalid_request' : 'invalid_grant';
    const subject = () => (issuer === 'root' ? `auth0|${user.id}` : user.id);

    test(`${issuer}: the token of an API, for the application that asks`, async () => {
      const { access_token: shown } = await signInFor(server, issuer, front, user, { apis: [api] });
      clock.advance(60_000);
      const answer = await exchangeToken(server, issuer, back, shown);
      assert.equal(answer.status, 200, answer.text);
      const { body } = answer;
      assert.equal(body.issued_token_type, accessTokenType);
      assert.deepEqual([body.id_token, body.refresh_token, body.token_type], [undefined, undefined, 'Bearer']);
      const [before, claims] = [claimsOf(shown), claimsOf(body.access_token)];
      assert.equal(claims.sub, subject());
      assert.equal(claims.aud, api.indicator);
      assert.equal(claims.client_id ?? claims.azp, back.clientId);
      assert.equal(claims.act, undefined);
      assert.deepEqual(scopesOf(body.access_token), ['read:orders', 'write:orders']);
      assert.ok(claims.exp <= before.exp && body.expires_in <= before.exp - claims.iat, 'no longer than the other');
      assert.equal((await introspected(issuer, body.access_token)).body.active, true);
      // Reusable, and again into itself.
      const again = await exchangeToken(server, issuer, back, body.access_token, { scope: 'read:orders' });
      assert.deepEqual(scopesOf(again.body.access_token), ['read:orders']);
      const further = await exchangeToken(server, issuer, back, again.body.access_token);
      assert.deepEqual(scopesOf(further.body.access_token), ['read:orders'], 'what was given up does not come back');
    });

    test(`${issuer}: scopes only narrow, to what the person still has`, async () => {
      const { access_token: shown } = await signInFor(server, issuer, front, user, {
        apis: [api],
        scope: 'openid read:orders',
      });
      await refused(
        () => exchangeToken(server, issuer, back, shown, { scope: 'write:orders' }),
        'invalid_scope',
        'scope_not_authorized',
      );
      const person = await makeUserOf(server, api);
      const { access_token: second } = await signInFor(server, issuer, front, person, { apis: [api] });
      await native(server, 'DELETE', `/users/${person.id}/roles/${api.roleId}`);
      const answer = await exchangeToken(server, issuer, back, second);
      assert.deepEqual(scopesOf(answer.body.access_token), []);
    });

    test(`${issuer}: for what was authorized at sign-in, and nothing else`, async () => {
      const { access_token: one } = await signInFor(server, issuer, front, user, { apis: [api] });
      await refused(
        () => exchangeToken(server, issuer, back, one, { resource: other.indicator }),
        'invalid_target',
        'target_invalid',
      );
      const { access_token: two } = await signInFor(server, issuer, front, user, {
        apis: [api, other],
        token: { scope: 'read:orders' },
      });
      const answer = await exchangeToken(server, issuer, back, two, { resource: other.indicator });
      assert.equal(claimsOf(answer.body.access_token).aud, other.indicator);
      assert.deepEqual(scopesOf(answer.body.access_token), ['read:orders'], 'as far as the token that was shown');
    });

    test(`${issuer}: a token for the userinfo endpoint stands for the sign-in`, async () => {
      const { access_token: shown } = await signInFor(server, issuer, front, user, {
        apis: [api, other],
        scope: 'openid email read:orders offline_access',
        token: { resource: '', scope: 'openid' },
      });
      assert.ok(!shown.includes('.'));
      const answer = await exchangeToken(server, issuer, back, shown, { resource: api.indicator });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(scopesOf(answer.body.access_token), ['read:orders']);
      assert.equal(answer.body.refresh_token, undefined);
      const alone = await exchangeToken(server, issuer, back, shown);
      const me = await server.request('GET', issuers[issuer].userinfo, { token: alone.body.access_token });
      assert.equal(me.status, 200, me.text);
      assert.equal(me.body.email, undefined, 'the scope was given up');
    });

    test(`${issuer}: ends with what it came from`, async () => {
      const browser = new Browser(server);
      const person = await makeUserOf(server, api);
      const { access_token: shown } = await signInFor(server, issuer, front, person, { apis: [api], browser });
      const { body } = await exchangeToken(server, issuer, back, shown);
      const { body: second } = await exchangeToken(server, issuer, back, body.access_token);
      const grants = await native(server, 'GET', `/users/${person.id}/grants`);
      assert.equal(grants.grants.length, 1, 'the sign-in alone is a grant of the person');
      await native(server, 'DELETE', `/users/${person.id}/grants/${grants.grants[0].id}`);
      for (const token of [body.access_token, second.access_token]) {
        assert.deepEqual((await introspected(issuer, token)).body, { active: false });
        await refused(() => exchangeToken(server, issuer, back, token), bad, 'subject_token_invalid');
      }
    });

    test(`${issuer}: no other token, nor a bad one, and never the client itself in its place`, async () => {
      const apis = [api];
      const tokens = await signInFor(server, issuer, front, user, { apis, scope: 'openid read:orders offline_access' });
      const elsewhere = await signInFor(server, issuer === 'root' ? 'oidc' : 'root', front, user, { apis });
      const [header, payload] = tokens.access_token.split('.');
      const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt', kid: 'x' })).toString('base64url');
      const invalid: Record<string, string> = {
        garbage: 'garbage',
        'garbage with dots': 'a.b.c',
        'alg none': `${none}.${payload}.`,
        'no signature': `${header}.${payload}.`,
        'another issuer': elsewhere.access_token,
        'a refresh token': tokens.refresh_token,
        'an ID token': tokens.id_token,
        'a subject token': await subjectTokenFor(server, user),
      };
      for (const [what, token] of Object.entries(invalid)) {
        await refused(() => exchangeToken(server, issuer, back, token), bad, 'subject_token_invalid').catch((error) => {
          throw new Error(what, { cause: error });
        });
      }
      const wrong = (more: Record<string, string>) => () =>
        exchangeToken(server, issuer, back, tokens.access_token, more);
      for (const more of [
        { subject_token: '' },
        { subject_token_type: '' },
        { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
        { subject_token_type: 'urn:made:up' },
        { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
        { requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
        { actor_token_type: accessTokenType },
        { actor_token: tokens.access_token },
        { actor_token: tokens.access_token, actor_token_type: 'urn:made:up' },
      ]) {
        await refused(wrong(more), 'invalid_request', 'parameter_invalid');
      }
      await refused(wrong({ subject_token_type: impersonationType }), bad, 'subject_token_invalid');
      const machine = await server.machine({ client: { grant_types: ['client_credentials'] } });
      const own = await server.request('POST', issuers[issuer].token, {
        form: {
          grant_type: 'client_credentials',
          client_id: machine.clientId,
          client_secret: machine.clientSecret,
          resource: machine.audience,
        },
      });
      await refused(
        () => exchangeToken(server, issuer, back, own.body.access_token),
        'invalid_request',
        'subject_token_of_client',
      );
      await server.request('POST', issuers[issuer].revoke, {
        form: { client_id: front.clientId, client_secret: front.clientSecret as string, token: tokens.access_token },
      });
      await refused(wrong({}), bad, 'subject_token_invalid');
    });

    test(`${issuer}: not when it has expired, nor for who was blocked`, async () => {
      const person = await makeUserOf(server, api);
      const tokens = await signInFor(server, issuer, front, person, { apis: [api] });
      await native(server, 'PATCH', `/users/${person.id}/is-suspended`, { isSuspended: true });
      await refused(() => exchangeToken(server, issuer, back, tokens.access_token), bad, 'subject_token_invalid');
      const { access_token: shown } = await signInFor(server, issuer, front, user, { apis: [api] });
      const lifetime = claimsOf(shown).exp * 1000 - clock.now();
      clock.advance(lifetime);
      await refused(() => exchangeToken(server, issuer, back, shown), bad, 'subject_token_invalid');
      clock.advance(-lifetime);
    });

    test(`${issuer}: only confidential applications of one's own that may`, async () => {
      const { access_token: shown } = await signInFor(server, issuer, front, user, { apis: [api] });
      const denied = issuer === 'root' ? (['unauthorized_client', 403] as const) : (['invalid_request', 400] as const);
      await refused(() => exchangeToken(server, issuer, front, shown), denied[0], 'grant_type_not_allowed', denied[1]);
      const third = await makeExchanger(server, { isThirdParty: true });
      await refused(() => exchangeToken(server, issuer, third, shown), denied[0], 'grant_type_not_allowed', denied[1]);
      const page = await makeApp(server, 'SPA', { customClientMetadata: { allowTokenExchange: true } });
      const unproven = issuer === 'root' ? 'access_denied' : 'invalid_client';
      await refused(() => exchangeToken(server, issuer, page, shown), unproven, 'client_public', 401);
      // What a person let somebody else's application do is for that application.
      const app = await makeApp(server, 'Traditional', { isThirdParty: true });
      const browser = new Browser(server);
      await signInFor(server, issuer, front, user, { browser });
      const consented = await signInForThirdParty(issuer, app, browser);
      await refused(() => exchangeToken(server, issuer, back, consented), bad, 'subject_token_invalid');
    });

    test(`${issuer}: who acts is said, in a chain that has an end`, async () => {
      const { access_token: shown } = await signInFor(server, issuer, front, user, { apis: [api] });
      const agent = await makeUserOf(server);
      const of = issuer === 'root' ? `auth0|${agent.id}` : agent.id;
      const { access_token: actor, id_token: idToken } = await signInFor(server, issuer, front, agent);
      const asActor = { actor_token: actor, actor_token_type: accessTokenType };
      let token = shown;
      let chain: unknown;
      for (let depth = 1; depth <= 3; depth += 1) {
        const answer = await exchangeToken(server, issuer, back, token, asActor);
        assert.equal(answer.status, 200, answer.text);
        token = answer.body.access_token;
        chain = chain === undefined ? { sub: of } : { sub: of, act: chain };
        assert.deepEqual(claimsOf(token).act, chain);
      }
      const kept = await exchangeToken(server, issuer, back, token);
      assert.deepEqual(claimsOf(kept.body.access_token).act, chain, 'nobody takes it off');
      const recorded = (await server.rows('authorizations')).map(({ actor: row }) => row);
      assert.ok(recorded.includes(JSON.stringify(chain)), 'recorded');
      const event = (await server.logEvents()).at(-1);
      assert.deepEqual(JSON.parse(event.details).actor, chain);
      await refused(() => exchangeToken(server, issuer, back, token, asActor), bad, 'actors_too_many');
      for (const bearer of ['garbage', idToken, token, subject()]) {
        await refused(
          () => exchangeToken(server, issuer, back, shown, { ...asActor, actor_token: bearer }),
          bad,
          'actor_token_invalid',
        );
      }
      const { access_token: withoutOpenid } = await signInFor(server, issuer, front, agent, { scope: 'email' });
      await refused(
        () => exchangeToken(server, issuer, back, shown, { ...asActor, actor_token: withoutOpenid }),
        bad,
        'actor_token_invalid',
      );
      const machine = await exchangeToken(server, issuer, back, shown, {
        ...asActor,
        actor_token: await machineToken(issuer),
      });
      assert.match(claimsOf(machine.body.access_token).act.sub, /^\w{32}(@clients)?$/);
    });

    test(`${issuer}: never a token for a management API, not from an administrator's own either`, async () => {
      const administrator = await makeUserOf(server, api);
      await makeAdministratorOf(server, administrator.id);
      const audience = server.nativeAudience;
      for (const { clientId } of [front, back]) {
        const grant = { client_id: clientId, audience, scope: ['all'], subject_type: 'user' };
        if (issuer === 'root') await server.manage('POST', '/client-grants', grant);
      }
      const token = await subjectTokenFor(server, administrator);
      for (const resource of [server.nativeAudience, server.managementAudience, 'https://default.logto.app/api']) {
        await refused(
          () => exchangeToken(server, issuer, back, token, { subject_token_type: impersonationType, resource }),
          'invalid_target',
          'exchange_at_management',
        );
      }
      const apis = [{ indicator: audience, roleId: '' }];
      const { access_token: shown } = await signInFor(server, issuer, front, administrator, {
        apis,
        scope: 'openid all',
      });
      assert.equal((await server.request('GET', '/api/users', { token: shown })).status, 200, 'it is good itself');
      await refused(() => exchangeToken(server, issuer, back, shown), 'invalid_target', 'exchange_at_management');
    });

    test(`${issuer}: an organization stays, and no other one is let in`, async () => {
      const person = await makeUserOf(server);
      const [first, second] = [await organizationOf(person), await organizationOf(person)];
      const scope = 'openid read:orders urn:logto:scope:organizations';
      const { access_token: shown } = await signInFor(server, issuer, front, person, {
        apis: [api],
        scope,
        token: { organization_id: first },
      });
      const claim = issuer === 'root' ? 'org_id' : 'organization_id';
      assert.equal(claimsOf(shown)[claim], first);
      const answer = await exchangeToken(server, issuer, back, shown);
      assert.equal(claimsOf(answer.body.access_token)[claim], first);
      assert.deepEqual(scopesOf(answer.body.access_token), ['read:orders']);
      await refused(
        () => exchangeToken(server, issuer, back, shown, { resource: api.indicator, organization_id: second }),
        'insufficient_scope',
        'organization_scope_missing',
        403,
      );
      const { access_token: plain } = await signInFor(server, issuer, front, person, { apis: [api], scope });
      const narrowed = await exchangeToken(server, issuer, back, plain, {
        resource: api.indicator,
        organization_id: second,
      });
      assert.equal(claimsOf(narrowed.body.access_token)[claim], second);
      const stranger = await native(server, 'POST', '/organizations', { name: 'Elsewhere' });
      await refused(
        () => exchangeToken(server, issuer, back, plain, { resource: api.indicator, organization_id: stranger.id }),
        'access_denied',
        'organization_not_member',
        403,
      );
    });

    test(`${issuer}: what is bound to a key is exchanged by who holds it`, async () => {
      const key = holder();
      const url = `${server.origin}${issuers[issuer].token}`;
      const proof = async (by = key) => ({ dpop: await proofOf(by, 'POST', url, { now: clock.now() }) });
      const { access_token: plain } = await signInFor(server, issuer, front, user, { apis: [api] });
      const bound = await exchangeToken(server, issuer, back, plain, {}, await proof());
      assert.equal(bound.body.token_type, 'DPoP');
      assert.equal(claimsOf(bound.body.access_token).cnf.jkt, key.thumbprint);
      const token = bound.body.access_token;
      await refused(() => exchangeToken(server, issuer, back, token), 'invalid_grant', 'binding_mismatch');
      const stolen = await proof(holder());
      await refused(() => exchangeToken(server, issuer, back, token, {}, stolen), 'invalid_grant', 'binding_mismatch');
      assert.equal((await exchangeToken(server, issuer, back, token, {}, await proof())).status, 200);
    });
  }

  test('is told of where it is', async () => {
    for (const path of ['', '/oidc']) {
      const { body } = await server.request('GET', `${path}/.well-known/openid-configuration`);
      assert.ok(body.grant_types_supported.includes(exchangeGrant));
    }
  });

  async function organizationOf(person: TestUser): Promise<string> {
    const { id } = await native(server, 'POST', '/organizations', { name: 'Ours' });
    await native(server, 'POST', `/organizations/${id}/users`, { userIds: [person.id] });
    const resources = await native(server, 'GET', '/resources?includeScopes=true');
    const { scopes } = resources.find(({ indicator }: TestApi) => indicator === api.indicator);
    const role = await native(server, 'POST', '/organization-roles', {
      name: `Reader ${id}`,
      description: 'Reads',
      resourceScopeIds: scopes
        .filter((scope: { name: string }) => scope.name === 'read:orders')
        .map((scope: { id: string }) => scope.id),
    });
    await native(server, 'POST', `/organizations/${id}/users/roles`, {
      userIds: [person.id],
      organizationRoleIds: [role.id],
    });
    return id;
  }

  async function machineToken(issuer: IssuerKey): Promise<string> {
    const machine = await server.machine();
    const { body } = await server.request('POST', issuers[issuer].token, {
      form: {
        grant_type: 'client_credentials',
        client_id: machine.clientId,
        client_secret: machine.clientSecret,
        resource: machine.audience,
      },
    });
    return body.access_token;
  }

  async function signInForThirdParty(issuer: IssuerKey, app: TestClient, browser: Browser): Promise<string> {
    const { verifier, challenge } = pkce();
    const parameters = { code_challenge: challenge, code_challenge_method: 'S256', resource: api.indicator };
    await browser.open(authorizeUrl(issuer, app, { ...parameters, scope: 'openid read:orders' }));
    await browser.submit('/consent', { decision: 'allow' });
    const answer = await exchange(
      server,
      issuer,
      app,
      { ...callbackOf(browser.page), verifier },
      { resource: api.indicator },
    );
    return answer.body.access_token;
  }
});
