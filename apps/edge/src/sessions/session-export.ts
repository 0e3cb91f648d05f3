import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import {
  BUNDLE_LIMITS,
  type BundleSecret,
  newBundleKey,
  readBundleHeader,
  writeBundleKey,
} from '@wafleet/session-bundle';
import {
  type ExportOutcome,
  isRedisUnreachable,
  type SessionDirectory,
  type SessionExports,
  type SessionRef,
  type WorkerRegistry,
} from '@wafleet/store';
import { hasLivingOwner } from './owner-liveness.js';
import type { WorkerRequests } from './worker-requests.js';

/** How long the owner may take to finish what the session does, and to release it. */
const RELEASE_MS = 8_000;
const TIMES = { withinMs: RELEASE_MS + 15_000, standsMs: 10_000 };
const LOOK_MS = 50;
/** What this edge hands out at a time, bytes of bundles: each takes some times its size in memory. */
const BYTES_AT_ONCE = 2 * BUNDLE_LIMITS.bytes;
const RETRY_AFTER_MS = 2_000;

interface SessionExportTimes {
  /** How long all of it may take: the release, and until a worker has claimed the session and handed it out. */
  readonly withinMs: number;
  /** After this time without this edge, a worker does not hand the session out any more. */
  readonly standsMs: number;
}

interface SessionExportResources {
  readonly sessions: SessionDirectory;
  readonly workers: WorkerRegistry;
  readonly requests: WorkerRequests;
  readonly exports: SessionExports;
  readonly logger: Logger;
  /** Default: 23 s and 10 s. */
  readonly times?: SessionExportTimes;
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
  readonly #times: SessionExportTimes;
  #bytesUnderWay = 0;

  constructor(resources: SessionExportResources) {
    this.#resources = resources;
    this.#times = resources.times ?? TIMES;
  }

  /**
   * Closes a session and returns its credentials, sealed. This edge never has them in the clear: it seals the bundle's
   * key for the workers, and the one that claims the session seals the credentials with it. If this rejects, the session
   * goes on by itself, unless a worker had handed it out already and Redis is out of reach; then it is closed, and a
   * restart opens it. If this edge is killed, it goes on as well, after ten seconds at the latest.
   * @param client aborted when the client has gone, which would not get the bundle.
   * @throws {WafleetError} SESSION_NOT_FOUND; NOT_LINKED; SESSION_TOO_LARGE; NO_WORKER if no worker took the session in
   * time; UNAVAILABLE, also if this edge hands out as much as it can.
   */
  async export(ref: SessionRef, secret: BundleSecret, client: AbortSignal): Promise<ExportedSession> {
    const { sessions, exports } = this.#resources;
    const record = await sessions.require(ref);
    if (record.phone === undefined) throw notLinked();
    const { records, bytes } = await exports.measure(ref);
    if (records > BUNDLE_LIMITS.records || bytes > BUNDLE_LIMITS.bytes) throw tooLarge();
    if (this.#bytesUnderWay + bytes > BYTES_AT_ONCE) throw tooMuch();
    this.#bytesUnderWay += bytes;
    try {
      return await this.#handOut(ref, secret, client);
    } finally {
      this.#bytesUnderWay -= bytes;
    }
  }

  async #handOut(ref: SessionRef, secret: BundleSecret, client: AbortSignal): Promise<ExportedSession> {
    const { exports } = this.#resources;
    const key = writeBundleKey(await newBundleKey(secret));
    const id = await exports.request(ref, { key, standsMs: this.#times.standsMs });
    void this.#haveClaimed(ref);
    const outcome = await this.#outcomeOf(ref, id, client).catch((error: unknown) =>
      this.#takeBack(ref, id, error),
    );
    await this.#forget(ref, id);
    return bundleOf(outcome);
  }

  /** Waits for what becomes of an export, and keeps it meanwhile. Goes on while Redis does not answer. */
  async #outcomeOf(ref: SessionRef, id: string, client: AbortSignal): Promise<ExportOutcome> {
    const { exports } = this.#resources;
    const giveUpAt = performance.now() + this.#times.withinMs;
    let isPending = true;
    while (performance.now() < giveUpAt) {
      try {
        const outcome = await exports.outcomeOf(ref, id);
        if (outcome !== undefined) return outcome;
        if (client.aborted) throw new WafleetError('UNAVAILABLE', 'The client has gone.');
        // The outcome was looked for after the export had ended.
        if (!isPending) throw await this.#whyEnded(ref);
        isPending = await exports.keep(ref, id, this.#times.standsMs);
      } catch (error) {
        if (!isRedisUnreachable(error)) throw error;
      }
      if (isPending) await delay(LOOK_MS);
    }
    throw new WafleetError('NO_WORKER', 'No worker took the session in time.');
  }

  /** Why an export has ended without an outcome. @throws {WafleetError} SESSION_NOT_FOUND */
  async #whyEnded(ref: SessionRef): Promise<WafleetError> {
    const { removeBy } = await this.#resources.sessions.require(ref);
    return removeBy === undefined
      ? new WafleetError('UNAVAILABLE', 'The export was taken back meanwhile.')
      : new WafleetError('NOT_LINKED', 'The session is being removed.');
  }

