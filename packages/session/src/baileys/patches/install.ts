import { tellRemovals } from './app-state-removals.js';
import { boundSignalRecords } from './bounded-records.js';
import { undoFailedDecryptions } from './failed-decryptions.js';
import { scopeSignalQueues } from './libsignal-queue.js';
import { useNativeCurve } from './native-curve.js';
import { useSmallBufferPool } from './small-buffer-pool.js';

let isPrepared = false;

/**
 * Patches the libraries under Baileys for a process with many sessions. The patches apply to every session of the
 * process. Call it before or after Baileys is loaded: the patched functions are looked up at each call.
 * @throws {Error} if the libraries are not those of the Baileys release that this was written for.
 */
export function installPatches(): void {
  if (isPrepared) return;
  useSmallBufferPool();
  useNativeCurve();
  scopeSignalQueues();
  tellRemovals();
  undoFailedDecryptions();
  boundSignalRecords();
  isPrepared = true;
}
