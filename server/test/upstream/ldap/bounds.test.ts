/** A directory that hangs holds nobody up for longer than the deadline, and not the others at all. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { kerberosMissing } from '../../../../scripts/kerberos.ts';
import { isGssapiInstalled } from '../../../src/upstream/ldap/kerberos.ts';
import { type LdapLab, people, startLdapLab } from '../../labs/ldap.ts';
import { bindResult, message, result, withDirectoryOf } from './fake.ts';
import { assertRefused, labPolicy, noLab, policy, signIn } from './support.ts';

const { uid, password } = people.alice;
/** A busy machine's. */
const patienceMs = 1500;

async function assertLate(label: string, attempt: () => Promise<unknown>): Promise<void> {
  const begunAt = performance.now();
  await assertRefused(attempt(), 'unavailable', label);
  const tookMs = performance.now() - begunAt;
  // A timer counts in whole milliseconds, and ends up to one early.
  assert.ok(tookMs > 3990 && tookMs < 5000 + patienceMs, `${label}: ${tookMs} ms`);
}

test('silence, single bytes, and a handshake that comes to no end', async () => {
  const drip = Buffer.concat([Buffer.from('30820400', 'hex'), Buffer.alloc(1024)]);
  const hangs = {
    silence: () => undefined,
    'byte by byte': ({ socket, id }: { socket: { write(bytes: Buffer): unknown; destroyed: boolean }; id: number }) => {
      if (id !== 1) return undefined;
      void (async () => {
        for (const byte of drip) {
          if (socket.destroyed) return;
          socket.write(Buffer.of(byte));
          await sleep(100);
        }
      })();
      return undefined;
    },
  };
  const startTls = ({ id }: { id: number }) => (id === 1 ? message(id, result(0x78, 0)) : undefined);
  await Promise.all([
    ...Object.entries(hangs).map(([label, hang]) =>
      withDirectoryOf(hang, (url) => assertLate(label, () => signIn(policy({ url }), uid, password))),
    ),
    withDirectoryOf(startTls, (url) =>
      assertLate('handshake', () => signIn(policy({ url, startTls: true }), uid, password)),
    ),
    withDirectoryOf(
      () => undefined,
      (url) => assertLate('ldaps', () => signIn(policy({ url: url.replace('ldap:', 'ldaps:') }), uid, password)),
    ),
  ]);
});

test('one directory gets so many connections at a time, and another has its own', async () => {
  const held: (() => void)[] = [];
  let isHeld = true;
  await withDirectoryOf(
    ({ id, socket, operation }) => {
      const answer = message(id, bindResult(49));
      if (operation !== 0x60 || !isHeld) return answer;
      held.push(() => socket.write(answer));
      return undefined;
    },
    async (url, heard) => {
      const refusals = Array.from({ length: 20 }, () =>
        assertRefused(signIn(policy({ url }), uid, password), 'credentials_refused', 'held'),
      );
      while (held.length < 16) await sleep(5);
      await withDirectoryOf(
        ({ id }) => message(id, bindResult(49)),
        (other) => assertRefused(signIn(policy({ url: other }), uid, password), 'credentials_refused', 'another'),
      );
      assert.equal(heard.connections, 16);
      isHeld = false;
      for (const answer of held) answer();
      await Promise.all(refusals);
      assert.equal(heard.connections, 20);
    },
  );
});

describe('slapd, stopped', { skip: noLab }, () => {
  let lab: LdapLab;
  before(async () => {
    lab = await startLdapLab();
    process.env.KRB5_CONFIG = lab.krb5Config;
  });
  after(async () => {
    delete process.env.KRB5_CONFIG;
    await lab?.close();
  });

  const kerberosSkip = isGssapiInstalled() ? false : kerberosMissing;

  test('refused when the deadline is over; as before when it goes on', async (t) => {
    lab.stop();
    const methods = kerberosSkip === false ? (['simple', 'GSSAPI'] as const) : (['simple'] as const);
    if (kerberosSkip !== false) t.diagnostic(kerberosSkip);
    const at = { url: lab.urls.ldap };
    await Promise.all(
      methods.map((authMethod) =>
        assertLate(authMethod, () => signIn(labPolicy(lab, { ...at, authMethod }), uid, password)),
      ),
    );
    lab.resume();
    for (const authMethod of methods) await signIn(labPolicy(lab, { authMethod }), uid, password);
  });
});
