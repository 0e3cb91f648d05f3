import { randomBytes } from 'node:crypto';
import { WafleetError } from '@wafleet/contract';
import { sealForWorkers, type WorkerBoxes } from '../auth/worker-box.js';
import { readWorkerBoxKey } from '../auth/worker-box-key.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';
import type { ExportRequest } from '../sessions/session-entry.js';
import { SessionIndex } from '../sessions/session-index.js';

/** How long an edge may take to fetch what a worker has made. */
const FETCHED_WITHIN_MS = 60_000;
const BUNDLE = 1;
const FAILURE = 0;

/** What became of an export: the sealed bundle, or why there is none. */
export type ExportOutcome = { readonly bundle: Buffer } | { readonly failure: ExportFailure };

/** `not-linked`: there is nothing to hand out. `unreadable`: what is stored cannot be opened. */
export type ExportFailure = 'not-linked' | 'unreadable';

const requestExport = new Script('moving/request-export', asNumber);
const cancelExport = new Script('moving/cancel-export', asNumber);
const finishExport = new FencedScript('moving/finish-export', asNumber);

function placeOf({ tenantId, sessionId }: SessionRef, id: string): string {
  return `export ${tenantId}/${sessionId} ${id}`;
}

/**
 * Exports of sessions, as an edge asks for them and a worker carries them out. The edge notes the export with the
 * session. The worker that claims the session next does not connect it: it seals the credentials with the key that the
 * edge has sealed for it, and leaves the bundle for the edge. In Redis neither the key nor the credentials are readable.
 */
export class SessionExports {
  readonly #redis: RedisConnection;
  readonly #index: SessionIndex;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
    this.#index = new SessionIndex(redis);
  }

  /**
   * Notes an export. The caller must see to it that a worker claims the session.
   * @param options.key what the worker needs to seal the bundle.
   * @returns the id of the export.
   * @throws {WafleetError} SESSION_NOT_FOUND; UNAVAILABLE if another export is under way.
   */
  async request(
    ref: SessionRef,
    options: { readonly key: Buffer; readonly withinMs: number },
  ): Promise<string> {
    const id = randomBytes(9).toString('base64url');
    const box = sealForWorkers(await readWorkerBoxKey(this.#redis), options.key, placeOf(ref, id));
    await this.#index.noteUnowned(ref.tenantId);
    const noted = await requestExport.run(
      this.#redis,
      [keys.owner(ref), keys.session(ref), keys.unowned(ref.tenantId)],
      [ref.sessionId, id, options.withinMs, box.toString('base64')],
    );
    if (noted === 0) throw new WafleetError('SESSION_NOT_FOUND', `There is no session ${ref.sessionId}.`);
    if (noted === 2) {
      throw new WafleetError('UNAVAILABLE', 'Another export of the session is under way.');
    }
    return id;
  }

  /** Takes what became of an export, once. Undefined while it is not done. */
  async takeOutcome(ref: SessionRef, id: string): Promise<ExportOutcome | undefined> {
    const stored = await this.#redis.getdelBuffer(keys.exported(ref, id));
    if (stored === null) return undefined;
    const content = stored.subarray(1);
    return stored[0] === BUNDLE
      ? { bundle: content }
      : { failure: content.toString() === 'not-linked' ? 'not-linked' : 'unreadable' };
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
   * @returns false if the export was taken back; nothing has changed then.
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
