import type { Readiness } from '@wafleet/runtime';
import type { SharedWriteProbe } from '@wafleet/store';

/** Whether Redis takes writes; without them an edge can neither count nor pass commands on. Never rejects. */
export async function readinessOf(redis: SharedWriteProbe): Promise<Readiness> {
  const writes = await redis.ask();
  return writes.writable ? { ready: true } : { ready: false, reason: writes.reason };
}
