/** `fh-js-sdk` 3.1, unmodified, in a page of another origin: people sign in with a name and a password. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { allCodes } from '../../src/http/rhmap/words.ts';
import { eachEngine } from '../harness.ts';
import { type LdapLab, people, startLdapLab } from '../labs/ldap.ts';
import { makeUser, native, type TestUser } from '../sign-in/support.ts';
import { noLab } from '../upstream/ldap/support.ts';
import { type AuthOutcome, openRhmapPage, type RhmapPage } from './rhmap-page.ts';
import { startRhmapSite } from './rhmap-site.ts';
import { type RhmapLab, startRhmapLab, until } from './rhmap-support.ts';

/** What a documented handler of an app looks at: the second argument. */
const codeOf = (outcome: AuthOutcome): string => {
  assert.ok('failure' in outcome, JSON.stringify(outcome));
  const [code, { message, status }] = outcome.failure;
  assert.deepEqual([code, status], ['auth_failed', 'error']);
  return message;
};

const successOf = (outcome: AuthOutcome) => {
  assert.ok('success' in outcome, JSON.stringify(outcome));
  assert.equal(outcome.success.status, 'ok');
  return outcome.success;
};

eachEngine('fh-js-sdk with a name and a password', (engine) => {
  let lab: RhmapLab;
  let page: RhmapPage;
  before(async () => {
    lab = await startRhmapLab(engine);
    page = await openRhmapPage(lab.site.page);
  });
  after(async () => {
    page?.close();
    await lab?.close();
  });

  const auth = (policyId: string, userId: string, password: string, at = page) =>
    at.auth({ policyId, clientToken: lab.clientId, params: { userId, password } });
  const sessions = async () => (await lab.server.rows('sessions')).filter(({ client_id }) => client_id !== null);

  describe('the server’s own users (FEEDHENRY)', () => {
    let user: TestUser;
    let guid: string;
    before(async () => {
      user = await makeUser(lab.server);
      const approved = { configurations: { provider: 'FEEDHENRY' }, checkUserApproved: 'true' };
      await lab.makePolicy('staff', 'FEEDHENRY', {
        configurations: { provider: 'FEEDHENRY' },
        checkUserExists: 'true',
      });
      guid = await lab.makePolicy('approved', 'FEEDHENRY', approved);
    });

    test('signs in, keeps and verifies the session, and ends it', async () => {
      assert.deepEqual(await page.hasSession(), [null, false]);
      assert.deepEqual(await page.verify(), ['no_session']);
      const { sessionToken, userId, authResponse } = successOf(await auth('staff', user.email, user.password));
      assert.match(sessionToken, /^[0-9A-Za-z_-]{32,}$/);
      assert.equal(userId, user.email);
      assert.deepEqual(authResponse, { id: user.id, email: user.email, name: 'Hanako Sekino', verified_email: true });

      assert.deepEqual(await page.hasSession(), [null, true]);
      assert.deepEqual(await page.verify(), [null, true]);
      const [session, ...others] = await sessions();
      assert.deepEqual(
        [session.user_id, session.client_id, others.length],
        [user.id, lab.clientId, 0],
        'the session is the app’s',
      );
      assert.ok(!JSON.stringify(session).includes(sessionToken), 'and only a hash of its token is kept');

      assert.deepEqual(await page.clearSession(), []);
      assert.deepEqual(await page.hasSession(), [null, false]);
      assert.deepEqual(await page.verify(), ['no_session']);
      await until(async () => (await sessions()).length === 0);
      const again = await lab.server.request('POST', '/box/srv/1.1/admin/authpolicy/verifysession', {
        json: { sessionToken },
      });
      assert.deepEqual(again.body, { status: 'ok', isValid: false });
      assert.deepEqual(page.complaints, []);
    });

    test('a session that ended at the server is not valid, and nothing is told but that', async () => {
      const blocked = await makeUser(lab.server);
      successOf(await auth('staff', blocked.email, blocked.password));
      assert.deepEqual(await page.verify(), [null, true]);
      await native(lab.server, 'PATCH', `/users/${blocked.id}/is-suspended`, { isSuspended: true });
      assert.deepEqual(await page.verify(), [null, false]);
      assert.equal(codeOf(await auth('staff', blocked.email, blocked.password)), 'user_disabled');
      assert.equal(codeOf(await auth('staff', blocked.email, 'a wrong password')), 'invalid_credentials');
      await page.clearSession();
    });

    test('a wrong password and nobody of that name are told alike', async () => {
      const before = await lab.server.stateHash();
      const wrong = await auth('staff', user.email, 'a wrong password');
      const unknown = await auth('staff', 'nobody@example.com', user.password);
      assert.equal(codeOf(wrong), 'invalid_credentials');
      assert.deepEqual(unknown, wrong);
      assert.equal(codeOf(await auth('staff', user.email, '')), 'invalid_credentials');
      assert.equal(await lab.server.stateHash(), before);
      assert.deepEqual(await page.hasSession(), [null, false]);
    });

    test('who is not approved is told so after the right password only, and comes in when approved', async () => {
      assert.equal(codeOf(await auth('approved', user.email, user.password)), 'user_not_approved');
      assert.equal(codeOf(await auth('approved', user.email, 'a wrong password')), 'invalid_credentials');
      await lab.manage('addusers', { guid, users: [user.email] });
      successOf(await auth('approved', user.email, user.password));
      assert.deepEqual(await page.verify(), [null, true]);
      await lab.manage('removeusers', { guid, users: [user.email] });
      assert.deepEqual(await page.verify(), [null, false], 'the session ends with the approval');
      assert.equal(codeOf(await auth('approved', user.email, user.password)), 'user_not_approved');
      await page.clearSession();
    });

    test('a policy or an application that there is not', async () => {
      assert.equal(codeOf(await auth('nothing', user.email, user.password)), 'unknown_policyId');
      const params = { userId: user.email, password: user.password };
      const outcome = await page.auth({ policyId: 'staff', clientToken: 'nothing', params });
      assert.equal(codeOf(outcome), 'unknown_clientToken');
    });

    test('what the SDK refuses by itself', async () => {
      const params = { userId: user.email, password: user.password };
      const { length } = await lab.server.logEvents();
      assert.deepEqual(await page.auth({ clientToken: lab.clientId, params }), { failure: ['auth_no_policyId', {}] });
      assert.deepEqual(await page.auth({ policyId: 'staff', params }), { failure: ['auth_no_clientToken', {}] });
      assert.equal((await lab.server.logEvents()).length, length, 'nobody was asked');
    });
  });

  describe('a directory (LDAP, simple bind)', { skip: noLab }, () => {
    let directory: LdapLab;
    before(async () => {
      directory = await startLdapLab();
      const configurations = {
        ...{ provider: 'LDAP', authmethod: 'simple', dn_prefix: 'uid' },
        ...{ url: directory.urls.ldaps, dn: directory.peopleBase, caCertificates: directory.caCertificates },
      };
      await lab.makePolicy('directory', 'LDAP', { configurations });
      await lab.makePolicy('known', 'LDAP', { configurations, checkUserExists: 'true' });
    });
    after(() => directory?.close());

    test('signs in whoever the directory knows', async () => {
      const { alice, hanako } = people;
      const { sessionToken, authResponse } = successOf(await auth('directory', alice.uid, alice.password));
      assert.ok(sessionToken.length >= 32);
      assert.equal(authResponse.name, alice.name);
      assert.equal(authResponse.email, alice.mail[0]);
      assert.deepEqual(await page.verify(), [null, true]);
      await page.clearSession();
      const other = successOf(await auth('directory', hanako.uid, hanako.password));
      assert.equal(other.authResponse.name, '山田 花子');
      await page.clearSession();
    });

    test('who proves it and is no user here is told so; nobody else is', async () => {
      const { bob } = people;
      assert.equal(codeOf(await auth('known', bob.uid, 'a wrong password')), 'invalid_credentials');
      assert.equal(codeOf(await auth('known', bob.uid, '')), 'invalid_credentials');
      assert.equal(codeOf(await auth('known', bob.uid, bob.password)), 'user_not_found');
      const { id } = await makeUser(lab.server, { primaryEmail: undefined, username: bob.uid });
      const { userId } = successOf(await auth('known', bob.uid, bob.password));
      assert.equal(userId, bob.uid, `it is the user ${id}`);
      await page.clearSession();
    });

    test('a directory that hangs is told apart from a wrong password', async () => {
      directory.stop();
      try {
        const outcome = await auth('directory', people.alice.uid, people.alice.password);
        assert.equal(codeOf(outcome), 'provider_unavailable');
      } finally {
        directory.resume();
      }
    });
  });

  test('a page that may ask is asked beforehand which headers it may send: whatever the SDK knows', async () => {
    const asked = lab.requests.filter(({ method, url }) => method === 'OPTIONS' && url.endsWith('/auth'));
    const names = asked[0]?.asked?.toLowerCase().split(/, ?/) ?? [];
    for (const name of ['x-fh-cuid', 'x-fh-appid', 'x-fh-sdk_version']) assert.ok(names.includes(name), String(names));
    assert.deepEqual(
      lab.requests.filter(({ method }) => method === 'GET'),
      [],
      'nothing went by JSONP',
    );
  });

  test('a page of an origin that no application names learns nothing, and can’t sign in by JSONP either', async () => {
    const stranger = await startRhmapSite();
    // `local` leaves out the init, which would fail first.
    stranger.serve({ clientId: lab.clientId, serverOrigin: lab.server.origin, config: { local: true } });
    const elsewhere = await openRhmapPage(stranger.page);
    try {
      const user = await makeUser(lab.server);
      const before = await lab.server.stateHash();
      const called: unknown[] = [];
      const handler = (...args: unknown[]) => called.push(args);
      const params = { userId: user.email, password: user.password };
      elsewhere.window.$fh.auth({ policyId: 'staff', clientToken: lab.clientId, params }, handler, handler);
      await until(async () => elsewhere.complaints.some((text) => text.startsWith('Could not load script')));
      const [asked, retried] = lab.requests.slice(-2);
      assert.deepEqual([asked?.method, asked?.url], ['OPTIONS', '/box/srv/1.1/admin/authpolicy/auth']);
      assert.equal(retried?.method, 'GET');
      assert.match(retried?.url ?? '', /authpolicy\/auth\?_callback=jsonp1&_jsonpdata=/);
      // It trips over the answer that is none, and tells nobody.
      assert.deepEqual(called, []);
      assert.deepEqual(await elsewhere.hasSession(), [null, false]);
      assert.equal(await lab.server.stateHash(), before);
      assert.ok(!JSON.stringify(await lab.server.logEvents()).includes(user.password));
    } finally {
      elsewhere.close();
      await stranger.close();
    }
  });
});

test('no code that an app is told makes it wipe what it has', () => {
  // There are no such orders here: devices are not managed.
  const documented = ['user_purge_data', 'device_disabled', 'device_purge_data'];
  assert.deepEqual(
    documented.filter((code) => allCodes.has(code)),
    [],
  );
  assert.ok(allCodes.has('user_disabled'));
});
