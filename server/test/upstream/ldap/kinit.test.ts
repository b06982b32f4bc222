/** What `kinit` says of a name that somebody typed: of the name nothing goes on. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { UpstreamError } from '../../../src/upstream/identity.ts';
import { getTickets } from '../../../src/upstream/ldap/kinit.ts';
import { principalOf } from '../../../src/upstream/ldap/principal.ts';
import { type LdapLab, startLdapLab } from '../../labs/ldap.ts';
import { noLab } from './support.ts';

describe('kinit', { skip: noLab }, () => {
  const environment = { ...process.env };
  const own = mkdtempSync(join(tmpdir(), 'sekisho-test-'));
  let lab: LdapLab;
  before(async () => {
    lab = await startLdapLab();
    const KRB5CCNAME = `FILE:${join(own, 'tickets')}`;
    Object.assign(process.env, { KRB5_CONFIG: lab.krb5Config, KRB5CCNAME, LC_ALL: 'C' });
  });
  after(async () => {
    for (const name of ['KRB5_CONFIG', 'KRB5CCNAME', 'LC_ALL']) {
      if (environment[name] === undefined) delete process.env[name];
      else process.env[name] = environment[name];
    }
    rmSync(own, { recursive: true, force: true });
    await lab?.close();
  });

  test('a password in the wrong field is in no message', async () => {
    for (const typed of [
      'Zq7wX',
      'p@Zq7wX',
      'p"Zq7wX@re"Zq7wX',
      "Zq7wX'Zq7wX'Zq7wX",
      'p@Zq7wX while Zq7wX',
      "p@'Zq7wX",
    ]) {
      const credentials = { user: typed, password: 'any' };
      const asked = getTickets('kinit', principalOf(credentials, null), 'any', AbortSignal.timeout(4000));
      const error = await asked.then(
        () => assert.fail(typed),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof UpstreamError);
      assert.equal(error.failure, 'credentials_refused', error.message);
      assert.match(error.message, /kinit gets no ticket \((Client|Cannot find KDC)/);
      assert.doesNotMatch(error.message, /Zq7wX/, typed);
    }
  });
});
