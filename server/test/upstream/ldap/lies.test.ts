/** A directory that breaks the rules, or lies: nobody signs in, whatever it says. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { makeAuthority, makeLeaf } from '../../../src/kernel/authority.ts';
import { element } from '../../../src/kernel/der.ts';
import type { UpstreamFailure } from '../../../src/upstream/identity.ts';
import { integer, octets, sequence } from '../../../src/upstream/ldap/ber.ts';
import type { LdapConfiguration } from '../../../src/upstream/ldap/configuration.ts';
import { type Asked, bindResult, entry, message, result, searchDone, withDirectoryOf } from './fake.ts';
import { assertRefused, policy, signIn } from './support.ts';

type Lie = (asked: Asked) => Buffer | undefined;

const expectRefusal = (lie: Lie, failure: UpstreamFailure, label: string, changes: Partial<LdapConfiguration> = {}) =>
  withDirectoryOf(lie, (url) => {
    const attempt = signIn(policy({ url, ...changes }), 'alice', 'open sesame', { bindPassword: 'open account' });
    return assertRefused(attempt, failure, label, 'open');
  });

/** Accepts the bind, and answers the search with this. */
const afterBind =
  (answer: (asked: Asked) => Buffer): Lie =>
  (asked) =>
    asked.operation === 0x60 ? message(asked.id, bindResult(0)) : answer(asked);

const alice = (attributes: Record<string, string[]> = { entryUUID: ['1'] }) => entry('uid=alice,dc=x', attributes);

test('honest answers are taken, so that the lies below are refused for what they are', async () => {
  const honest = afterBind(({ id }) => Buffer.concat([message(id, alice()), message(id, searchDone(0))]));
  await withDirectoryOf(honest, async (url, heard) => {
    assert.equal((await signIn(policy({ url }), 'alice', 'open sesame')).subject, '1');
    assert.deepEqual(heard.operations.slice(0, 2), [0x60, 0x63]);
  });
});

test('an answer in many pieces, and several in one, are the same answers', async () => {
  await withDirectoryOf(
    ({ id, operation, socket }) => {
      if (operation === 0x60) return message(id, bindResult(0));
      const bytes = Buffer.concat([message(id, alice()), message(id, searchDone(0))]);
      for (const byte of bytes) socket.write(Buffer.of(byte));
      return undefined;
    },
    async (url) => assert.equal((await signIn(policy({ url }), 'alice', 'open sesame')).subject, '1'),
  );
});

test('bytes that are no messages', async () => {
  const bytes = {
    'another protocol': Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
    'not a sequence': Buffer.from('310100', 'hex'),
    'no definite length': Buffer.from('308002010161070a010004000400', 'hex'),
    'a length of too many bytes': Buffer.from('3085000000000100', 'hex'),
    'a negative length': Buffer.from('3084fffffff0', 'hex'),
    'more than we read': Buffer.from('308400200000', 'hex'),
    'an empty message': Buffer.from('3000', 'hex'),
    'an inner length past the end': Buffer.from('300c02010161670a010004000400', 'hex'),
    'an inner length that goes back': Buffer.from('30110201016184fffffff00a01000400040000ff', 'hex'),
    'a huge number': Buffer.from('300c0205010000000161050a0100', 'hex'),
    'an empty number': Buffer.from('300b020061070a010004000400', 'hex'),
  };
  for (const [label, answer] of Object.entries(bytes)) await expectRefusal(() => answer, 'answer_invalid', label);
});

test('messages that answer something else', async () => {
  const lies: Record<string, Lie> = {
    'the id of no request': ({ id }) => message(id + 1, bindResult(0)),
    'a negative id': () => sequence(Buffer.from('0201ff', 'hex'), bindResult(0)),
    'a search result for a bind': ({ id }) => message(id, searchDone(0)),
    'an entry for a bind': ({ id }) => message(id, alice()),
    'nothing in it': ({ id }) => sequence(integer(id)),
    'no code': ({ id }) => message(id, element(0x61)),
    'a code that is no enumeration': ({ id }) => message(id, element(0x61, integer(0), octets(''), octets(''))),
    'a text that is no UTF-8': ({ id }) =>
      message(id, element(0x61, integer(49, 0x0a), octets(''), octets(Buffer.of(0xff)))),
    'a bind answer for a search': afterBind(({ id }) => message(id, bindResult(0))),
    'an entry without attributes': afterBind(({ id }) =>
      Buffer.concat([message(id, element(0x64, octets('uid=alice'))), message(id, searchDone(0))]),
    ),
    'two entries for one': afterBind(({ id }) =>
      Buffer.concat([message(id, alice()), message(id, alice()), message(id, searchDone(0))]),
    ),
  };
  for (const [label, lie] of Object.entries(lies)) await expectRefusal(lie, 'answer_invalid', label);
});

