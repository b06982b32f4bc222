import { X509Certificate } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { element, elements } from './der.ts';

const sequence = 0x30;
const permittedSubtrees = 0xa0;
const dnsName = 0x82;
const ipAddress = 0x87;
const objectIdentifier = Buffer.from('551d1e', 'hex');

/** What a certificate authority may vouch for: names with all that lies under them, and single addresses in hex. */
export interface Permitted {
  names: readonly string[];
  addresses: readonly string[];
}

/**
 * The host of `host`, `host:port`, `[::1]` or `[::1]:port`: ASCII, lower case, no brackets.
 * Throws an `Error` for what is neither a DNS name nor an IP address.
 */
export function hostName(host: string): string {
  const bare = isIP(host) === 0 ? host.replace(/:\d+$/, '').replace(/^\[(.+)\]$/, '$1') : host;
  if (isIP(bare) !== 0) return bare.toLowerCase();
  const name = domainToASCII(bare).replace(/\.$/, '');
  if (name === '') throw new Error(`'${host}' is not the name of a host.`);
  return name;
}

/** The value of a nameConstraints extension (RFC 5280 4.2.1.10) that permits `hosts` (as `hostName` gives them) only. */
export function nameConstraints(hosts: readonly string[]): Buffer {
  const subtrees = hosts.map((host) => {
    if (isIP(host) === 0) return element(sequence, element(dnsName, Buffer.from(host, 'ascii')));
    const address = addressBytes(host);
    return element(sequence, element(ipAddress, address, Buffer.alloc(address.length, 0xff)));
  });
  return element(sequence, element(permittedSubtrees, ...subtrees));
}

/** What the nameConstraints of a certificate (PEM) permit; nothing when it has none. */
export function permittedBy(certificate: string): Permitted {
  const [whole] = elements(new X509Certificate(certificate).raw);
  const tbs = elements(whole!.content)[0]!;
  const extensions = elements(tbs.content).find(({ tag }) => tag === 0xa3);
  const all = extensions === undefined ? [] : elements(elements(extensions.content)[0]!.content);
  const names: string[] = [];
  const addresses: string[] = [];
  for (const extension of all) {
    const parts = elements(extension.content);
    if (!parts[0]!.content.equals(objectIdentifier)) continue;
    const [constraints] = elements(parts.at(-1)!.content);
    const permitted = elements(constraints!.content).find(({ tag }) => tag === permittedSubtrees);
    for (const subtree of elements(permitted?.content ?? Buffer.alloc(0))) {
      const base = elements(subtree.content)[0]!;
      if (base.tag === dnsName) names.push(base.content.toString('ascii'));
      if (base.tag === ipAddress) addresses.push(base.content.subarray(0, base.content.length / 2).toString('hex'));
    }
  }
  return { names, addresses };
}

/** Whether a certificate for `host` (as `hostName` gives it) lies within what is permitted. */
export function permits(permitted: Permitted, host: string): boolean {
  if (isIP(host) !== 0) return permitted.addresses.includes(addressBytes(host).toString('hex'));
  return permitted.names.some((name) => host === name || host.endsWith(`.${name}`));
}

/** 4 or 16 bytes. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // URL writes every spelling of an IPv6 address as hexadecimal groups with at most one `::`.
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [left, right] = [head, tail].map((groups) => (groups === '' ? [] : groups.split(':')));
  const zeros = Array<string>(8 - left!.length - right!.length).fill('0');
  return Buffer.from([...left!, ...zeros, ...right!].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
