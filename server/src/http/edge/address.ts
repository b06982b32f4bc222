import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';

/** More hops than any real chain has; it bounds the work a long header can ask for. */
const maxHops = 32;

/** The proxies whose `X-Forwarded-For` counts. */
export interface TrustedProxies {
  /** Whether the address, in the form `normalAddress` gives, is a trusted proxy's. */
  has(address: string): boolean;
}

export interface Peer {
  /** The socket's peer; undefined when it has gone or is not an IP socket. */
  remoteAddress: string | undefined;
  /** The `X-Forwarded-For` header; Node joins several with a comma, in their order. */
  forwardedFor: string | undefined;
  trusted: TrustedProxies;
}

/**
 * The address a request counts for, in one normal form per address; `unknown` when the peer has none.
 *
 * The header counts only when the direct peer is trusted. Then each entry, from the right, was written by the hop before
 * it, so the first one that is not trusted is the client; what is left of it may be invented. An entry that is not an IP
 * address ends the walk at the last valid one, and so does the 32nd. Nothing is ever resolved.
 */
export function clientAddress({ remoteAddress, forwardedFor, trusted }: Peer): string {
  let address = remoteAddress === undefined ? undefined : normalAddress(remoteAddress);
  if (address === undefined) return 'unknown';
  if (forwardedFor === undefined) return address;
  let end = forwardedFor.length;
  for (let hop = 0; hop < maxHops && end >= 0 && trusted.has(address); hop += 1) {
    const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1);
    const next = normalAddress(withoutPort(forwardedFor.slice(comma + 1, end).trim()));
    if (next === undefined) break;
    address = next;
    end = comma;
  }
  return address;
}

/**
 * Reads the setting: IP addresses and CIDR ranges (RFC 4632 §3.1, RFC 4291 §2.3). An IPv4-mapped range means the IPv4
 * range. Throws an `Error` that names the first wrong entry.
 */
export function trustedProxies(list: readonly string[]): TrustedProxies {
  // A list per family: in one shared list `::/0` would cover every IPv4 address too.
  const ranges = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const entry of list) {
    const { address, prefix } = range(entry);
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    ranges[family].addSubnet(address, prefix, family);
  }
  if (list.length === 0) return { has: () => false };
  return {
    has(address) {
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      return ranges[family].check(address, family);
    },
  };
}

/**
 * One form for each address: IPv4-mapped IPv6 becomes IPv4, IPv6 the short lower-case form of RFC 5952, and a zone id
 * (`%eth0`) goes. Undefined when the text is not an IP address.
 */
export function normalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const mapped = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : '';
  return isIPv4(mapped) ? mapped : address;
}

/** Takes the port off `1.2.3.4:80`, `[::1]:80` and `[::1]`; anything else stays as it is. */
function withoutPort(text: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(text) ?? [];
  return bracketed ?? plain ?? text;
}

function range(entry: string): { address: string; prefix: number } {
  const wrong = () => new Error(`"${entry}" is not an IP address or a CIDR range like 10.0.0.0/8 or fd00::/8.`);
  const [, written = '', bits] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(entry) ?? [];
  const address = normalAddress(written);
  if (address === undefined) throw wrong();
  const most = isIPv4(written) ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (prefix > most) throw wrong();
  if (!isIPv4(address) || isIPv4(written)) return { address, prefix };
  // The first 96 bits of an IPv4-mapped address say only that it is one.
  if (prefix < 96) throw wrong();
  return { address, prefix: prefix - 96 };
}
