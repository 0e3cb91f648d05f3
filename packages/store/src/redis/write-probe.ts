import { withTimeout } from '@wafleet/runtime';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { refusalOf } from './redis-refusal.js';
import { asNumber } from './reply.js';
import { Script } from './script.js';

/** Whether Redis accepts writes, and if not, the reason in plain words. */
export type Writability = { readonly writable: true } | { readonly writable: false; readonly reason: string };

const KEPT_SECONDS = 60;
/** How long an answer is reused, since health checks may be frequent. */
const SHARED_MS = 1_000;

const probe = new Script('redis/write-probe', asNumber);

/**
 * Writes a small key and publishes, by a script. A PING would not suffice: a Redis that is read-only, out of memory or
 * without a disk answers it. A SET would not suffice either: it succeeds for a user that may not run scripts or
 * publish.
 * @throws the error that Redis answers, or a connection error.
 */
export async function writeProbe(redis: RedisConnection): Promise<void> {
  await probe.run(redis, [keys.writeProbe], [KEPT_SECONDS]);
}

/** Never rejects. If the answer takes longer than `withinMs`, Redis counts as not answering. */
export async function probeWrites(redis: RedisConnection, withinMs = 1_000): Promise<Writability> {
  try {
    const isAnswered = await withTimeout(writeProbe(redis), withinMs);
    return isAnswered ? { writable: true } : { writable: false, reason: 'Redis does not answer' };
  } catch (error) {
    return { writable: false, reason: refusalOf(error) ?? 'Redis is out of reach' };
  }
}

/** `probeWrites` for health checks: at most one write a second, regardless of the number of callers. */
export class SharedWriteProbe {
  readonly #redis: RedisConnection;
  #latest: Promise<Writability> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Never rejects. The answer is at most two seconds old. */
  ask(): Promise<Writability> {
    const now = performance.now();
    if (this.#latest === undefined || now - this.#askedAt > SHARED_MS) {
      this.#askedAt = now;
      this.#latest = probeWrites(this.#redis);
    }
    return this.#latest;
  }
}
