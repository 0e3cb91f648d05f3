import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import type { PlacementQueue } from '@wafleet/placement';
import type { Logger } from '@wafleet/runtime';
import { type BundleSecret, newBundleKey, readBundleHeader, writeBundleKey } from '@wafleet/session-bundle';
import type {
  CommandClient,
  ExportOutcome,
  SessionDirectory,
  SessionExports,
  SessionRecord,
  SessionRef,
  WorkerRegistry,
} from '@wafleet/store';
import { hasLivingOwner } from './owner-liveness.js';

/** How long a worker may take to claim the session and to hand it out. */
const WITHIN_MS = 15_000;
/** How long the owner may take to finish what the session does, and to release it. */
const RELEASE_MS = 8_000;
const LOOK_MS = 50;

interface SessionExportResources {
  readonly sessions: SessionDirectory;
  readonly workers: WorkerRegistry;
  readonly client: CommandClient;
  readonly placement: PlacementQueue;
  readonly exports: SessionExports;
  readonly logger: Logger;
}

/** A session that was handed out. */
export interface ExportedSession {
  readonly bundle: Buffer;
  /** `<number>:<device>` */
  readonly device: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Hands sessions out. */
export class SessionExport {
  readonly #resources: SessionExportResources;

  constructor(resources: SessionExportResources) {
    this.#resources = resources;
  }

  /**
   * Closes a session and returns its credentials, sealed. This edge never has them in the clear: it seals the bundle's
   * key for the workers, and the one that claims the session seals the credentials with it. If this rejects, the session
   * goes on, unless the answer of the worker was lost; then it is closed, and a restart opens it.
   * @throws {WafleetError} SESSION_NOT_FOUND; NOT_LINKED; NO_WORKER if no worker took the session in time; UNAVAILABLE.
   */
  async export(ref: SessionRef, secret: BundleSecret): Promise<ExportedSession> {
    const { sessions, workers, exports } = this.#resources;
    const record = await sessions.require(ref);
    if (record.phone === undefined || record.removeBy !== undefined) throw notLinked();
    const key = writeBundleKey(await newBundleKey(secret));
    const id = await exports.request(ref, { key, withinMs: RELEASE_MS + WITHIN_MS });
    // Read again: a worker that claimed the session before the export was noted does not know of it.
    const current = await sessions.require(ref);
    if (await hasLivingOwner(current, workers)) await this.#haveReleased(current);
    await this.#askForWorker(ref);
    return bundleOf(await this.#outcomeOf(ref, id));
  }

  async #outcomeOf(ref: SessionRef, id: string): Promise<ExportOutcome> {
    const { exports } = this.#resources;
    const giveUpAt = performance.now() + WITHIN_MS;
    while (performance.now() < giveUpAt) {
      const outcome = await exports.takeOutcome(ref, id);
      if (outcome !== undefined) return outcome;
      await delay(LOOK_MS);
    }
    const isTakenBack = await exports.cancel(ref, id);
    const outcome = isTakenBack ? undefined : await exports.takeOutcome(ref, id);
    if (outcome !== undefined) return outcome;
    throw new WafleetError('NO_WORKER', 'No worker took the session in time.');
  }

  /** Never rejects: a session that its owner does not release is not handed out. */
  async #haveReleased({ tenantId, sessionId, worker }: SessionRecord): Promise<void> {
    if (worker === undefined) return;
    const { client, logger } = this.#resources;
    try {
      await client.call(worker, { kind: 'release', tenantId, sessionId }, { deadlineMs: RELEASE_MS });
    } catch (error) {
      logger.warn({ err: error, tenantId, sessionId, workerId: worker }, 'owner did not release a session');
    }
  }

  async #askForWorker(ref: SessionRef): Promise<void> {
    const { placement, logger } = this.#resources;
    try {
      await placement.enqueue({ ...ref, reason: 'restart', avoid: [] });
    } catch (error) {
      logger.warn({ err: error, ...ref }, 'could not ask for a worker; the reconciler will');
    }
  }
}

function notLinked(): WafleetError {
  return new WafleetError('NOT_LINKED', 'The session is not linked to a phone.');
}

function bundleOf(outcome: ExportOutcome): ExportedSession {
  if ('failure' in outcome) {
    if (outcome.failure === 'not-linked') throw notLinked();
    throw new WafleetError(
      'UNAVAILABLE',
      'The stored credentials cannot be read; the log of the worker says why.',
    );
  }
  const { device, createdAt } = readBundleHeader(outcome.bundle);
  return { bundle: outcome.bundle, device, createdAt };
}
