import { refusalOf } from './redis-refusal.js';

/** The error texts of ioredis for a command that could not be sent or got no answer. */
const CLIENT_GAVE_UP =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Socket timeout|Reached the max retries|connect E|read E|write E|getaddrinfo E)/;

/**
 * Whether a command failed because Redis is out of reach, is not ready, or refuses this process. A later retry may
 * help.
 */
export function isRedisUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return CLIENT_GAVE_UP.test(error.message) || refusalOf(error) !== undefined;
}
