import { Resolver } from 'node:dns/promises';

/** A query is repeated once. */
const QUERY_MS = 2_500;
const TRIES = 2;

/**
 * Finds the addresses of a name, IPv4 and IPv6.
 * @returns none if there are none.
 */
export type NameLookup = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/**
 * Asks the DNS servers of the machine. The resolver of the operating system is not asked: it would hold one of the few
 * threads of Node.js for as long as the name's servers like, and would read /etc/hosts.
 */
export const lookUpInDns: NameLookup = async (name, signal) => {
  const resolver = new Resolver({ timeout: QUERY_MS, tries: TRIES });
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    return found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};