  /** Has the session released and given to a worker. Never rejects: the placers' sweeps find the export as well. */
  async #haveClaimed(ref: SessionRef): Promise<void> {
    const { sessions, workers, requests, logger } = this.#resources;
    try {
      // Read after the export was noted: a worker that claimed the session before does not know of it.
      const { worker } = await sessions.require(ref);
      if (worker !== undefined && (await hasLivingOwner({ worker }, workers))) {
        await requests.haveReleased(ref, worker, RELEASE_MS);
      }
    } catch (error) {
      logger.warn({ err: error, ...ref }, 'it is not known who has a session that is to be handed out');
    }
    await requests.askForWorker(ref);
  }

  /**
   * Ends an export that failed, so that the session goes on. Returns what a worker has made of it at the last moment.
   * @throws the error that it failed with.
   */
  async #takeBack(ref: SessionRef, id: string, error: unknown): Promise<ExportOutcome> {
    const { exports, logger } = this.#resources;
    try {
      const outcome = (await exports.cancel(ref, id)) ? undefined : await exports.outcomeOf(ref, id);
      if (outcome !== undefined) return outcome;
    } catch (err) {
      logger.warn({ err, ...ref }, 'an export could not be taken back; it ends by itself');
    }
    throw error;
  }

  /** Never rejects: what stays in Redis expires. */
  async #forget(ref: SessionRef, id: string): Promise<void> {
    const { exports, logger } = this.#resources;
    try {
      await exports.forget(ref, id);
    } catch (error) {
      logger.warn({ err: error, ...ref }, 'the bundle of an export could not be deleted; it expires');
    }
  }
}

function notLinked(): WafleetError {
  return new WafleetError('NOT_LINKED', 'The session is not linked to a phone.');
}

function tooLarge(): WafleetError {
  return new WafleetError('SESSION_TOO_LARGE', 'The session has more than a bundle may have.', {
    records: BUNDLE_LIMITS.records,
    bytes: BUNDLE_LIMITS.bytes,
  });
}

function tooMuch(): WafleetError {
  return new WafleetError('UNAVAILABLE', 'This edge hands out as much as it can at a time.', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function unfinished(): WafleetError {
  return new WafleetError(
    'UNAVAILABLE',
    'The session has messages that are not published yet. Try again when it is open.',
    { retryAfterMs: RETRY_AFTER_MS },
  );
}

function bundleOf(outcome: ExportOutcome): ExportedSession {
  if ('failure' in outcome) {
    if (outcome.failure === 'not-linked') throw notLinked();
    if (outcome.failure === 'too-large') throw tooLarge();
    if (outcome.failure === 'unfinished') throw unfinished();
    throw new WafleetError(
      'UNAVAILABLE',
      'The stored credentials cannot be read; the log of the worker says why.',
    );
  }
  const { device, createdAt } = readBundleHeader(outcome.bundle);
  return { bundle: outcome.bundle, device, createdAt };
}
