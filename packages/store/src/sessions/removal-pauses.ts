import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { FencedScript } from '../redis/script.js';
import type { Fence } from '../redis/session-ref.js';

/** Each attempt is a login, and WhatsApp counts logins against the account. About eight attempts fit into an hour. */
const PAUSE_MS = { first: 30_000, longest: 15 * 60_000 };

/** How often the removal of a session has failed, and when it may be tried again, ms since 1970. */
export interface DeferredRemoval {
  readonly attempts: number;
  readonly nextAt: number;
}

const deferRemovalScript = new FencedScript(
  'sessions/defer-removal',
  (reply): DeferredRemoval | undefined => {
    const [attempts, nextAt] = asList(reply);
    return attempts === undefined ? undefined : { attempts: asNumber(attempts), nextAt: asNumber(nextAt) };
  },
);

/**
 * Postpones the next attempt to remove a session by 30 s, and by twice as much after each further attempt, up to 15
 * minutes, but never beyond its `removeBy`. The number of attempts is stored with the session, so that another worker
 * continues from there. Returns undefined if the session is no longer to be removed.
 * @throws {FencedError}
 */
export function deferRemoval(redis: RedisConnection, fence: Fence): Promise<DeferredRemoval | undefined> {
  const { first, longest } = PAUSE_MS;
  return deferRemovalScript.run(redis, keys.owner(fence), fence, [keys.session(fence)], [first, longest]);
}
