import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '@wafleet/store';
import type { Worker } from 'bullmq';

/** What BullMQ parses of a job, and what its scripts count up. */
const JSON_FIELDS = ['data', 'opts', 'stacktrace', 'returnvalue', 'parent'] as const;
const COUNT_FIELDS = ['ats', 'atm', 'stc'] as const;
/** The id that keeps other jobs from being added, and the key of it. */
const DEDUPLICATION = { field: 'deid', key: 'de' } as const;

/**
 * Drops the jobs that a worker has taken and cannot read, because they are damaged or from another release, and logs
 * their names. BullMQ fails to take such a job, leaves it among those at work, and takes it again and again. The next
 * sweep finds what is to be done.
 * @returns how many were dropped.
 */
export async function dropDamagedJobs(
  worker: Worker,
  { connection, logger }: { connection: RedisConnection; logger: Logger },
): Promise<number> {
  const active = worker.toKey('active');
  let dropped = 0;
  for (const jobId of new Set(await connection.lrange(active, 0, -1))) {
    const key = worker.toKey(jobId);
    const isHash = (await connection.type(key)) === 'hash';
    const fields = isHash ? await connection.hgetall(key) : undefined;
    if (fields === undefined ? (await connection.exists(key)) === 0 : isReadable(fields)) continue;
    const removed = await connection.lrem(active, 0, jobId);
    if (removed === 0) continue;
    await connection.del(key, `${key}:lock`);
    for await (const keptOut of deduplicationKeys(worker, connection, fields?.[DEDUPLICATION.field])) {
      if ((await connection.get(keptOut)) === jobId) await connection.del(keptOut);
    }
    logger.error({ kind: 'job', name: jobId, queue: worker.name }, 'a stored record cannot be read');
    dropped += 1;
  }
  return dropped;
}

/** The key of the job's deduplication id; all such keys of the queue if the job does not name its own. */
async function* deduplicationKeys(
  worker: Worker,
  connection: RedisConnection,
  id: string | undefined,
): AsyncGenerator<string> {
  if (id !== undefined) {
    yield worker.toKey(`${DEDUPLICATION.key}:${id}`);
    return;
  }
  const pages: AsyncIterable<string[]> = connection.scanStream({
    match: worker.toKey(`${DEDUPLICATION.key}:*`),
  });
  for await (const page of pages) yield* page;
}

function isReadable(fields: Readonly<Record<string, string>>): boolean {
  const isCounted = COUNT_FIELDS.every((name) => /^\d+$/.test(fields[name] ?? '0'));
  return isCounted && JSON_FIELDS.every((name) => isJson(fields[name] ?? 'null'));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
