/**
 * An RHMAP app and an API behind `@sekisho/client`: who signed in by `$fh.auth` gets access tokens for the session, and
 * they end with it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Api, startApi } from '../../../client/test/apis.ts';
import { eachEngine } from '../harness.ts';
import { exchangeGrant, makeApi, makeUserOf, type TestApi } from '../sign-in/exchange-support.ts';
import {
  bothIssuers,
  claimsOf,
  issuers,
  makeApp,
  makeUser,
  native,
  type TestUser,
  tokenRequest,
} from '../sign-in/support.ts';
import { openRhmapPage, type RhmapPage } from './rhmap-page.ts';
import { type RhmapLab, startRhmapLab, until } from './rhmap-support.ts';

const sessionType = 'urn:sekisho:params:oauth:token-type:policy-session';
const mayExchange = { customClientMetadata: { allowTokenExchange: true } };
/** RFC 8693 §2.2.2 has the one, Logto the other. */
const errors = { root: 'invalid_request', oidc: 'invalid_grant' } as const;
const subjects = { root: (id: string) => `auth0|${id}`, oidc: (id: string) => id } as const;
const scope = 'org:create read:orders';

eachEngine('the session of an RHMAP app, exchanged', (engine) => {
  let lab: RhmapLab;
  let page: RhmapPage;
  let orders: TestApi;
  let ofApi: { client_id: string; client_secret: string };
  before(async () => {
    lab = await startRhmapLab(engine, mayExchange);
    await lab.makePolicy('staff', 'FEEDHENRY');
    orders = await makeApi(lab.server, scope.split(' '));
    ofApi = await lab.server.manage('POST', '/clients', {
      name: 'The API',
      app_type: 'resource_server',
      resource_server_identifier: orders.indicator,
    });
    page = await openRhmapPage(lab.site.page);
  });
  after(async () => {
    page?.close();
    await lab?.close();
  });

  async function sessionOf({ email, password }: TestUser): Promise<string> {
    const params = { userId: email, password };
    const outcome = await page.auth({ policyId: 'staff', clientToken: lab.clientId, params });
    assert.ok('success' in outcome, JSON.stringify(outcome));
    return outcome.success.sessionToken;
  }

  for (const issuer of bothIssuers) {
    describe(`at ${issuers[issuer].token}`, () => {
      let api: Api;
      before(async () => {
        const introspection = { clientId: ofApi.client_id, clientSecret: ofApi.client_secret };
        const expected = { issuer: issuers[issuer].issuer(lab.server), audience: orders.indicator };
        api = await startApi('fastify', { ...expected, introspection });
      });
      after(() => api?.close());

      const exchange = (
        session: string,
        client = { clientId: lab.clientId, clientSecret: undefined as string | undefined },
      ) =>
        tokenRequest(lab.server, issuer, client, {
          ...{ grant_type: exchangeGrant, subject_token: session, subject_token_type: sessionType },
          ...{ resource: orders.indicator, scope },
        });
      const order = async (token: string) => {
        const answer = await fetch(`${api.origin}/orders`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
        });
        return { status: answer.status, body: await answer.json() };
      };
      const isActive = async (token: string) => {
        const answer = await lab.server.request('POST', issuers[issuer].introspect, {
          form: { token, ...ofApi },
        });
        assert.equal(answer.status, 200, answer.text);
        return answer.body.active;
      };
      const refused = async (session: string, client?: Parameters<typeof exchange>[1]) => {
        const { status, body } = await exchange(session, client);
        assert.deepEqual([status, body.error, body.access_token], [400, errors[issuer], undefined]);
      };

      test('opens an API, and does so no more after clearSession', async () => {
        const user = await makeUserOf(lab.server, orders);
        const session = await sessionOf(user);
        const { status, body, text } = await exchange(session);
        assert.equal(status, 200, text);
        assert.equal(body.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token');
        assert.equal(body.refresh_token, undefined);
        const claims = claimsOf(body.access_token);
        assert.deepEqual([claims.sub, claims.client_id], [subjects[issuer](user.id), lab.clientId]);
        assert.deepEqual(await order(body.access_token), {
          status: 200,
          body: { subject: subjects[issuer](user.id), scopes: scope.split(' ') },
        });
        assert.equal(await isActive(body.access_token), true);

        await page.clearSession();
        await until(async () => !(await isActive(body.access_token)));
        assert.equal((await order(body.access_token)).status, 401);
        await refused(session);
      });

      test('is worth what the person may, and nothing when the person is blocked', async () => {
        const nobody = await makeUser(lab.server);
        const answer = await exchange(await sessionOf(nobody));
        assert.ok(answer.status >= 400 || claimsOf(answer.body.access_token).scope === undefined, answer.text);

        const user = await makeUserOf(lab.server, orders);
        const session = await sessionOf(user);
        const { body } = await exchange(session);
        assert.equal((await order(body.access_token)).status, 200);
        await native(lab.server, 'PATCH', `/users/${user.id}/is-suspended`, { isSuspended: true });
        assert.equal(await isActive(body.access_token), false);
        assert.equal((await order(body.access_token)).status, 401);
        await refused(session);
      });

      test('is the app’s alone', async () => {
        const session = await sessionOf(await makeUserOf(lab.server, orders));
        for (const type of ['SPA', 'Traditional'] as const) {
          await refused(session, await makeApp(lab.server, type, mayExchange));
        }
        const withoutGrantType = await exchange(session, await makeApp(lab.server, 'SPA'));
        assert.match(withoutGrantType.text, /not allowed/);
        await refused(session.slice(1));
        assert.equal((await exchange(session)).status, 200);
      });
    });
  }
});
