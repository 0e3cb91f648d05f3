import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';

/** Minimum length of a prefix. A wider network is a good part of the internet, and does not stand for proxies. */
const MIN_PREFIX = { ipv4: 8, ipv6: 7 } as const;
/** Networks with a prefix this long or longer are believed to contain proxies only. */
const NARROW_PREFIX = { ipv4: 16, ipv6: 48 } as const;

/** Whether proxies may be named like this. A network must not be so wide that it stands for everyone. */
export function areProxies(names: readonly string[]): boolean {
  try {
    proxyAddr.compile([...names]);
    return names.every((name) => !isWiderThan(name, MIN_PREFIX));
  } catch {
    return false;
  }
}

/** The proxies that are whole networks, which may contain clients as well. */
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
 * Determines where requests come from. `X-Forwarded-For` is believed only as far as trusted proxies have written it. It
 * is read from its end, where the nearest proxy wrote, up to the first address that is not one of a trusted proxy, and
 * across at most as many proxies as there are. What a client has put in front of that counts for nothing, even if the
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
   * The network that a request comes from: an IPv4 address, or the first half of an IPv6 address, since the holder of
   * one IPv6 address has all that begin with the same half.
   */
  of(request: IncomingMessage): string {
    const claimed = proxyAddr(request, this.#isTrusted);
    return networkOf(isIP(claimed) === 0 ? (request.socket.remoteAddress ?? '') : claimed);
  }

  /**
   * The network that a connection comes from. Returns undefined for a trusted proxy, which carries requests of others.
   */
  ofConnection({ remoteAddress = '' }: Socket): string | undefined {
    return this.#isTrusted(remoteAddress, 0) ? undefined : networkOf(remoteAddress);
  }
}

/**
 * Removes the zone: `fe80::1%eth0.100` becomes `fe80::1`. Node.js accepts zones on which ipaddr.js throws, such as
 * those of a VLAN or a bridge, and a header can have any zone.
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
