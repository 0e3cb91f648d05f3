import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import type { AddressRules } from './address-rules.js';
import type { EgressProxy } from './egress-proxy.js';
import { ProxyError } from './proxy-error.js';

/**
 * The addresses of the proxy that may be connected to. What is checked here must be what is dialled: a second look-up
 * could give another address.
 * @throws {ProxyError} unreachable: there is no address, or none is allowed.
 */
async function checkedAddresses({ host }: EgressProxy, rules: AddressRules): Promise<LookupAddress[]> {
  const family = isIP(host);
  const found = family === 0 ? await lookup(host, { all: true }) : [{ address: host, family }];
  const allowed = found.filter(({ address }) => rules.allows(address));
  if (allowed.length === 0) throw new ProxyError('forbidden');
  return allowed;
}

interface LookupAddress {
  readonly address: string;
  readonly family: number;
}

/**
 * Connects to the proxy, at an address that the rules allow.
 * @param signal no connection is begun after it has aborted. One that was begun is in `opened` and must be destroyed.
 * @throws {ProxyError} unreachable.
 */
export async function dialProxy(
  proxy: EgressProxy,
  { rules, signal, opened }: { rules: AddressRules; signal: AbortSignal; opened: Socket[] },
): Promise<Socket> {
  try {
    const addresses = await checkedAddresses(proxy, rules);
    signal.throwIfAborted();
    const socket = connect({
      host: proxy.host,
      port: proxy.port,
      noDelay: true,
      autoSelectFamily: true,
      // Not called for an address, which was checked above.
      lookup: (_host, _options, found) => found(null, [...addresses]),
    });
    // It may fail at any time, also between two steps.
    socket.on('error', () => {});
    opened.push(socket);
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    throw error instanceof ProxyError ? error : new ProxyError('unreachable');
  }
}
