import { isResting, WafleetError } from '@wafleet/contract';
import type { PlacementQueue, PlacementReason } from '@wafleet/placement';
import type { Logger } from '@wafleet/runtime';
import type { SessionDirectory, SessionRecord, SessionRef, TenantRates } from '@wafleet/store';

interface SessionStarterResources {
  readonly sessions: SessionDirectory;
  readonly placement: PlacementQueue;
  readonly rates: TenantRates;
  /** How many sessions a tenant may have that has no limit of its own. */
  readonly maxSessions: number;
  readonly onExceeded: (limit: 'sessions' | 'session_creations') => void;
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
   * @throws {WafleetError} SESSION_EXISTS, TOO_MANY_SESSIONS, RATE_LIMITED.
   */
  async create(ref: SessionRef, options: { readonly name?: string }): Promise<SessionRecord> {
    const record = await this.#enter(ref, options);
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

  async #enter(ref: SessionRef, options: { readonly name?: string }): Promise<SessionRecord> {
    const { sessions, rates, maxSessions, onExceeded } = this.#resources;
    try {
      await rates.require(ref.tenantId, { limit: 'sessionCreations' }, { cost: 1 });
      return await sessions.create(ref, { ...options, maxSessions });
    } catch (error) {
      if (error instanceof WafleetError && error.code === 'TOO_MANY_SESSIONS') onExceeded('sessions');
      if (error instanceof WafleetError && error.code === 'RATE_LIMITED') onExceeded('session_creations');
      throw error;
    }
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
