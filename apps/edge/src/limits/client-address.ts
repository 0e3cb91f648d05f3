import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';

/** Whether proxies may be named so. */
export function areProxies(names: readonly string[]): boolean {
  try {
    proxyAddr.compile([...names]);
    return true;
  } catch {
    return false;
  }
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
 * read from its end, where the nearest proxy wrote, up to the first address that is no trusted proxy's. What a client
 * has put in front of that counts for nothing.
 */
export class ClientAddresses {
  readonly #isTrusted: (address: string, hop: number) => boolean;

  /** @param proxies addresses, networks such as 10.0.0.0/8, `loopback`, `linklocal` or `uniquelocal`. */
  constructor(proxies: readonly string[]) {
    this.#isTrusted = proxies.length === 0 ? () => false : proxyAddr.compile([...proxies]);
  }

  /**
   * The network that a request comes from: an IPv4 address, or the first half of an IPv6 address, since whoever has
   * one of those has all that begin so.
   */
  of(request: IncomingMessage): string {
    const direct = request.socket.remoteAddress ?? '';
    const told = proxyAddr(request, this.#isTrusted);
    const address = isIP(told) === 0 ? direct : told;
    if (isIP(address) === 0) return 'unknown';
    const parsed = ipaddr.process(address);
    if (parsed.kind() === 'ipv4') return parsed.toString();
    return `${parsed.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`;
  }
}