test('answers to other requests, however good', async () => {
  const other = (id: number) => message(id + 1, bindResult(0));
  await expectRefusal(
    ({ id, operation }) =>
      operation === 0x60 ? other(id) : Buffer.concat([message(id + 1, alice()), message(id + 1, searchDone(0))]),
    'answer_invalid',
    'the next id',
  );
});

test('an end of the connection, with and without leave', async () => {
  await expectRefusal(({ socket }) => void socket.destroy(), 'unavailable', 'closed');
  const notice = result(0x78, 52, octets('1.3.6.1.4.1.1466.20036', 0x8a));
  await expectRefusal(() => message(0, notice), 'unavailable', 'notice of disconnection');
});

test('codes: about the person, about the policy, about the directory', async () => {
  const meanings: [UpstreamFailure, number[]][] = [
    ['credentials_refused', [19, 32, 48, 49, 50, 53]],
    ['misconfigured', [1, 2, 7, 8, 10, 13, 34]],
    ['unavailable', [3, 11, 14, 51, 52, 80, 118, 999]],
  ];
  for (const [failure, codes] of meanings) {
    for (const code of codes) await expectRefusal(({ id }) => message(id, bindResult(code)), failure, `bind ${code}`);
  }
  const challenged =
    (code: number): Lie =>
    ({ id, count }) =>
      message(id, count === 1 ? bindResult(14, '<1@x>') : bindResult(code));
  const authMethod = 'CRAM-MD5';
  for (const code of [49, 80])
    await expectRefusal(challenged(code), 'credentials_refused', `SASL ${code}`, { authMethod });
  await expectRefusal(challenged(14), 'unavailable', 'SASL 14', { authMethod });
  const search = { base: 'dc=x', filter: '(uid={user})', bindDn: 'cn=account' };
  for (const code of [1, 8, 12, 18, 32, 34, 50]) {
    await expectRefusal(
      afterBind(({ id }) => message(id, searchDone(code))),
      'misconfigured',
      `search ${code}`,
      { search },
    );
  }
  await expectRefusal(
    afterBind(({ id }) => message(id, searchDone(51))),
    'unavailable',
    'search 51',
    { search },
  );
  for (const code of [32, 49, 53]) {
    await expectRefusal(({ id }) => message(id, bindResult(code)), 'misconfigured', `account ${code}`, { search });
  }
});

test('a directory that strangers may search is not told of an account', async () => {
  const search = { base: 'dc=x', filter: '(uid={user})', bindDn: null };
  const honest: Lie = (asked) =>
    asked.operation === 0x63
      ? Buffer.concat([message(asked.id, alice()), message(asked.id, searchDone(0))])
      : message(asked.id, bindResult(0));
  await withDirectoryOf(honest, async (url, heard) => {
    assert.equal((await signIn(policy({ url, search }), 'alice', 'open sesame')).subject, '1');
    assert.deepEqual(heard.operations.slice(0, 2), [0x63, 0x60]);
  });
  // One of more, of which the server shows no other.
  const cut: Lie = ({ id, operation }) =>
    operation === 0x63 ? Buffer.concat([message(id, alice()), message(id, searchDone(4))]) : message(id, bindResult(0));
  await expectRefusal(cut, 'credentials_refused', 'size limit', { search });
});

test('references without end', async () => {
  const pour: Lie = ({ id, operation, socket }) => {
    if (operation === 0x60) return message(id, bindResult(0));
    const reference = message(id, element(0x73, octets(`ldap://directory.invalid/${'x'.repeat(60_000)}`)));
    const more = () => !socket.destroyed && socket.write(reference, () => setImmediate(more));
    more();
    return undefined;
  };
  await expectRefusal(pour, 'answer_invalid', 'references');
});

test('referrals are not followed', async () => {
  const referral = octets('ldap://127.0.0.1:1/', 0xa3);
  await expectRefusal(({ id }) => message(id, result(0x61, 10, referral)), 'misconfigured', 'of the bind');
  await expectRefusal(
    afterBind(({ id }) => message(id, result(0x65, 10, referral))),
    'misconfigured',
    'of the search',
  );
  const reference = element(0x73, octets('ldap://127.0.0.1:1/'));
  const onlyReferences = afterBind(({ id }) => Buffer.concat([message(id, reference), message(id, searchDone(0))]));
  await expectRefusal(onlyReferences, 'misconfigured', 'only references');
  const search = { base: 'dc=x', filter: '(uid={user})', bindDn: 'cn=account' };
  // The one bind that this server refuses is the one for nobody.
  const searched: Lie = ({ id, operation, count }) =>
    operation === 0x60 && count > 1 ? message(id, bindResult(49)) : onlyReferences({ id, operation } as Asked);
  await expectRefusal(searched, 'credentials_refused', 'only references, searched', { search });
});

