import { StartError } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { type Cipher, SealedValueError } from './cipher.js';
import { WorkerBoxes } from './worker-box.js';

const SCOPE = 'encryption check';
const CANARY = 'canary';

/**
 * Verifies before a worker starts that it can open the values stored in this Redis. The first worker stores a sealed
 * constant. Every other worker must be able to open it with one of its keys, and reseals it with its first key. No
 * session's data is ever changed. Then publishes the public key by which edges seal for workers.
 * @throws {StartError} if the constant was sealed with a key that the worker does not have.
 */
export async function verifyEncryptionKey(redis: RedisConnection, cipher: Cipher): Promise<void> {
  const scope = cipher.scope(SCOPE);
  const sealed = scope.seal(Buffer.from(CANARY), CANARY);
  await redis.set(keys.encryptionCanary, sealed, 'NX');
  const stored = await redis.getBuffer(keys.encryptionCanary);
  try {
    if (stored !== null && scope.open(stored, CANARY).toString() === CANARY) {
      if (!scope.isCurrent(stored)) await redis.set(keys.encryptionCanary, sealed);
      await redis.set(keys.workerBoxKey, new WorkerBoxes(cipher).publicKey);
      return;
    }
  } catch (error) {
    if (!(error instanceof SealedValueError)) throw error;
  }
  const mine = cipher.fingerprints.join(', ');
  throw new StartError(
    `ENCRYPTION_KEY (fingerprint ${mine}) is not the key that the sessions in this Redis are sealed with. Set the key that they were stored with, or use another Redis.`,
  );
}
