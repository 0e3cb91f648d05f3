import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import { StartError } from '@wafleet/runtime';

/** Addresses that the internet does not route: RFC 1918, RFC 6598 and RFC 4193. */
const privateAddresses = new BlockList();
privateAddresses.addSubnet('10.0.0.0', 8, 'ipv4');
privateAddresses.addSubnet('172.16.0.0', 12, 'ipv4');
privateAddresses.addSubnet('192.168.0.0', 16, 'ipv4');
privateAddresses.addSubnet('100.64.0.0', 10, 'ipv4');
privateAddresses.addSubnet('fc00::', 7, 'ipv6');

interface Address {
  readonly address: string;
  readonly family: string;
}

/**
 * The address that the environment variable PEER_HOST means: the address itself, or for `auto` the first private
 * address of this machine, IPv4 before IPv6. Never an address that the internet reaches.
 * @throws {StartError} if there is none.
 */
export function peerHost(
  text: string,
  addresses: readonly Address[] = Object.values(networkInterfaces()).flatMap((each) => each ?? []),
): string {
  if (text !== 'auto') return text;
  const found = ['IPv4', 'IPv6']
    .flatMap((wanted) => addresses.filter(({ family }) => family === wanted))
    .find(({ address, family }) => privateAddresses.check(address, family === 'IPv4' ? 'ipv4' : 'ipv6'));
  if (found === undefined)
    throw new StartError('PEER_HOST is auto, and this machine has no private address; give it one.');
  return found.address;
}
