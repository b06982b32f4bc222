/** A refresh asks the directory, which takes its time: what changed meanwhile, and before, counts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { bindResult, entry, message, searchDone, withDirectoryOf } from '../upstream/ldap/fake.ts';
import { besideLabs, makePolicy } from './policies-support.ts';
import { Browser, codeOf, exchange, makeApp, native, refresh } from './support.ts';

/** What the one person that the directory knows is in, and whether it waits with that until it is let go. */
interface Directory {
  groups: string[];
  hold?: Promise<void> | undefined;
  asked: number;
}

eachEngine('a directory that is asked at a refresh', (engine) => {
  let server: TestServer;
  let organizationId: string;
  let roleId: string;
  before(async () => {
    server = await startServer({ engine, env: besideLabs });
    organizationId = (await native(server, 'POST', '/organizations', { name: 'Office' })).id;
    roleId = (await native(server, 'POST', '/organization-roles', { name: `admin-${engine}` })).id;
  });
  after(() => server.close());

  const configurationOf = (url: string, base: string) => ({
    url,
    search: { base, filter: '(uid={user})', bindDn: 'cn=searcher' },
    bindPassword: 'a password of the searcher',
    attributes: { id: 'uid', groups: 'memberOf' },
  });

  interface Begun {
    readonly policy: string;
    readonly userId: string;
    readonly url: string;
    readonly directory: Directory;
    /** Refreshes; what `meanwhile` does is done before the directory answers. */
    refreshed(meanwhile?: () => Promise<unknown>): Promise<Answer>;
    roles(): Promise<number>;
  }

  /** Runs `work` with somebody who signed in by the directory, and was in no group then. */
  async function withSomebody(work: (begun: Begun) => Promise<void>): Promise<void> {
    const directory: Directory = { groups: [], asked: 0 };
    const answer = ({
      id,
      operation,
      socket,
    }: {
      id: number;
      operation: number;
      socket: { write(b: Buffer): void };
    }) => {
      if (operation === 0x60) return message(id, bindResult(0));
      if (operation !== 0x63) return undefined;
      directory.asked += 1;
      const found = entry('uid=alice,ou=people', { uid: ['alice'], memberOf: directory.groups });
      const bytes = Buffer.concat([message(id, found), message(id, searchDone(0))]);
      void (directory.hold ?? Promise.resolve()).then(() => socket.write(bytes));
      return undefined;
    };
    await withDirectoryOf(answer, async (url) => {
      const roleMappings = [{ group: 'cn=admins', organizationId, roleIds: [roleId] }];
      const more = { checkUserExists: false, roleMappings };
      const policy = await makePolicy(server, 'ldap', configurationOf(url, 'ou=people'), more);
      const client = await makeApp(server, 'Traditional', { authPolicyIds: [policy] });
      const alice = { id: '', email: 'alice', password: 'any' };
      const asking = { scope: 'openid offline_access', prompt: 'consent' };
      const got = await codeOf(new Browser(server), 'oidc', client, alice, asking);
      const token = (await exchange(server, 'oidc', client, got)).body.refresh_token;
      const [{ user_id: userId }] = (await server.rows('identities')).filter((row) => row.policy_id === policy) as [
        { user_id: string },
      ];
      const roles = async () => (await server.rows('memberships')).filter((row) => row.subject_id === userId).length;
      const refreshed = async (meanwhile?: () => Promise<unknown>) => {
        const asked = directory.asked;
        let letGo = () => {};
        directory.hold = new Promise((resolve) => {
          letGo = resolve;
        });
        const coming = refresh(server, 'oidc', client, token);
        while (meanwhile !== undefined && directory.asked === asked) await new Promise((next) => setTimeout(next, 5));
        await meanwhile?.();
        letGo();
        return coming;
      };
      await work({ policy, userId, url, directory, refreshed, roles });
    });
  }

  test('groups are roles, as long as they are mapped', async () => {
    await withSomebody(async ({ policy, directory, refreshed, roles }) => {
      directory.groups = ['cn=admins'];
      const unmap = () => native(server, 'PATCH', `/auth-policies/${policy}`, { roleMappings: [] });
      assert.equal((await refreshed(unmap)).status, 200);
      assert.equal(await roles(), 0);
    });
    await withSomebody(async ({ directory, refreshed, roles }) => {
      directory.groups = ['cn=admins'];
      assert.equal((await refreshed()).status, 200);
      assert.equal(await roles(), 1);
    });
  });

  test('nothing is given to who is unlinked, or deleted, while it is asked', async () => {
    await withSomebody(async ({ policy, userId, directory, refreshed, roles }) => {
      directory.groups = ['cn=admins'];
      const key = { authPolicyId: policy, issuer: 'ldap:ou=people', subject: 'alice' };
      const query = new URLSearchParams(key);
      const answer = await refreshed(() => native(server, 'DELETE', `/users/${userId}/auth-identities?${query}`));
      assert.equal(answer.body.error, 'invalid_grant', answer.text);
      assert.equal(await roles(), 0);
    });
    await withSomebody(async ({ userId, directory, refreshed, roles }) => {
      directory.groups = ['cn=admins'];
      const answer = await refreshed(() => native(server, 'DELETE', `/users/${userId}`));
      assert.equal(answer.body.error, 'invalid_grant', answer.text);
      assert.equal(await roles(), 0);
    });
  });

  test('who is signed out everywhere while it is asked gets no token after', async () => {
    await withSomebody(async ({ userId, refreshed }) => {
      const suspend = (isSuspended: boolean) =>
        native(server, 'PATCH', `/users/${userId}/is-suspended`, { isSuspended });
      const answer = await refreshed(() => suspend(true).then(() => suspend(false)));
      assert.equal(answer.body.error, 'invalid_grant', answer.text);
    });
  });

  test('who has the same subject below another base is somebody else', async () => {
    await withSomebody(async ({ policy, url, directory, refreshed, roles }) => {
      const configuration = configurationOf(url, 'ou=others');
      await native(server, 'PATCH', `/auth-policies/${policy}`, { configuration });
      directory.groups = ['cn=admins'];
      const answer = await refreshed();
      assert.equal(answer.body.error, 'invalid_grant', answer.text);
      assert.equal(await roles(), 0);
    });
  });
});
