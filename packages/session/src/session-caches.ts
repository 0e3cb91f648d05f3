import { BoundedCache } from './bounded-cache.js';
import type { ConnectionOptions } from './connection.js';

const MINUTE_MS = 60_000;

/** The caches that Baileys keeps for a session, with the lives it gives them by itself, and bounded. */
export function sessionCaches(): ConnectionOptions['caches'] {
  return {
    messageRetries: new BoundedCache({ maxEntries: 500, lifeMs: 60 * MINUTE_MS }),
    userDevices: new BoundedCache({ maxEntries: 500, lifeMs: 5 * MINUTE_MS }),
    callOffers: new BoundedCache({ maxEntries: 50, lifeMs: 5 * MINUTE_MS }),
    placeholderResends: new BoundedCache({ maxEntries: 500, lifeMs: 60 * MINUTE_MS }),
  };
}
