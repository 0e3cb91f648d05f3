import { isResting, WafleetError } from '@wafleet/contract';
import {
  type ImportedSession,
  type NewSessionOptions,
  RECORD_UNREADABLE,
  type SessionDirectory,
  type SessionImports,
  type SessionRecord,
  type SessionRef,
  type SessionSettingsRecords,
  type TenantRates,
  type WorkerRegistry,
} from '@wafleet/store';
import { hasLivingOwner } from './owner-liveness.js';
import { requireProxySupport } from './require-proxy-support.js';
import type { WorkerRequests } from './worker-requests.js';

/** What a session is created with. */
export interface NewSession {
  readonly name?: string;
  /** As in `NewSessionOptions`. */
  readonly madeBy?: string | undefined;
  /** What is set for it, and the URL of its proxy. */
  readonly settings?: {
    readonly plain: Readonly<Record<string, unknown>>;
    readonly proxy?: string | undefined;
  };
}

/** How long the owner of a resting session may take to release it. */
const RELEASE_MS = 5_000;

interface SessionStarterResources {
  readonly sessions: SessionDirectory;
  readonly settings: SessionSettingsRecords;
  readonly imports: SessionImports;
  readonly workers: WorkerRegistry;
  readonly requests: WorkerRequests;
  readonly rates: TenantRates;
  /** How many sessions a tenant without a limit of its own may have. */
  readonly maxSessions: number;
  readonly onExceeded: (limit: 'sessions' | 'session_creations') => void;
}

/** Creates sessions, wakes resting ones, and asks for a worker for them. */
export class SessionStarter {
  readonly #resources: SessionStarterResources;

  constructor(resources: SessionStarterResources) {
    this.#resources = resources;
  }

  /**
   * Creates a session. Once the directory has it, it will be placed: at once by the request made here, or, if that
   * fails, by the placers' reconciler, which looks for sessions without a worker. So that failure is not reported to
   * the caller.
   * @throws {WafleetError} SESSION_EXISTS, TOO_MANY_SESSIONS, RATE_LIMITED; OUTCOME_UNKNOWN if Redis did not answer;
   * UNAVAILABLE if a proxy cannot be sealed yet; NOT_SUPPORTED for a proxy while a worker of an earlier release runs.
   */
  async create(ref: SessionRef, session: NewSession): Promise<SessionRecord> {
    const { sessions } = this.#resources;
    return this.#enter(ref, session, (options) => sessions.create(ref, options));
  }

  /**
   * Creates a session with credentials from elsewhere, as `create` does.
   * @throws {WafleetError} ACCOUNT_IN_USE and UNAVAILABLE as `SessionImports.create`; those of `create`.
   */
  async import(ref: SessionRef, credentials: ImportedSession, session: NewSession): Promise<SessionRecord> {
    const { imports } = this.#resources;
    return this.#enter(ref, session, (options) => imports.create(ref, credentials, options));
  }

  /**
   * Opens a resting session again: one that was not linked in time, was logged out, failed, or has a record that cannot
   * be read. A session that a living worker runs stays unchanged, so asking twice does no harm. The owner of a resting
   * session may have died before it released it, or may not release it: neither prevents the restart.
   * @throws {WafleetError} SESSION_NOT_FOUND.
   */
  async restart(ref: SessionRef): Promise<SessionRecord> {
    const { sessions, workers, requests } = this.#resources;
    const record = await sessions.require(ref);
    const isOwned = await hasLivingOwner(record, workers);
    // A session that is being removed stays so.
    if (record.removeBy !== undefined) return record;
    if (isOwned && !isResting(record.status)) return record;
    // An owner that does not release a resting session loses it.
    if (isOwned && record.worker !== undefined) {
      await requests.haveReleased(ref, record.worker, RELEASE_MS);
    }
    const isReadable = record.reason !== RECORD_UNREADABLE;
    const isQueued = await sessions.requeue(ref, {
      reason: 'restart',
      notOwner: record.worker,
      status: isReadable ? record.status : undefined,
    });
    if (isQueued) await requests.askForWorker(ref);
    return sessions.require(ref);
  }

  async #enter(
    ref: SessionRef,
    { name, madeBy, settings: set }: NewSession,
    create: (options: NewSessionOptions) => Promise<SessionRecord>,
  ): Promise<SessionRecord> {
    const { settings, workers, rates, maxSessions, onExceeded, requests } = this.#resources;
    try {
      await requireProxySupport(workers, set?.proxy);
      await rates.require(ref.tenantId, { limit: 'sessionCreations' }, { cost: 1 });
      const proxy = set === undefined ? '' : await settings.sealProxy(ref, set.proxy);
      const record = await create({
        name,
        madeBy,
        maxSessions,
        settings: set && { plain: set.plain, proxy },
      });
      await requests.askForWorker(ref, 'create');
      return record;
    } catch (error) {
      if (error instanceof WafleetError && error.code === 'TOO_MANY_SESSIONS') onExceeded('sessions');
      if (error instanceof WafleetError && error.code === 'RATE_LIMITED') onExceeded('session_creations');
      throw error;
    }
  }
}
