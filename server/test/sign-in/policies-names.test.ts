/** What upstreams call people, as it is kept here: no name becomes somebody else's by being written down. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type Liar, startLiar } from '../labs/liar.ts';
import { callApp } from '../rhmap/support.ts';
import { bindResult, entry, message, searchDone, withDirectoryOf } from '../upstream/ldap/fake.ts';
import { ask, besideLabs, liarPolicy, makePolicy, signInAtLiar, tokensOf } from './policies-support.ts';
import { claimsOf, makeApp, native, type TestClient } from './support.ts';

eachEngine('names that upstreams tell', (engine) => {
  let server: TestServer;
  let liar: Liar;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine, env: besideLabs });
    liar = await startLiar();
    app = await makeApp(server);
  });
  after(async () => {
    await liar.close();
    await server.close();
  });

  /** Signs in at the liar, who vouches for the address. */
  async function comeIn(policy: string, email: string) {
    liar.lies = { userInfo: () => ({ sub: `sub of ${email}`, email, email_verified: true }) };
    const asking = await ask(server, app, { scope: 'openid email' });
    await signInAtLiar(asking.browser, policy);
    liar.lies = {};
    return claimsOf((await tokensOf(server, app, asking)).id_token);
  }

  /** Signs in to an app by a directory where everybody is whoever they say, with these attributes. */
  async function comeInByDirectory(user: string, attributes: Record<string, string[]>, how: object = {}) {
    const found = entry(`uid=${user},dc=example,dc=com`, attributes);
    const answer = ({ id, operation }: { id: number; operation: number }) => {
      if (operation === 0x60) return message(id, bindResult(0));
      return operation === 0x63 ? Buffer.concat([message(id, found), message(id, searchDone(0))]) : undefined;
    };
    let come: Awaited<ReturnType<typeof callApp>> | undefined;
    await withDirectoryOf(answer, async (url) => {
      const configuration = { url, dn: 'dc=example,dc=com', dnPrefix: 'uid', attributes: { id: 'entryUUID' }, ...how };
      const id = await makePolicy(server, 'ldap', configuration, { checkUserExists: false });
      const { name } = await native(server, 'GET', `/auth-policies/${id}`);
      const params = { userId: user, password: 'any' };
      come = await callApp(server, 'auth', { policyId: name, clientToken: app.clientId, params });
    });
    return come as NonNullable<typeof come>;
  }

  test('an address is verified as the upstream wrote it, or it is left', async () => {
    const policy = await liarPolicy(server, liar, { linksByEmail: true });
    for (const [index, letter] of ['\uff4d', '\u212a', '\u017f', '\ufb01'].entries()) {
      const email = `${letter}rank${index}@example.com`;
      const stranger = await comeIn(policy, email);
      assert.deepEqual([stranger.email, stranger.email_verified], [null, false], email);
      const plain = email.normalize('NFKC').toLowerCase();
      const owner = await comeIn(policy, plain);
      assert.deepEqual([owner.email, owner.email_verified], [plain, true]);
      assert.notEqual(owner.sub, stranger.sub);
    }
    const { email } = await comeIn(policy, 'Mixed.Case@EXAMPLE.com');
    assert.equal(email, 'mixed.case@example.com');
  });

  test('what is no address here keeps nobody out', async () => {
    const policy = await liarPolicy(server, liar);
    for (const email of ['a@b@c', 'a b@example.com', '<b>@example.com', '"q"@example.com', '@']) {
      const claims = await comeIn(policy, email);
      assert.equal(claims.email, null, email);
    }
  });

  test('a name that is kept as another one is left too', async () => {
    const userIdOf = async (user: string, uuid: string) => {
      const { body, text } = await comeInByDirectory(user, { entryUUID: [`${engine} ${uuid}`] });
      assert.equal(body.status, 'ok', text);
      return body.userId as string;
    };
    const stranger = await userIdOf('\ufb01ona', '1');
    assert.notEqual(stranger, 'fiona');
    assert.equal(await userIdOf('fiona', '2'), 'fiona');
  });

  test('what can not be kept is left, or refused: no mistake of ours', async () => {
    const names = { mail: ['a\0b@example.com'], cn: ['a\0b'], sn: ['\0'], memberOf: ['cn=a\0b'] };
    const attributes = { id: 'uid', email: 'mail', name: 'cn', groups: 'memberOf' };
    for (const emailIsVerified of [true, false]) {
      const answer = await comeInByDirectory(
        'odd',
        { uid: [`odd ${engine}`], ...names },
        { attributes, emailIsVerified },
      );
      assert.equal(answer.body.status, 'ok', answer.text);
      assert.deepEqual(Object.keys(answer.body.authResponse), ['id']);
    }
    const letters = Array.from({ length: 999 }, (_, index) => String.fromCharCode(0x4e00 + ((index * 7919) % 20_000)));
    const endless = await comeInByDirectory('endless', { uid: [letters.join('')] }, { attributes });
    assert.deepEqual([endless.status, endless.body.message], [200, 'provider_answer_invalid']);
  });
});
