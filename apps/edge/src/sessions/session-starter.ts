import type { PlacementQueue } from '@wafleet/placement';
import type { Logger } from '@wafleet/runtime';
import type { SessionDirectory, SessionRecord, SessionRef } from '@wafleet/store';

interface SessionStarterResources {
  readonly sessions: SessionDirectory;
  readonly placement: PlacementQueue;
  readonly logger: Logger;
}

/** Makes sessions and asks for a worker for them. */
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
    const { sessions, placement, logger } = this.#resources;
    const record = await sessions.create(ref, options);
    try {
      await placement.enqueue({ ...ref, reason: 'create', avoid: [] });
    } catch (error) {
      logger.warn({ err: error, ...ref }, 'could not ask for a worker; the reconciler will');
    }
    return record;
  }
}
