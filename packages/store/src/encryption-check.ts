import { StartError } from '@wafleet/runtime';
import { type Cipher, SealedValueError } from './cipher.js';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';

const SCOPE = 'encryption check';
const CANARY = 'canary';

/**
 * Makes sure before a worker starts that its key opens what is stored in this Redis. The first worker leaves a
 * sealed constant; the others must be able to open it. Nothing stored is ever changed.
 * @throws {StartError} when the key is another one.
 */
export async function verifyEncryptionKey(redis: RedisConnection, cipher: Cipher): Promise<void> {
  const scope = cipher.scope(SCOPE);
  await redis.set(keys.encryptionCanary, scope.seal(Buffer.from(CANARY), CANARY), 'NX');
  const stored = await redis.getBuffer(keys.encryptionCanary);
  try {
    if (stored !== null && scope.open(stored, CANARY).toString() === CANARY) return;
  } catch (error) {
    if (!(error instanceof SealedValueError)) throw error;
  }
  throw new StartError(
    `ENCRYPTION_KEY (fingerprint ${cipher.fingerprint}) is not the key that this Redis' sessions were stored with; set the right one, or use another Redis.`,
  );
}
