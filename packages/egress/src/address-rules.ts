import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/**
 * Never connected to, whatever is allowed: link-local addresses, where clouds have their metadata, addresses that stand
 * for many or for none, and IPv6 addresses that stand for an IPv4 address, since they would avoid its rule.
 */
const NEVER: ReadonlySet<string> = new Set([
  'linkLocal',
  'multicast',
  'broadcast',
  'unspecified',
  'ipv4Mapped',
  'rfc6145',
  'rfc6052',
  '6to4',
  'teredo',
]);

/** Services of clouds for their own machines that are not link-local: AWS, Google, Alibaba, Oracle, Azure. */
const METADATA = new Set(
  ['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '192.0.0.192', '168.63.129.16'].map((address) =>
    ipaddr.parse(address).toString(),
  ),
);

/** The only IPv6 addresses that are given to anybody for use in the Internet (RFC 4291, 2.4). */
const PUBLIC_IPV6: Network = ipaddr.parseCIDR('2000::/3');
/** They stand for IPv4 addresses (RFC 4291, 2.5.5.1). The address of the own machine is one of them. */
const IPV4_COMPATIBLE: Network = ipaddr.parseCIDR('::/96');

/**
 * Which addresses are connected to for tenants: those of their proxies, and of the servers whose files and pages they
 * name. Without a rule a tenant could have the cluster connect to its own network. Public addresses are allowed, and
 * the networks that the operator allows in addition.
 */
export class AddressRules {
  readonly #networks: readonly Network[];

  private constructor(networks: readonly Network[]) {
    this.#networks = networks;
  }

  /**
   * @param text the networks that are allowed in addition, such as `10.3.0.0/16,192.168.7.9`; may be empty.
   * @throws {TypeError} if one is not an address or a network.
   */
  static parse(text: string): AddressRules {
    const names = text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    return new AddressRules(names.map(networkOf));
  }

  /** Whether `parse` takes the text. */
  static canParse(text: string): boolean {
    try {
      AddressRules.parse(text);
      return true;
    } catch {
      return false;
    }
  }

  /** @param address an IPv4 or IPv6 address. */
  allows(address: string): boolean {
    if (isIP(address) === 0 || address.includes('%')) return false;
    const parsed = ipaddr.parse(address);
    const range = parsed.range();
    if (NEVER.has(range) || METADATA.has(parsed.toString())) return false;
    if (range !== 'loopback' && isIn(parsed, IPV4_COMPATIBLE)) return false;
    const isPublic = range === 'unicast' && (parsed.kind() === 'ipv4' || isIn(parsed, PUBLIC_IPV6));
    return isPublic || this.#networks.some((network) => isIn(parsed, network));
  }
}

function networkOf(name: string): Network {
  const [address = ''] = name.split('/');
  if (isIP(address) === 0 || address.includes('%') || (address !== name && !ipaddr.isValidCIDR(name))) {
    throw new TypeError(`not an address or a network: ${name}`);
  }
  if (address !== name) return ipaddr.parseCIDR(name);
  const parsed = ipaddr.parse(name);
  return [parsed, parsed.kind() === 'ipv4' ? 32 : 128];
}

function isIn(address: Address, [network, bits]: Network): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
