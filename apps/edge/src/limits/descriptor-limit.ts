import { readFileSync } from 'node:fs';

/** Assumed if the system does not report its limit. */
const UNKNOWN = 4_096;
const MIN_RESERVE = 64;

/** How many connections an edge takes, so that descriptors remain for everything else. */
export interface ConnectionBudget {
  /** Connections of clients. */
  readonly clients: number;
  /** Connections of other edges. */
  readonly peers: number;
}

/** How many files and connections this process may have open at a time. */
function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? UNKNOWN : Number(soft);
  } catch {
    return UNKNOWN;
  }
}

/**
 * Divides the descriptors. An eighth, and at least 64, is kept for Redis, files, media hosts and connections that are
 * being refused. Clients get six tenths of the rest. What remains is for other edges, on whose behalf this edge may
 * need two descriptors for a client.
 * @param wanted how many clients the operator asks for; 0 for as many as there is room for.
 */
export function connectionBudget(wanted: number, limit = descriptorLimit()): ConnectionBudget {
  const free = Math.max(limit - Math.max(MIN_RESERVE, Math.floor(limit / 8)), 10);
  const fitting = Math.floor(free * 0.6);
  return { clients: wanted === 0 ? fitting : Math.min(wanted, fitting), peers: Math.floor(free * 0.3) };
}
