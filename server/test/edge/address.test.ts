import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientAddress, normalAddress, trustedProxies } from '../../src/http/edge/address.ts';

const trusted = trustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1']);
const from = (remoteAddress: string | undefined, forwardedFor?: string) =>
  clientAddress({ remoteAddress, forwardedFor, trusted });

test('an untrusted peer is itself, whatever its header says', () => {
  assert.equal(from('203.0.113.5', '1.1.1.1'), '203.0.113.5');
  assert.equal(from('11.0.0.1', '10.0.0.1'), '11.0.0.1');
  const nobody = trustedProxies([]);
  assert.equal(clientAddress({ remoteAddress: '10.0.0.1', forwardedFor: '1.1.1.1', trusted: nobody }), '10.0.0.1');
});

test('behind trusted proxies the right-most address that is not trusted counts', () => {
  assert.equal(from('10.0.0.1', '203.0.113.9'), '203.0.113.9');
  assert.equal(from('10.0.0.1', '6.6.6.6, 203.0.113.9,10.1.1.1 ,\t192.0.2.7'), '203.0.113.9');
  assert.equal(from('::1', '6.6.6.6,2001:DB8:0::1,fd00::2'), '2001:db8::1');
  assert.equal(from('10.0.0.1'), '10.0.0.1');
});

test('when all are trusted the furthest one counts', () => {
  assert.equal(from('10.0.0.1', '10.0.0.3,10.0.0.2'), '10.0.0.3');
});

test('a value that is not an IP address stops the walk at the last valid address', () => {
  const values = [
    'evil.example',
    'unknown',
    '',
    '_hidden',
    '010.0.0.1',
    '1.2.3',
    '1.2.3.4:x',
    '[::1',
    '1.2.3.4 5',
    '::g',
  ];
  for (const value of values) {
    assert.equal(from('10.0.0.1', `6.6.6.6, ${value}`), '10.0.0.1', value);
    assert.equal(from('10.0.0.1', `6.6.6.6, ${value}, 10.0.0.2`), '10.0.0.2', value);
  }
});

test('ports, brackets, zones and IPv4-mapped forms come off', () => {
  assert.equal(from('::ffff:10.0.0.1', '1.2.3.4:80'), '1.2.3.4');
  assert.equal(from('10.0.0.1', '[2001:db8::1]:443'), '2001:db8::1');
  assert.equal(from('10.0.0.1', '[2001:db8::1]'), '2001:db8::1');
  assert.equal(from('10.0.0.1', '::FFFF:102:304'), '1.2.3.4');
  assert.equal(from('10.0.0.1', 'fe80::1%eth0'), 'fe80::1');
  assert.equal(from('10.0.0.1', '7.7.7.7, ::ffff:10.9.9.9'), '7.7.7.7');
});

test('at most 32 entries are looked at', () => {
  assert.equal(from('10.0.0.1', `6.6.6.6${',10.0.0.2'.repeat(31)}`), '6.6.6.6');
  assert.equal(from('10.0.0.1', `6.6.6.6${',10.0.0.2'.repeat(32)}`), '10.0.0.2');
  assert.equal(from('10.0.0.1', `6.6.6.6${',10.0.0.2'.repeat(100_000)}`), '10.0.0.2');
});

test('a peer without an address is unknown, and never trusted', () => {
  assert.equal(from(undefined, '1.2.3.4'), 'unknown');
  assert.equal(from('', '1.2.3.4'), 'unknown');
});

test('whatever the header, the answer is an address in normal form, and one from the header or the peer', () => {
  const entry = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.2', 'x', ''), fc.string());
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 6 }), (entries) => {
      const address = from('10.0.0.1', entries.join(','));
      assert.equal(normalAddress(address), address);
    }),
    { numRuns: 500 },
  );
});

test('a range trusts exactly the addresses that share its prefix, in both families', () => {
  const bits = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const written = (bytes: Uint8Array) =>
    bytes.length === 4
      ? bytes.join('.')
      : Array.from({ length: 8 }, (_, at) =>
          Buffer.from(bytes)
            .readUInt16BE(at * 2)
            .toString(16),
        ).join(':');
  for (const length of [4, 16]) {
    const address = fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(address, fc.nat(length * 8), fc.nat(length * 8 - 1), (base, prefix, flipped) => {
        // An IPv4-mapped range is another matter, see below.
        fc.pre(length === 4 || base[0] !== 0);
        const other = base.slice();
        other[flipped >> 3]! ^= 0x80 >> (flipped & 7);
        const ranges = trustedProxies([`${written(base)}/${prefix}`]);
        assert.equal(ranges.has(normalAddress(written(base))!), true);
        assert.equal(
          ranges.has(normalAddress(written(other))!),
          bits(base).slice(0, prefix) === bits(other).slice(0, prefix),
        );
      }),
      { numRuns: 300 },
    );
  }
});

test('a range of one family says nothing about the other; an IPv4-mapped range means IPv4', () => {
  assert.equal(trustedProxies(['::/0']).has('10.0.0.1'), false);
  assert.equal(trustedProxies(['0.0.0.0/0']).has('2001:db8::1'), false);
  const mapped = trustedProxies(['::ffff:10.0.0.0/104']);
  assert.equal(mapped.has('10.200.0.1'), true);
  assert.equal(mapped.has('11.0.0.1'), false);
});

test('a wrong entry is named', () => {
  const wrong = [
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0/8',
    '::1/129',
    'fe80::1%eth0',
    '',
    ' ',
    '::ffff:10.0.0.0/8',
    '10.0.0.1/8/8',
    '*',
  ];
  for (const entry of wrong) {
    assert.throws(
      () => trustedProxies(['10.0.0.1', entry]),
      (error: Error) => error.message.startsWith(`"${entry}" `),
    );
  }
});
