import type { RedisConnection } from '@wafleet/store';
import type { Worker } from 'bullmq';

/**
 * Takes no further job, and resolves when those at work are done. While Redis is out of reach they cannot be: then
 * it resolves at once, and what they were about is served again by whoever finds it stalled.
 */
export function closeWorker(worker: Worker, connection: RedisConnection): Promise<void> {
  return worker.close(connection.status !== 'ready');
}
