import type { RedisConnection } from '@wafleet/store';
import type { Worker } from 'bullmq';

/**
 * Takes no further job, and resolves when the running ones are done. While Redis is out of reach they cannot finish: it
 * then resolves at once, and another worker finds the stalled jobs and serves them again.
 */
export function closeWorker(worker: Worker, connection: RedisConnection): Promise<void> {
  return worker.close(connection.status !== 'ready');
}
