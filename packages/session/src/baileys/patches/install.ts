import { loadLibraries } from '../libraries.js';
import { assertShapes } from '../shapes.js';
import { tellRemovals } from './app-state-removals.js';
import { boundSignalRecords } from './bounded-records.js';
import { undoFailedDecryptions } from './failed-decryptions.js';
import { scopeSignalQueues } from './libsignal-queue.js';
import { useNativeCurve } from './native-curve.js';
import { useSmallBufferPool } from './small-buffer-pool.js';

let isPrepared = false;

/**
 * Patches the libraries under Baileys for a process with many sessions. The patches apply to every session of the
 * process. Call it before or after Baileys is loaded: the patched functions are looked up at each call. Before that, it
 * checks everything that the patches and the sessions rely on (`SHAPES`), and patches nothing if something is missing.
 * @param load collects what is checked. Default: the libraries of this process.
 * @throws {StartError} with one line that names the libraries, their releases, and what they lack.
 */
export function installPatches(load = loadLibraries): void {
  if (isPrepared) return;
  assertShapes(load());
  useSmallBufferPool();
  useNativeCurve();
  scopeSignalQueues();
  tellRemovals();
  undoFailedDecryptions();
  boundSignalRecords();
  isPrepared = true;
}
