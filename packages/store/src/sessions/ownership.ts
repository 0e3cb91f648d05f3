import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import { type Fence, FencedError, type SessionRef } from '../redis/session-ref.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';
import { SessionIndex } from './session-index.js';

/**
 * The owner of a session: one worker or none.
 *
 * Each session has an owner record {epoch, worker} that never expires while the session exists. A worker that wants
 * the session claims it. The claim succeeds if the record names no worker, the claimer itself, or the worker that the
 * claimer believes dead. The claim increments the epoch and returns a fence: session, epoch and worker. Every script
 * that writes the session's credentials, status, events or other state first compares the fence with the record, and
 * writes nothing if they differ. Claims and writes are scripts, and Redis runs scripts one after the other. Therefore:
 *
 * - Writes of a session form a sequence of epochs that do not overlap: once a claim has succeeded, no write under an
 *   earlier fence can succeed. This does not depend on any clock.
 * - If several rivals name the same dead worker, one wins. The others find the winner in the record and are refused.
 * - A worker that claims again fences off its own earlier session object.
 * - The belief that a worker is dead may be wrong. If the worker was only slow, the fence refuses its next write and it
 *   discards the session. Nothing is harmed; the cost is a reconnect.
 * - A missing record refuses, so no write can restore a purged session. Its epochs are never used again: the tenant
 *   keeps the highest epoch of its purged sessions, and new sessions continue from there.
 *
 * Releasing clears the worker and keeps the epoch. Liveness is not part of this: see WorkerRegistry.
 *
 * Sources: Kleppmann on fencing tokens, Chubby's sequencers, the compare-and-set directory of Orleans.
 */
export interface OwnerRecord {
  readonly epoch: number;
  /** Undefined if the session has no owner. */
  readonly worker: string | undefined;
}

export type ClaimResult =
  | {
      readonly fence: Fence;
      /** The worker that the session was taken from. Undefined if it had no owner, or if the claimer owned it. */
      readonly previousWorker?: string;
    }
  | { readonly refusedBy: OwnerRecord };

type ClaimReply =
  | { kind: 'claimed'; epoch: number; previous: string }
  | { kind: 'refused'; owner: OwnerRecord }
  | { kind: 'no-session' };

const claimSession = new Script('sessions/claim-session', (reply): ClaimReply => {
  const [outcome, epoch, worker] = asList(reply);
  switch (asNumber(outcome)) {
    case 1:
      return { kind: 'claimed', epoch: asNumber(epoch), previous: asText(worker) };
    case 0:
      return { kind: 'refused', owner: { epoch: asNumber(epoch), worker: asText(worker) } };
    default:
      return { kind: 'no-session' };
  }
});
const releaseSession = new FencedScript('sessions/release-session', asNumber);
const clearOwner = new Script('sessions/clear-owner', asNumber);

/** The keys, after the owner record, of the scripts that take a session from a worker. */
function indexKeys(ref: SessionRef, worker: string): string[] {
  return [keys.session(ref), keys.unowned(ref.tenantId), keys.owned(ref.tenantId, worker)];
}

export class Ownership {
  readonly #redis: RedisConnection;
  readonly #index: SessionIndex;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger logs the names of unreadable records, each once in five minutes. */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#index = new SessionIndex(redis);
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /** Returns the owner record. Undefined if the session was never claimed. */
  async read(ref: SessionRef): Promise<OwnerRecord | undefined> {
    const [epoch, worker] = await this.#redis.hmget(keys.owner(ref), 'epoch', 'worker');
    return epoch == null ? undefined : { epoch: Number(epoch), worker: worker ?? undefined };
  }

  /**
   * Returns the owner records of several sessions, in their order. A record of another type counts as missing: no write
   * of its session passes the fence, and it must not hide the others.
   */
  async readMany(refs: readonly SessionRef[]): Promise<(OwnerRecord | undefined)[]> {
    return Promise.all(
      refs.map(({ tenantId, sessionId }) =>
        this.#unreadable.readOr(this.read({ tenantId, sessionId }), undefined, {
          ...{ kind: 'owner', name: `${tenantId}/${sessionId}`, tenantId, sessionId },
        }),
      ),
    );
  }

  /**
   * Claims a session for a worker.
   * @param expectPrevious the worker that may be replaced, since it is believed dead.
   * @throws {WafleetError} SESSION_NOT_FOUND if the directory has no such session.
   */
  async claim(
    ref: SessionRef,
    { worker, expectPrevious }: { worker: string; expectPrevious?: string | undefined },
  ): Promise<ClaimResult> {
    const { tenantId, sessionId } = ref;
    await this.#index.noteOwner(worker, tenantId);
    const reply = await claimSession.run(
      this.#redis,
      [
        ...[keys.owner(ref), keys.session(ref), keys.unowned(tenantId)],
        ...[keys.owned(tenantId, worker), keys.owned(tenantId, expectPrevious ?? worker)],
        keys.purgedEpoch(tenantId),
      ],
      [worker, expectPrevious ?? '', sessionId],
    );
    switch (reply.kind) {
      case 'claimed': {
        const fence = { tenantId, sessionId, epoch: reply.epoch, worker };
        return reply.previous === '' ? { fence } : { fence, previousWorker: reply.previous };
      }
      case 'refused':
        return { refusedBy: reply.owner };
      case 'no-session':
        throw new WafleetError('SESSION_NOT_FOUND', `There is no session ${ref.sessionId}.`);
    }
  }

  /**
   * Takes a session from a dead worker, without a new owner. For a resting session whose worker died before it released
   * the session. Returns false if another worker owns it, or none.
   */
  async clearDead(ref: SessionRef, deadWorker: string): Promise<boolean> {
    await this.#index.noteUnowned(ref.tenantId);
    return (
      (await clearOwner.run(
        this.#redis,
        [keys.owner(ref), ...indexKeys(ref, deadWorker)],
        [deadWorker, ref.sessionId],
      )) === 1
    );
  }

  /** Releases the session. Returns false, and changes nothing, if the fence no longer owns it. */
  async release(fence: Fence): Promise<boolean> {
    await this.#index.noteUnowned(fence.tenantId);
    try {
      const indexes = indexKeys(fence, fence.worker);
      await releaseSession.run(this.#redis, keys.owner(fence), fence, indexes, [fence.sessionId]);
      return true;
    } catch (error) {
      if (error instanceof FencedError) return false;
      throw error;
    }
  }
}
