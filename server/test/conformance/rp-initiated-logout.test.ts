/** OpenID Connect RP-Initiated Logout: `oidcc-rp-initiated-logout-certification-test-plan`. */
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { formsOf, type IssuerKey, issuers, makeApp, makeUser, redirectUri } from '../sign-in/support.ts';
import { withoutLimits } from '../token/refusals.ts';
import { discover, module, RelyingParty } from './relying-party.ts';

const bye = 'https://app.example/bye';

eachEngine('RP-initiated logout', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
  });
  after(() => server.close());

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    describe(issuer, () => {
      /** Somebody who is signed in, at the end session endpoint with these parameters. */
      async function logout(parameters: (idToken: string) => Record<string, string>) {
        const metadata = await discover(server, issuers[issuer].issuer(server));
        const client = await makeApp(server, 'Traditional', {
          oidcClientMetadata: { redirectUris: [redirectUri], postLogoutRedirectUris: [bye] },
        });
        const rp = new RelyingParty(server, metadata, { client, user: await makeUser(server), redirectUri });
        const { body } = await rp.redeem(await rp.authorize());
        const query = new URLSearchParams(parameters(body.id_token));
        const page = await rp.browser.open(`${rp.pathOf(metadata.end_session_endpoint)}?${query}`);
        /** Whether a sign-in without a page still works. */
        const isSignedIn = async () => {
          await rp.browser.open(rp.url(rp.request({ prompt: 'none' })));
          return rp.browser.page.location?.includes('code=') === true;
        };
        /** The person is asked and says yes, where that is so. */
        const confirm = async () => {
          const form = formsOf(rp.browser.page.text).find(({ action }) => action === '/sign-out');
          if (form !== undefined) await rp.browser.submit('/sign-out', { decision: 'sign_out' });
          return rp.browser.page;
        };
        return { rp, page, isSignedIn, confirm };
      }

      const all = (idToken: string) => ({ id_token_hint: idToken, post_logout_redirect_uri: bye, state: 'abc' });

      /** Nobody is sent to the client; an error, or the person is asked. */
      async function staysHere(parameters: (idToken: string) => Record<string, string>): Promise<void> {
        const { page, isSignedIn } = await logout(parameters);
        assert.equal(page.location, undefined);
        assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
        const asks = formsOf(page.text).some(({ action }) => action === '/sign-out');
        assert.ok(page.status === 400 || (page.status === 200 && asks), page.text);
        assert.equal(await isSignedIn(), true, 'nobody was signed out by the link alone');
      }

      /** Signed out, after the person was asked where that must be, and told so here. */
      async function endsHere(parameters: (idToken: string) => Record<string, string>): Promise<void> {
        const { isSignedIn, confirm } = await logout(parameters);
        const page = await confirm();
        assert.equal(page.location, undefined);
        assert.equal(page.status, 200, page.text);
        assert.equal(new URL(page.url).pathname, '/signed-out');
        assert.equal(await isSignedIn(), false);
      }

      module('oidcc-rp-initiated-logout-discovery-endpoint-verification', async () => {
        const metadata = await discover(server, issuers[issuer].issuer(server));
        assert.equal(new URL(metadata.end_session_endpoint).origin, server.origin);
      });

      module('oidcc-rp-initiated-logout', async () => {
        const { page, isSignedIn } = await logout(all);
        assert.equal(page.location, `${bye}?state=abc`);
        assert.equal(await isSignedIn(), false);
      });

      module('oidcc-rp-initiated-logout-no-state', async () => {
        const { page, isSignedIn } = await logout((hint) => ({ id_token_hint: hint, post_logout_redirect_uri: bye }));
        assert.equal(page.location, bye);
        assert.equal(await isSignedIn(), false);
      });

      module('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', () =>
        staysHere((hint) => ({ ...all(hint), post_logout_redirect_uri: 'https://app.example/other' })),
      );

      module('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', () =>
        staysHere((hint) => ({ ...all(hint), post_logout_redirect_uri: `${bye}?foo=bar` })),
      );

      module('oidcc-rp-initiated-logout-modified-id-token-hint', () =>
        staysHere((hint) => {
          const [header, payload, signature = ''] = hint.split('.');
          const changed = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
          return all(`${header}.${payload}.${changed}`);
        }),
      );

      module('oidcc-rp-initiated-logout-bad-id-token-hint', () => staysHere(() => all('not.a.token')));

      module('oidcc-rp-initiated-logout-no-id-token-hint', () =>
        staysHere(() => ({ post_logout_redirect_uri: bye, state: 'abc' })),
      );

      module('oidcc-rp-initiated-logout-no-post-logout-redirect-uri', () =>
        endsHere((hint) => ({ id_token_hint: hint, state: 'abc' })),
      );

      module('oidcc-rp-initiated-logout-only-state', () => endsHere(() => ({ state: 'abc' })));

      module('oidcc-rp-initiated-logout-no-params', () => endsHere(() => ({})));
    });
  }
});
