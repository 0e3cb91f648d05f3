import { isResting } from '@wafleet/contract';
import type { PlacementQueue, PlacementReason } from '@wafleet/placement';
import type { Logger } from '@wafleet/runtime';
import type { SessionDirectory, SessionRecord, SessionRef } from '@wafleet/store';

interface SessionStarterResources {
  readonly sessions: SessionDirectory;
  readonly placement: PlacementQueue;
  readonly logger: Logger;
}

/** Makes sessions, wakes resting ones, and asks for a worker for them. */
export class SessionStarter {
  readonly #resources: SessionStarterResources;

  constructor(resources: SessionStarterResources) {
    this.#resources = resources;
  }

  /**
   * Once the directory has the session it will be placed: at once by the request made here, or, should that
   * fail, by the placers' reconciler, which looks for sessions without a worker. So the failure is no caller's.
   * @throws {WafleetError} SESSION_EXISTS.
   */
  async create(ref: SessionRef, options: { readonly name?: string }): Promise<SessionRecord> {
    const record = await this.#resources.sessions.create(ref, options);
    await this.#askForWorker(ref, 'create');
    return record;
  }

  /**
   * Opens a session again that has come to rest: one that nobody linked in time, that was logged out, or that
   * failed. One that does not rest is left as it is, so that asking twice does no harm.
   * @throws {WafleetError} SESSION_NOT_FOUND.
   */
  async restart(ref: SessionRef): Promise<SessionRecord> {
    const { sessions } = this.#resources;
    const record = await sessions.require(ref);
    if (!isResting(record.status)) return record;
    if (await sessions.markQueued(ref, 'restart')) await this.#askForWorker(ref, 'restart');
    return sessions.require(ref);
  }

  async #askForWorker(ref: SessionRef, reason: PlacementReason): Promise<void> {
    const { placement, logger } = this.#resources;
    try {
      await placement.enqueue({ ...ref, reason, avoid: [] });
    } catch (error) {
      logger.warn({ err: error, ...ref }, 'could not ask for a worker; the reconciler will');
    }
  }
}