test('an entry that is an alias, or has no name', async () => {
  const found = (dn: string, attributes: Record<string, string[]>) =>
    afterBind(({ id }) => Buffer.concat([message(id, entry(dn, attributes)), message(id, searchDone(0))]));
  const search = { base: 'dc=x', filter: '(uid={user})', bindDn: 'cn=account' };
  const alias = found('uid=ali,dc=x', { objectClass: ['Alias', 'extensibleObject'], entryUUID: ['1'] });
  await expectRefusal(alias, 'credentials_refused', 'alias', { search });
  await expectRefusal(found('uid=x,dc=x', { entryUUID: [''] }), 'misconfigured', 'empty id', { search });
  for (const id of ['1\0', 'x'.repeat(1001)]) {
    await expectRefusal(found('uid=x,dc=x', { entryUUID: [id] }), 'answer_invalid', 'an id that is no key', { search });
  }
});

test('a success before SASL has asked is none', async () => {
  for (const authMethod of ['CRAM-MD5', 'DIGEST-MD5'] as const) {
    await expectRefusal(({ id }) => message(id, bindResult(0)), 'answer_invalid', authMethod, { authMethod });
    await expectRefusal(({ id }) => message(id, bindResult(14)), 'answer_invalid', authMethod, { authMethod });
    await expectRefusal(({ id }) => message(id, bindResult(7)), 'misconfigured', authMethod, { authMethod });
  }
});

test('challenges that no client may answer', async () => {
  const challenges = {
    'no nonce': 'realm="r",qop="auth",charset=utf-8,algorithm=md5-sess',
    'two nonces': 'nonce="a",nonce="b",algorithm=md5-sess',
    'a nonce with a quote': 'nonce="a\\"b c",algorithm=md5-sess',
    'no algorithm': 'nonce="a",qop="auth"',
    'another algorithm': 'nonce="a",algorithm=sha-256-sess',
    'two algorithms': 'nonce="a",algorithm=md5-sess,algorithm=md5-sess',
    'only layers': 'nonce="a",algorithm=md5-sess,qop="auth-int,auth-conf"',
    'an open quote': 'nonce="a,algorithm=md5-sess',
    'no directives': 'hello',
    'too long': `nonce="a",algorithm=md5-sess,realm="${'x'.repeat(2048)}"`,
    nothing: '',
  };
  for (const [label, challenge] of Object.entries(challenges)) {
    const lie: Lie = ({ id }) => message(id, bindResult(14, challenge));
    await expectRefusal(lie, 'answer_invalid', label, { authMethod: 'DIGEST-MD5' });
  }
});

test('a DIGEST-MD5 server that does not know the password proves nothing', async () => {
  const challenge = 'realm="r",nonce="n",qop="auth",charset=utf-8,algorithm=md5-sess';
  const proofs = [
    undefined,
    '',
    'rspauth=',
    `rspauth=${'0'.repeat(32)}`,
    `rspauth="${'0'.repeat(32)}"`,
    'x'.repeat(40),
  ];
  for (const code of [0, 14]) {
    for (const proof of proofs) {
      const lie: Lie = ({ id, count }) =>
        message(id, count === 1 ? bindResult(14, challenge) : bindResult(count === 2 ? code : 0, proof));
      await expectRefusal(lie, 'untrusted', `${code} ${proof}`, { authMethod: 'DIGEST-MD5' });
    }
  }
});

test('StartTLS: what somebody slips in before the handshake is no answer to what is asked under TLS', async () => {
  const made = { now: Date.now(), serial: randomBytes(16), hosts: ['localhost', '127.0.0.1'] };
  const authority = await makeAuthority({ ...made, commonName: 'lies' });
  const leaf = await makeLeaf({ ...made, authority, serial: randomBytes(16) });
  const directory =
    (slipped: Buffer): Lie =>
    ({ id, operation, socket, secure }) => {
      if (operation === 0x60) return message(id, bindResult(49));
      if (operation === 0x63) return Buffer.concat([message(id, alice()), message(id, searchDone(0))]);
      socket.write(Buffer.concat([message(id, result(0x78, 0)), slipped]));
      return void secure(leaf);
    };
  const changes = { startTls: true, caCertificates: authority.certificate };
  await expectRefusal(directory(Buffer.alloc(0)), 'credentials_refused', 'honest', changes);
  await expectRefusal(directory(message(2, bindResult(0))), 'untrusted', 'slipped in', changes);
});

test('StartTLS: something else than TLS, an end, and a refusal', async () => {
  const done = result(0x78, 0);
  const lies: Record<string, Lie> = {
    'no TLS': ({ id, socket, operation }) => {
      if (operation === 0x77) setTimeout(() => socket.write('not at all TLS, whatever this is'), 20);
      return message(id, done);
    },
    'an end': ({ id, socket }) => void socket.end(message(id, done)),
    'a refusal': ({ id }) => message(id, result(0x78, 2)),
  };
  for (const [label, lie] of Object.entries(lies)) await expectRefusal(lie, 'untrusted', label, { startTls: true });
});
