/** A refresh asks the directory whether the person is still there. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { dnOf, type LabPerson, type LdapLab, people, startLdapLab } from '../labs/ldap.ts';
import { callApp, isValid } from '../rhmap/support.ts';
import { noLab } from '../upstream/ldap/support.ts';
import { exchangeToken, makeApi } from './exchange-support.ts';
import { besideLabs, makePolicy } from './policies-support.ts';
import { Browser, codeOf, exchange, makeApp, native, refresh, type TestClient } from './support.ts';

const policySession = 'urn:sekisho:params:oauth:token-type:policy-session';

eachEngine('refresh by a directory', (engine) => {
  let lab: LdapLab;
  let server: TestServer;
  let client: TestClient;
  let policyId: string;

  before(async () => {
    if (noLab !== false) return;
    [lab, server] = await Promise.all([startLdapLab(), startServer({ engine, env: besideLabs })]);
    const { dn: bindDn, password: bindPassword } = lab.searcher;
    const configuration = {
      url: lab.urls.ldaps,
      caCertificates: lab.caCertificates,
      search: { base: lab.peopleBase, filter: '(uid={user})', bindDn },
      bindPassword,
      attributes: { id: 'entryUUID', email: 'mail', name: 'cn' },
      emailIsVerified: true,
    };
    policyId = await makePolicy(server, 'ldap', configuration, { checkUserExists: false });
    client = await makeApp(server, 'Traditional', { authPolicyIds: [policyId] });
  });
  after(async () => {
    lab?.resume();
    await Promise.all([server?.close(), lab?.close()]);
  });

  /** The refresh token of somebody who signs in by the directory. */
  async function signedIn({ uid, password }: LabPerson): Promise<string> {
    const scope = 'openid offline_access';
    const got = await codeOf(
      new Browser(server),
      'oidc',
      client,
      { id: '', email: uid, password },
      { scope, prompt: 'consent' },
    );
    const { status, body, text } = await exchange(server, 'oidc', client, got);
    assert.equal(status, 200, text);
    assert.equal(typeof body.refresh_token, 'string', text);
    return body.refresh_token;
  }

  const asks = { skip: noLab };

  it('goes on while the person is there', asks, async () => {
    const token = await signedIn(people.alice);
    const answer = await refresh(server, 'oidc', client, token);
    assert.equal(answer.status, 200, answer.text);
  });

  it('fails for the moment when the directory hangs, and goes on after', asks, async () => {
    const token = await signedIn(people.alice);
    lab.stop();
    const before = await server.stateHash();
    const answer = await refresh(server, 'oidc', client, token);
    lab.resume();
    assert.equal(answer.status, 503, answer.text);
    assert.equal(answer.body.error, 'temporarily_unavailable');
    assert.equal(await server.stateHash(), before);
    assert.equal((await refresh(server, 'oidc', client, token)).status, 200);
  });

  it('so does the session of an app, exchanged', asks, async () => {
    const { uid, password } = people.hanako;
    const api = await makeApi(server);
    const app = await makeApp(server, 'Native', {
      authPolicyIds: [policyId],
      customClientMetadata: { allowTokenExchange: true },
    });
    const { name } = await native(server, 'GET', `/auth-policies/${policyId}`);
    const { body } = await callApp(server, 'auth', {
      policyId: name,
      clientToken: app.clientId,
      params: { userId: uid, password },
    });
    assert.equal(body.status, 'ok', JSON.stringify(body));
    const exchange = () => {
      const more = { subject_token_type: policySession, resource: api.indicator };
      return exchangeToken(server, 'oidc', app, body.sessionToken, more);
    };
    assert.equal((await exchange()).status, 200);
    await lab.modify(`dn: ${dnOf(people.hanako)}\nchangetype: delete\n`);
    const refused = await exchange();
    assert.equal(refused.body.error, 'invalid_grant', refused.text);
    assert.equal(await isValid(server, body.sessionToken), false);
  });

  it('ends with the entry', asks, async () => {
    const [token, other] = [await signedIn(people.bob), await signedIn(people.alice)];
    const { uid } = people.bob;
    await lab.modify(
      `dn: ${dnOf(people.bob)}\nchangetype: moddn\nnewrdn: uid=${uid}\ndeleteoldrdn: 0\nnewsuperior: ${lab.groupsBase}\n`,
    );
    const answer = await refresh(server, 'oidc', client, token);
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.body.error, 'invalid_grant');
    const ended = (await server.logEvents()).filter(({ kind }) => kind === 'authorization.ended');
    assert.equal(ended.at(-1)?.reason, 'user_gone_upstream');
    // Also when the entry is back: what ended has ended.
    await lab.modify(
      `dn: uid=${uid},${lab.groupsBase}\nchangetype: moddn\nnewrdn: uid=${uid}\ndeleteoldrdn: 0\nnewsuperior: ${lab.peopleBase}\n`,
    );
    assert.equal((await refresh(server, 'oidc', client, token)).body.error, 'invalid_grant');
    assert.equal((await refresh(server, 'oidc', client, other)).status, 200);
  });
});
