import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { AddressRules } from '../address-rules.js';
import type { NameLookup } from './name-lookup.js';
import { PublicHttpError } from './public-http-error.js';
import { hostOf, portOf } from './public-url.js';

/** A name may have any number of addresses; the first eight are tried. */
const MAX_ADDRESSES = 8;
/** The name of the own machine and those below it, which no DNS server is asked for (RFC 6761, 6.3). */
const OWN_NAME = /(^|\.)localhost\.?$/;
const OWN_ADDRESSES = ['127.0.0.1', '::1'];

export interface DialOptions {
  readonly rules: AddressRules;
  readonly lookup: NameLookup;
  /** Certificate authorities to trust in place of Node.js' own, in PEM. */
  readonly ca: string | undefined;
  /** Gives the connection up. */
  readonly signal: AbortSignal;
}

/**
 * Connects to the server of a URL at one of its addresses that the rules allow. The name is resolved once: what is checked
 * is what is dialled. With https the server has proved that it is of that name. Nothing stays open after an error.
 * @throws {PublicHttpError} address-refused, unresolvable, unreachable or no-tls; the reason of the signal if that aborts.
 */
export async function dialPublic(url: URL, options: DialOptions): Promise<Socket> {
  const { signal } = options;
  const addresses = await allowedAddresses(hostOf(url), options);
  const socket = openSocket(url, addresses, options.ca);
  // It may fail at any time, also between two steps.
  socket.on('error', () => {});
  let isConnected = false;
  socket.once('connect', () => {
    isConnected = true;
  });
  const giveUp = () => socket.destroy();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await once(socket, url.protocol === 'https:' ? 'secureConnect' : 'connect', { signal });
    return socket;
  } catch {
    socket.destroy();
    signal.throwIfAborted();
    throw new PublicHttpError(isConnected ? 'no-tls' : 'unreachable');
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

async function allowedAddresses(
  host: string,
  { rules, lookup, signal }: DialOptions,
): Promise<readonly string[]> {
  const found = await addressesOf(host, lookup, signal);
  signal.throwIfAborted();
  if (found.length === 0) throw new PublicHttpError('unresolvable');
  const allowed = found.filter((address) => rules.allows(address)).slice(0, MAX_ADDRESSES);
  if (allowed.length === 0) throw new PublicHttpError('address-refused');
  return allowed;
}

async function addressesOf(
  host: string,
  lookup: NameLookup,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  if (OWN_NAME.test(host)) return OWN_ADDRESSES;
  try {
    return await lookup(host, signal);
  } catch {
    return [];
  }
}

function openSocket(url: URL, addresses: readonly string[], ca: string | undefined): Socket {
  const host = hostOf(url);
  const target = {
    host,
    port: portOf(url),
    noDelay: true,
    autoSelectFamily: true,
    // Not called for an address, which was checked before.
    lookup: (_host: string, _options: object, found: FoundAddresses) =>
      found(
        null,
        addresses.map((address) => ({ address, family: isIP(address) })),
      ),
  };
  if (url.protocol !== 'https:') return connect(target);
  // An address is not sent as a server's name (RFC 6066, 3), and is checked all the same.
  const servername = isIP(host) === 0 ? host : '';
  // A variable of the environment can turn the check of certificates off where this is not given.
  return connectTls({ ...target, servername, ca, rejectUnauthorized: true, ALPNProtocols: ['http/1.1'] });
}

type FoundAddresses = (error: null, addresses: { address: string; family: number }[]) => void;
