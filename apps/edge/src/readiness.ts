import type { Readiness } from '@wafleet/runtime';
import { lacksChannels, type RedisConnection, type SharedWriteProbe } from '@wafleet/store';

/**
 * Checks that Redis takes writes and delivers what others publish. Without writes an edge can neither count nor pass
 * commands on. Never rejects.
 */
export async function readinessOf(
  redis: SharedWriteProbe,
  subscribers: readonly RedisConnection[],
): Promise<Readiness> {
  const writes = await redis.ask();
  if (!writes.writable) return { ready: false, reason: writes.reason };
  if (!subscribers.some(lacksChannels)) return { ready: true };
  return { ready: false, reason: 'Redis does not let this edge subscribe to its channels' };
}
