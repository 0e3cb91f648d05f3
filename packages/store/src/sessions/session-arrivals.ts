import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { Fence } from '../redis/session-ref.js';

/** How many sessions one script notes, so that it does not block Redis for long. */
const NOTED_AT_ONCE = 100;

/** When WhatsApp last delivered something to a session, ms since 1970. */
export interface Arrival {
  readonly fence: Fence;
  readonly lastStanzaAt: number;
  /** 0 if no message has arrived yet. */
  readonly lastMessageAt: number;
}

const noteArrivalsScript = new Script('sessions/note-arrivals', asNumber);

/**
 * Notes arrivals in the directory, in one command for a hundred sessions of a tenant. Sessions that another worker owns
 * are left unchanged. Returns how many were noted.
 */
export async function noteArrivals(redis: RedisConnection, arrivals: readonly Arrival[]): Promise<number> {
  const byTenant = new Map<string, Arrival[]>();
  for (const arrival of arrivals) {
    const { tenantId } = arrival.fence;
    const all = byTenant.get(tenantId);
    if (all === undefined) byTenant.set(tenantId, [arrival]);
    else all.push(arrival);
  }
  const batches = [...byTenant.values()].flatMap((all) =>
    Array.from({ length: Math.ceil(all.length / NOTED_AT_ONCE) }, (_, index) =>
      all.slice(index * NOTED_AT_ONCE, (index + 1) * NOTED_AT_ONCE),
    ),
  );
  const noted = await Promise.all(
    batches.map((batch) =>
      noteArrivalsScript.run(
        redis,
        batch.flatMap(({ fence }) => [keys.owner(fence), keys.session(fence)]),
        batch.flatMap(({ fence: { epoch, worker }, lastStanzaAt, lastMessageAt }) => [
          epoch,
          worker,
          lastStanzaAt,
          lastMessageAt === 0 ? '' : lastMessageAt,
        ]),
      ),
    ),
  );
  return noted.reduce((sum, count) => sum + count, 0);
}
