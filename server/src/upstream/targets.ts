/** Where requests of this server may go. */
import { BlockList, isIP } from 'node:net';

const listOf = (...ranges: readonly (readonly [network: string, prefix: number])[]): BlockList => {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, network.includes(':') ? 'ipv6' : 'ipv4');
  return list;
};

/** Loopback, private and shared networks (RFC 1918, RFC 4193, RFC 6598): reached when a setting allows it. */
const privateRanges = listOf(
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
);

/**
 * Nobody's address to be told anything at, whatever is set: this network, link-local (where clouds keep their machines'
 * credentials), protocol assignments, documentation, benchmarks, relays, multicast, reserved (RFC 6890).
 */
const closedRanges = listOf(
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
);

/** Of IPv6 nothing else is on the internet; so no form that holds an IPv4 address gets through. */
const globalUnicast = listOf(['2000::', 3]);

/** Whether a request may go to this address. */
export function isAllowedAddress(address: string, { privateTargets }: { privateTargets: boolean }): boolean {
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return false;
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  if (privateRanges.check(address, kind) && !isMapped(address)) return privateTargets;
  if (closedRanges.check(address, kind)) return false;
  return kind === 'ipv4' || globalUnicast.check(address, 'ipv6');
}

/** An IPv4 address in IPv6's clothes is one more way to write it. */
const isMapped = (address: string): boolean => /^::.*\.|^::ffff:/i.test(address);
