import { randomBytes } from 'node:crypto';
import { WafleetError } from '@wafleet/contract';
import { sealForWorkers, type WorkerBoxes } from '../auth/worker-box.js';
import { readWorkerBoxKey } from '../auth/worker-box-key.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';
import { notFound } from '../sessions/session-directory.js';
import type { ExportRequest } from '../sessions/session-entry.js';
import { SessionIndex } from '../sessions/session-index.js';

/** How long an edge may take to fetch what a worker has made. */
const FETCHED_WITHIN_MS = 60_000;
const BUNDLE = 1;
const FAILURE = 0;

/** What became of an export: the sealed bundle, or why there is none. */
export type ExportOutcome = { readonly bundle: Buffer } | { readonly failure: ExportFailure };

const FAILURES = ['not-linked', 'too-large', 'unfinished', 'unreadable'] as const;

/**
 * `not-linked`: there is nothing to hand out. `too-large`: it is more than an import takes. `unfinished`: messages that
 * were acknowledged are not published yet. `unreadable`: what is stored cannot be opened.
 */
export type ExportFailure = (typeof FAILURES)[number];

/** What is stored of a session's credentials. */
export interface StoredSize {
  readonly records: number;
  /** What all of them take in a bundle, estimated, a little more than it is. */
  readonly bytes: number;
}

/** How many records Redis is asked about at a time, to measure a session. */
const MEASURED_AT_ONCE = 1_000;

const requestExport = new Script('moving/request-export', asNumber);
const keepExport = new Script('moving/keep-export', asNumber);
const cancelExport = new Script('moving/cancel-export', asNumber);
const finishExport = new FencedScript('moving/finish-export', asNumber);

/**
 * A bundle has bytes as base64, with their type and their name around them. The seal of a stored value takes about as
 * much as the name does.
 */
function bytesInBundle(field: string, stored: number): number {
  return isRaw(field) ? Math.ceil(stored / 3) * 4 + field.length + 12 : stored + field.length + 12;
}

function isRaw(field: string): boolean {
  return field.startsWith('sender-key:') || field.startsWith('identity-key:');
}

function placeOf({ tenantId, sessionId }: SessionRef, id: string): string {
  return `export ${tenantId}/${sessionId} ${id}`;
}

/**
 * Exports of sessions, as an edge asks for them and a worker carries them out. The edge notes the export with the
 * session, and keeps it while it waits: if the edge ends, so does the export. The worker that claims the session next
 * does not connect it: it seals the credentials with the key that the edge has sealed for it, and leaves the bundle for
 * the edge. In Redis neither the key nor the credentials are readable.
 */
export class SessionExports {
  readonly #redis: RedisConnection;
  readonly #index: SessionIndex;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
    this.#index = new SessionIndex(redis);
  }

  /**
   * Measures what an export would hand out, in small steps. Decryption journals count, which are not handed out.
   * A session without credentials has none.
   */
  async measure(ref: SessionRef): Promise<StoredSize> {
    const key = keys.auth(ref);
    const fields = await this.#redis.hkeys(key);
    let bytes = 0;
    for (let from = 0; from < fields.length; from += MEASURED_AT_ONCE) {
      const lengths = fields
        .slice(from, from + MEASURED_AT_ONCE)
        .map((field) => this.#redis.hstrlen(key, field));
      for (const [index, length] of (await Promise.all(lengths)).entries()) {
        bytes += bytesInBundle(fields[from + index] ?? '', length);
      }
    }
    return { records: fields.length, bytes };
  }

  /**
   * Notes an export. The caller must see to it that a worker claims the session, and keep the export meanwhile.
   * @param options.key what the worker needs to seal the bundle.
   * @param options.standsMs how long it stands unless it is kept.
   * @returns the id of the export.
   * @throws {WafleetError} SESSION_NOT_FOUND; NOT_LINKED if the session is being removed; UNAVAILABLE if another export
   * is under way.
   */
  async request(
    ref: SessionRef,
    options: { readonly key: Buffer; readonly standsMs: number },
  ): Promise<string> {
    const id = randomBytes(9).toString('base64url');
    const box = sealForWorkers(await readWorkerBoxKey(this.#redis), options.key, placeOf(ref, id));
    await this.#index.noteUnowned(ref.tenantId);
    const noted = await requestExport.run(
      this.#redis,
      [keys.owner(ref), keys.session(ref), keys.unowned(ref.tenantId)],
      [ref.sessionId, id, options.standsMs, box.toString('base64')],
    );
    if (noted === 0) throw notFound(ref);
    if (noted === 3) throw new WafleetError('NOT_LINKED', 'The session is being removed.');
    if (noted === 2) {
      throw new WafleetError('UNAVAILABLE', 'Another export of the session is under way.');
    }
    return id;
  }

  /**
   * Lets an export stand for longer.
   * @returns false if it was carried out, was taken back, or has ended because no edge kept it.
   */
  async keep(ref: SessionRef, id: string, standsMs: number): Promise<boolean> {
    return (await keepExport.run(this.#redis, [keys.session(ref)], [id, standsMs])) === 1;
  }

  /** Returns what became of an export: for a minute, or until it is forgotten. Undefined while it is not done. */
  async outcomeOf(ref: SessionRef, id: string): Promise<ExportOutcome | undefined> {
    const stored = await this.#redis.getBuffer(keys.exported(ref, id));
    if (stored === null) return undefined;
    const content = stored.subarray(1);
    if (stored[0] === BUNDLE) return { bundle: content };
    const failure = content.toString();
    return { failure: FAILURES.find((known) => known === failure) ?? 'unreadable' };
  }

  /** Deletes what became of an export, once its edge has it. */
  async forget(ref: SessionRef, id: string): Promise<void> {
    await this.#redis.unlink(keys.exported(ref, id));
  }

  /** Takes an export back. Returns false if a worker has carried it out, or it has ended otherwise. */
  async cancel(ref: SessionRef, id: string): Promise<boolean> {
    return (await cancelExport.run(this.#redis, [keys.session(ref)], [id])) === 1;
  }

  /** What the bundle is to be sealed with. @throws {SealedValueError} if it was sealed for another cluster. */
  openKey(ref: SessionRef, request: ExportRequest, boxes: WorkerBoxes): Buffer {
    return boxes.open(Buffer.from(request.key, 'base64'), placeOf(ref, request.id));
  }

  /**
   * Leaves the outcome for the edge. With a bundle the session is closed in the same step, with the reason `exported`.
   * @returns false if the export was taken back, its time is over, or the session is being removed: nothing was handed
   * out then.
   * @throws {FencedError}
   */
  async finish(fence: Fence, request: ExportRequest, outcome: ExportOutcome): Promise<boolean> {
    const isBundle = 'bundle' in outcome;
    const content = isBundle ? outcome.bundle : Buffer.from(outcome.failure);
    const finished = await finishExport.run(
      this.#redis,
      keys.owner(fence),
      fence,
      [keys.session(fence), keys.exported(fence, request.id)],
      [
        ...[request.id, FETCHED_WITHIN_MS],
        Buffer.concat([Buffer.of(isBundle ? BUNDLE : FAILURE), content]),
        isBundle ? '1' : '',
      ],
    );
    return finished === 1;
  }
}
