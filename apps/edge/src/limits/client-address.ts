import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';

/** A network that begins with fewer bits than that is a good part of the internet: the proxies are not in there. */
const MIN_PREFIX = { ipv4: 8, ipv6: 7 } as const;
/** Networks of a prefix this long or longer are believed to have proxies only. */
const NARROW_PREFIX = { ipv4: 16, ipv6: 48 } as const;

/** Whether proxies may be named so: a network must not be so wide that in truth it stands for everyone. */
export function areProxies(names: readonly string[]): boolean {
  try {
    proxyAddr.compile([...names]);
    return names.every((name) => !isWiderThan(name, MIN_PREFIX));
  } catch {
    return false;
  }
}

/** Those of the proxies that are whole networks, in which clients may be as well. */
export function wideNetworks(names: readonly string[]): string[] {
  return names.filter((name) => name === 'uniquelocal' || isWiderThan(name, NARROW_PREFIX));
}

function isWiderThan(name: string, prefixes: Record<'ipv4' | 'ipv6', number>): boolean {
  const [address = '', mask] = name.split('/');
  if (mask === undefined || !ipaddr.isValid(address)) return false;
  const bits = mask.includes('.')
    ? (ipaddr.IPv4.parse(mask).prefixLengthFromSubnetMask() ?? 0)
    : Number(mask);
  return bits < prefixes[ipaddr.parse(address).kind()];
}

/** Reads the environment variable TRUSTED_PROXIES: addresses separated by commas. */
export function parseProxies(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * Where requests come from. `X-Forwarded-For` is believed only as far as proxies that are trusted have written it: it is
 * read from its end, where the nearest proxy wrote, up to the first address that is not one of a trusted proxy, and
 * across as many proxies as there are, not more. What a client has put in front of that counts for nothing, even if the
 * client has an address that proxies may have.
 */
export class ClientAddresses {
  /** A connection that was reset has no address. */
  readonly #isTrusted: (address: string | undefined, hop: number) => boolean;

  /**
   * @param proxies addresses, networks such as 10.0.0.0/8, `loopback`, `linklocal` or `uniquelocal`.
   * @param hops how many proxies stand between a client and this edge, one behind the other.
   */
  constructor(proxies: readonly string[], hops = 1) {
    const isProxy = proxies.length === 0 ? () => false : proxyAddr.compile([...proxies]);
    this.#isTrusted = (address = '', hop) => hop < hops && isProxy(withoutZone(address), hop);
  }

  /**
   * The network that a request comes from: an IPv4 address, or the first half of an IPv6 address, since whoever has
   * one of those has all that begin so.
   */
  of(request: IncomingMessage): string {
    const told = proxyAddr(request, this.#isTrusted);
    return networkOf(isIP(told) === 0 ? (request.socket.remoteAddress ?? '') : told);
  }

  /** The network that a connection comes from; undefined when that is a trusted proxy, which carries other people's. */
  ofConnection({ remoteAddress = '' }: Socket): string | undefined {
    return this.#isTrusted(remoteAddress, 0) ? undefined : networkOf(remoteAddress);
  }
}

/**
 * `fe80::1` of `fe80::1%eth0.100`. Node.js takes zones for valid that ipaddr.js throws at, such as those of a VLAN or a
 * bridge, and a header can have any zone.
 */
function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

function networkOf(address: string): string {
  if (isIP(address) === 0) return 'unknown';
  const parsed = ipaddr.process(withoutZone(address));
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${parsed.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`;
}
