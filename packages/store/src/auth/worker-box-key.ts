import { WafleetError } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';

/** When a caller may try again for which no worker has published its key, ms. Workers start within seconds. */
const RETRY_MS = 5_000;

/** The public key by which edges seal for workers. @throws {WafleetError} UNAVAILABLE if no worker has started yet. */
export async function readWorkerBoxKey(redis: RedisConnection): Promise<Buffer> {
  const key = await redis.getBuffer(keys.workerBoxKey);
  if (key !== null) return key;
  const message = 'No worker of this release has started yet.';
  throw new WafleetError('UNAVAILABLE', message, { retryAfterMs: RETRY_MS });
}
