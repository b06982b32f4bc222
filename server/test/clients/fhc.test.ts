/** `fhc` 7.2, unmodified, as a process of its own: RHMAP's command line manages auth policies with an API key. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { secretsOf } from '../../src/domain/auth-policies/policy.ts';
import { eachEngine } from '../harness.ts';
import { makeUser, type TestUser } from '../sign-in/support.ts';
import { type Fhc, type FhcRun, fhcFor, noFhc } from './fhc-support.ts';
import { makeApiKey, type RhmapLab, startRhmapLab } from './rhmap-support.ts';

const failed = (...errors: string[]): FhcRun => ({
  code: 1,
  output: '',
  errors: [...errors, 'Command executed with error'],
});
const said = (output: string): FhcRun => ({ code: 0, output, errors: [] });

/** The cells of the one row of the table that it draws. */
function rowOf({ code, output, errors }: FhcRun): string[] {
  assert.deepEqual([code, errors], [0, []]);
  const rows = output.split('\n').filter((line) => line.startsWith('│'));
  assert.equal(rows.length, 2, output);
  const cells = (rows[1] as string).split('│').slice(1, -1);
  return cells.map((cell) => cell.trim());
}

eachEngine('fhc', (engine) => {
  describe('with an API key', { skip: noFhc }, () => {
    let lab: RhmapLab;
    let fhc: Fhc;
    let user: TestUser;
    before(async () => {
      lab = await startRhmapLab(engine);
      fhc = fhcFor(lab.server.origin, lab.key);
      user = await makeUser(lab.server);
    });
    after(async () => {
      fhc?.close();
      await lab?.close();
    });

    const policies = (...args: string[]) => fhc.run('admin', 'policies', ...args);
    const json = async (...args: string[]) => {
      const { code, output, errors } = await policies(...args, '--json');
      assert.deepEqual([code, errors], [0, []]);
      return JSON.parse(output);
    };
    const rowNamed = async (name: string) => (await lab.server.rows('auth_policies')).find((row) => row.name === name);

    test('makes, reads, changes and deletes a policy for a directory', async () => {
      const configurations = {
        provider: 'LDAP',
        authmethod: 'simple',
        url: 'ldaps://directory.example:636',
        dn: 'ou=people,dc=example,dc=com',
        dn_prefix: 'cn',
      };
      const made = await policies(
        ...['create', '--id=corp', '--type=LDAP', '--checkUserExists=true', '--checkUserApproved=true'],
        `--configurations=${JSON.stringify(configurations)}`,
      );
      const [guid = ''] = rowOf(made);
      assert.match(guid, /^[0-9a-z]{24}$/);
      assert.deepEqual(rowOf(await policies('read', '--id=corp')), [guid, 'corp', 'ldap', 'Yes', 'Yes']);
      assert.deepEqual(await json('read', '--id=corp'), {
        ...{ status: 'ok', guid, policyId: 'corp', policyType: 'ldap' },
        // The port is the scheme's own; what was sent is shown while it says the same.
        ...{ configurations, checkUserExists: true, checkUserApproved: true, users: [] },
      });
      const row = await rowNamed('corp');
      assert.deepEqual([row.id, row.type, row.check_user_exists, row.check_user_approved], [guid, 'ldap', 1, 1]);

      // It reads the policy, changes what it was told to, and sends all of it back.
      assert.deepEqual(rowOf(await policies('update', '--id=corp', '--checkUserApproved=false')), [
        guid,
        '',
        '',
        '',
        '',
      ]);
      assert.deepEqual(rowOf(await policies('read', '--id=corp')), [guid, 'corp', 'ldap', 'No', 'Yes']);
      const changed = await rowNamed('corp');
      const otherwise = { ...changed, check_user_approved: 1, updated_at: row.updated_at };
      assert.deepEqual(otherwise, { ...row }, 'and nothing else');
      const moved = { ...configurations, dn: 'ou=staff,dc=example,dc=com' };
      rowOf(await policies('update', '--id=corp', `--configurations=${JSON.stringify(moved)}`));
      assert.deepEqual((await json('read', '--id=corp')).configurations, moved);

      assert.deepEqual(await policies('delete', `--guid=${guid}`), said('Auth Policy deleted successfully'));
      assert.equal(await rowNamed('corp'), undefined);
      assert.deepEqual(await policies('read', '--id=corp'), failed('Error reading policy: Policy not found'));
      assert.deepEqual(await policies('delete', `--guid=${guid}`), failed('Error deleting policy: Policy not found'));
    });

    test('adds users, lists them, and takes them away', async () => {
      const [guid = ''] = rowOf(await policies('create', '--id=staff', '--type=FEEDHENRY', '--configurations={}'));
      const users = (...args: string[]) => policies('users', ...args);
      const none = said('No users associated with this Auth Policy.');
      assert.deepEqual(await users('list', '--id=staff'), none);
      const added = await users('add', `--guid=${guid}`, `--user=${user.email}`);
      assert.deepEqual(added, said('User successfully added to Auth Policy'));
      assert.deepEqual(await users('list', '--id=staff', '--json'), said(`[${user.email}]`));
      const [approved, ...others] = await lab.server.rows('auth_policy_users');
      assert.deepEqual(
        [approved.policy_id, approved.user_id, approved.status, others],
        [guid, user.id, 'approved', []],
      );
      // It takes the ids of RHMAP's documentation for objects, so that its table stays empty.
      assert.deepEqual(rowOf(await users('list', '--id=staff')), ['', '', '', '']);

      const unknown = await users('add', `--guid=${guid}`, '--user=nobody');
      assert.deepEqual(unknown, failed('Error adding users to policy: User not found: nobody'));
      const removed = await users('delete', `--guid=${guid}`, `--user=${user.email}`);
      assert.deepEqual(removed, said('User successfully removed from Auth Policy'));
      assert.deepEqual(await users('list', '--id=staff'), none);
      assert.deepEqual(await lab.server.rows('auth_policy_users'), []);
      await lab.manage('delete', { guid });
    });

    test('never sees a secret, and does not lose it by a change', async () => {
      const secret = 'the secret of a client at Google';
      const configurations = { provider: 'GOOGLE', clientId: '1234567890.apps.example.com', clientSecret: secret };
      rowOf(
        await policies('create', '--id=google', '--type=OPENID', `--configurations=${JSON.stringify(configurations)}`),
      );
      const shown = await json('read', '--id=google');
      assert.deepEqual(shown.configurations, { ...configurations, clientSecret: '********' });
      rowOf(await policies('update', '--id=google', '--checkUserExists=true'));
      const row = await rowNamed('google');
      assert.equal(row.check_user_exists, 1);
      assert.deepEqual(secretsOf(lab.server.composed.services, row), { clientSecret: secret });
      await lab.manage('delete', { guid: row.id });
    });

    test('is told what is wrong, in a sentence', async () => {
      const before = await lab.server.stateHash();
      const create = (type: string, configurations: string) =>
        policies('create', '--id=wrong', `--type=${type}`, `--configurations=${configurations}`);
      const refusals = [
        [await create('LDAP', '{}'), 'configurations.url is required'],
        [
          await create('LDAP', '{"url":"https://x"}'),
          'configurations.url must be an ldap:// or ldaps:// URL: a host, with :port if need be, and nothing more',
        ],
        [
          await create('MBAAS', '{}'),
          'policyType MBAAS is not supported: there is no MBaaS here that could decide who somebody is',
        ],
      ] as const;
      for (const [run, message] of refusals) assert.deepEqual(run, failed(`Error updating policy: ${message}`));
      assert.equal(await lab.server.stateHash(), before);
    });

    test('`list` sends no key, so it is refused, and nothing else happens', async () => {
      const guid = await lab.makePolicy('hidden', 'FEEDHENRY');
      const before = await lab.server.stateHash();
      const { length } = lab.requests;
      const { code, output, errors } = await policies('list');
      assert.deepEqual([code, output], [1, '']);
      assert.deepEqual(errors.slice(0, 2), [
        'Error: Error - not 2xx status code. (401)',
        '{"status":"error","message":"An API key is required in the header X-FH-AUTH-USER"}',
      ]);
      assert.deepEqual(
        lab.requests.slice(length).map(({ method, url }) => [method, url]),
        [['GET', '/box/srv/1.1/admin/authpolicy/list']],
      );
      assert.equal(await lab.server.stateHash(), before);
      // Whoever sends the key gets the list.
      const headers = { 'x-fh-auth-user': lab.key };
      const answer = await lab.server.request('GET', '/box/srv/1.1/admin/authpolicy/list', { headers });
      assert.deepEqual([answer.body.status, answer.body.count, answer.body.list[0].guid], ['ok', 1, guid]);
      await lab.manage('delete', { guid });
    });

    test('a wrong key, and one that may only read', async () => {
      const create = ['admin', 'policies', 'create', '--id=x', '--type=FEEDHENRY', '--configurations={}'];
      for (const [key, status, message] of [
        [`key_${'x'.repeat(43)}`, 401, 'Invalid API key'],
        [
          await makeApiKey(lab.server, ['read:auth_policies']),
          403,
          'Administrator access required: the scope create:auth_policies is missing',
        ],
      ] as const) {
        const other = fhcFor(lab.server.origin, key);
        try {
          const { code, output, errors } = await other.run(...create);
          assert.deepEqual([code, output], [1, '']);
          assert.ok(errors.join('\n').includes(`not 2xx status code. (${status})`), errors.join('\n'));
          assert.ok(errors.includes(`{"status":"error","message":"${message}"}`), errors.join('\n'));
          assert.ok(!errors.join('\n').includes(key));
        } finally {
          other.close();
        }
      }
      assert.equal(await rowNamed('x'), undefined);
    });

    test('verifies a session and tells about it; its own `auth` names no policy', async () => {
      const guid = await lab.makePolicy('staff', 'FEEDHENRY');
      const params = { userId: user.email, password: user.password };
      const { sessionToken } = await lab.manage('auth', { policyId: 'staff', clientToken: lab.clientId, params });
      const session = async (verb: string, token: string) => {
        const { code, output, errors } = await fhc.run('session', verb, `--token=${token}`);
        assert.deepEqual([code, errors], [0, []]);
        return JSON.parse(output);
      };
      assert.deepEqual(await session('verify', sessionToken), { status: 'ok', isValid: true });
      const told = await session('info', sessionToken);
      assert.deepEqual([told.isValid, told.userId, told.policyId], [true, user.email, 'staff']);
      await lab.manage('revokesession', { sessionToken });
      for (const verb of ['verify', 'info']) {
        assert.deepEqual(await session(verb, sessionToken), { status: 'ok', isValid: false });
      }
      // `--policy` and `--params` are one option to it, so it sends both as both.
      const given = ['--policy=staff', `--app=${lab.clientId}`, '--device=d', `--params=${JSON.stringify(params)}`];
      assert.deepEqual(await fhc.run('auth', ...given), failed('Error in auth call: policyId must be a string'));
      assert.deepEqual(await lab.server.rows('sessions'), []);
      await lab.manage('delete', { guid });
    });
  });
});
