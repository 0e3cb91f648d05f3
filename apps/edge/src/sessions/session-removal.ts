import { WafleetError } from '@wafleet/contract';
import type { SessionDirectory, SessionRef, WorkerRegistry } from '@wafleet/store';
import { hasLivingOwner } from './owner-liveness.js';
import type { SessionCommands } from './session-commands.js';

interface SessionRemovalResources {
  readonly sessions: SessionDirectory;
  readonly workers: WorkerRegistry;
  readonly commands: SessionCommands;
}

/** Removes sessions. */
export class SessionRemoval {
  readonly #resources: SessionRemovalResources;

  constructor(resources: SessionRemovalResources) {
    this.#resources = resources;
  }

  /**
   * Unlinks the session through the worker that owns it, then purges all that is stored of it. Without a living
   * owner it is purged alone. A worker that takes the session up at the same time is refused by its fence, as the
   * purge ends every ownership. Done again after a failure, it goes on from where it stopped.
   * @throws {WafleetError} SESSION_NOT_FOUND; OUTCOME_UNKNOWN when the worker did not answer, NO_WORKER when it is only
   * just taking the session up: nothing is purged then, so that the phone does not keep a linked device that nobody
   * can unlink.
   */
  async remove(ref: SessionRef): Promise<void> {
    const { sessions, workers, commands } = this.#resources;
    await sessions.require(ref);
    try {
      await commands.call({ kind: 'unlink', ...ref });
    } catch (error) {
      const owned = !isWithoutOwner(error) || (await hasLivingOwner(await sessions.require(ref), workers));
      if (owned) throw error;
    }
    await sessions.purge(ref);
  }
}

function isWithoutOwner(error: unknown): boolean {
  return error instanceof WafleetError && (error.code === 'NO_WORKER' || error.code === 'SESSION_NOT_OPEN');
}
