import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';
import { SessionIndex } from './session-index.js';
import { type Fence, FencedError, type SessionRef } from './session-ref.js';

/**
 * Who owns a session: one worker, or nobody.
 *
 * Each session has an owner record {epoch, worker} that never expires while the session exists. A worker that wants
 * the session claims it; the claim succeeds when the record names nobody, the claimer itself, or the very worker
 * whose death the claimer gives as evidence. It counts the epoch up and yields a fence: session, epoch and worker.
 * Every script that writes the session's credentials, status, events or anything else compares the fence with the
 * record first and writes nothing when they differ. Claim and write are scripts, so Redis runs them one after the
 * other, and therefore:
 *
 * - Writes of a session form a sequence of epochs that do not overlap: once a claim has succeeded, no write under an
 *   earlier fence can. No clock takes part in that.
 * - Of rivals that name the same dead worker one wins; the other finds the winner in the record and is refused.
 * - The same worker that claims again fences off its own earlier session object.
 * - Evidence may be wrong. A worker that was only slow meets the fence at its next write, discards the session and
 *   has harmed nothing; the price is a reconnect.
 * - A missing record refuses: a purged session cannot be written back to life. Its epochs are not given out again either:
 *   the tenant keeps the highest one of its purged sessions, and new sessions go on from there.
 *
 * Releasing clears the worker and keeps the epoch. Liveness is not part of this: see WorkerRegistry.
 *
 * Sources: Kleppmann on fencing tokens, Chubby's sequencers, the compare-and-set directory of Orleans.
 */
export interface OwnerRecord {
  readonly epoch: number;
  /** Undefined when nobody owns the session. */
  readonly worker: string | undefined;
}

export type ClaimResult =
  | {
      readonly fence: Fence;
      /** The worker that the session was taken from; undefined when it had none, or the claimer had it. */
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

/** What the scripts look at that take a session from a worker, after the owner record. */
function indexKeys(ref: SessionRef, worker: string): string[] {
  return [keys.session(ref), keys.unowned(ref.tenantId), keys.owned(ref.tenantId, worker)];
}

export class Ownership {
  readonly #redis: RedisConnection;
  readonly #index: SessionIndex;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger names the records that cannot be read, each once in a while. */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#index = new SessionIndex(redis);
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /** The owner record; undefined when the session was never claimed. */
  async read(ref: SessionRef): Promise<OwnerRecord | undefined> {
    const [epoch, worker] = await this.#redis.hmget(keys.owner(ref), 'epoch', 'worker');
    return epoch == null ? undefined : { epoch: Number(epoch), worker: worker ?? undefined };
  }

  /**
   * The owner records of several sessions, in their order. One of another type is as if there were none: no write of its
   * session passes the fence, and it must not hide the others.
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
   * @param expectPrevious the worker that may be replaced, since there is evidence of its death.
   * @throws {WafleetError} SESSION_NOT_FOUND when the directory has no such session.
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
   * Takes a session from a dead worker, without a new owner: what a resting session needs whose worker could not
   * release any more. False when another worker owns it, or none.
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

  /** Gives the session up; false when the fence was not its owner any more, and then nothing changed. */
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
