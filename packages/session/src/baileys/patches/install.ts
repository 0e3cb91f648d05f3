import { tellRemovals } from './app-state-removals.js';
import { boundSignalRecords } from './bounded-records.js';
import { undoFailedDecryptions } from './failed-decryptions.js';
import { scopeSignalQueues } from './libsignal-queue.js';
import { useNativeCurve } from './native-curve.js';
import { useSmallBufferPool } from './small-buffer-pool.js';

let isPrepared = false;

/**
 * Makes the libraries under Baileys fit for a process with many sessions. It holds for every session of the process
 * and may come before or after Baileys is loaded, since both libraries are looked up when they are called.
 * @throws {Error} when the libraries are not those of the release of Baileys that this was written for.
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
