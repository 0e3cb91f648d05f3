import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';
import { isWrongType } from '../redis/unreadable-records.js';
import { dueMember, keysOf } from './job-keys.js';

const forgetScript = new Script('jobs/forget-jobs', asNumber);

/** How many jobs one step looks at. */
const LOOK_AT_ONCE = 200;

/**
 * Deletes the jobs of a session that was removed, with all of their messages and results. One that runs at an edge stops
 * at its next step. No job is stored for a session that does not exist, so none is missed. Those that cannot be found,
 * because the index is damaged, end when an edge looks at them, and expire.
 */
export async function forgetJobsOf(
  redis: RedisConnection,
  { tenantId, sessionId }: SessionRef,
): Promise<void> {
  const order = keys.jobs(tenantId);
  const all = await redis.zrange(order, 0, '-1').catch((error: unknown): string[] => {
    if (isWrongType(error)) return [];
    throw error;
  });
  for (let from = 0; from < all.length; from += LOOK_AT_ONCE) {
    const ids = all.slice(from, from + LOOK_AT_ONCE);
    const sessions = await Promise.all(
      ids.map((jobId) => redis.hget(keys.jobRecord(tenantId, jobId), 'session').catch(() => null)),
    );
    const doomed = ids.filter((_, index) => sessions[index] === sessionId);
    if (doomed.length > 0) await forgetJobs(redis, tenantId, doomed);
  }
}

async function forgetJobs(
  redis: RedisConnection,
  tenantId: string,
  jobIds: readonly string[],
): Promise<void> {
  await forgetScript.run(
    redis,
    [
      ...[keys.jobsActive(tenantId), keys.jobsEnded(tenantId), keys.jobs(tenantId), keys.jobSizes(tenantId)],
      ...jobIds.flatMap((jobId) => keysOf({ tenantId, jobId }).slice(0, 3)),
    ],
    jobIds,
  );
  await redis.zrem(keys.jobsDue, ...jobIds.map((jobId) => dueMember({ tenantId, jobId })));
}
