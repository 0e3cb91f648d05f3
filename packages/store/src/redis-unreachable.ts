/** What ioredis says of a command that could not be sent or got no answer. */
const CLIENT_GAVE_UP =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Socket timeout|Reached the max retries|connect E|read E|write E|getaddrinfo E)/;

/** What a Redis says that is there but cannot serve for the moment: starting, failing over, out of memory or disk. */
const REDIS_NOT_READY = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|OOM|MISCONF) /;

/** Whether a command failed because Redis is out of reach or not ready, so that trying again later may help. */
export function isRedisUnreachable(error: unknown): boolean {
  return (
    error instanceof Error && (CLIENT_GAVE_UP.test(error.message) || REDIS_NOT_READY.test(error.message))
  );
}
