import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import type { SessionDirectory, SessionRef, WorkerRegistry } from '@wafleet/store';
import { hasLivingOwner } from './owner-liveness.js';
import type { SessionCommands } from './session-commands.js';
import type { WorkerRequests } from './worker-requests.js';

/** How long a linked session keeps its keys so that a login can log it out, ms. */
const PATIENCE_MS = 60 * 60 * 1000;
/** How long a request waits for a worker to take the session up and log it out. */
const WAIT_MS = 8_000;
const LOOK_MS = 100;

/**
 * The outcome of a removal. `removed`: nothing is stored of the session, and no phone lists it. `still-listed`: nothing
 * is stored of it, and its phone may go on listing a linked device. `removing`: a worker is going to log it out.
 */
export type RemovalOutcome = 'removed' | 'still-listed' | 'removing';

interface SessionRemovalResources {
  readonly sessions: SessionDirectory;
  readonly workers: WorkerRegistry;
  readonly commands: SessionCommands;
  readonly requests: WorkerRequests;
}

/** Removes sessions. */
export class SessionRemoval {
  readonly #resources: SessionRemovalResources;

  constructor(resources: SessionRemovalResources) {
    this.#resources = resources;
  }

  /**
   * Marks the session for removal, and has a worker log it out at WhatsApp and purge it: its owner, or the next one if
   * it has none. Keys are kept until then, for up to an hour. After a crash the sweeps give the session to another
   * worker, which goes on. A session without credentials is purged at once, and so is one that was handed out.
   * @param options.force purges it at once, linked or not.
   * @param options.requestId of the REST call, for logs.
   * @throws {WafleetError} SESSION_NOT_FOUND; NO_WORKER if the owner is only just taking the session up, or the owner's
   * own error: the session then stays unchanged, unless an earlier request is to remove it.
   */
  async remove(
    ref: SessionRef,
    { force = false, requestId }: { readonly force?: boolean; readonly requestId?: string } = {},
  ): Promise<RemovalOutcome> {
    const { sessions, workers, requests } = this.#resources;
    const record = await sessions.require(ref);
    if (force) {
      const mayBeListed = record.phone !== undefined;
      await sessions.purge(ref);
      return mayBeListed ? 'still-listed' : 'removed';
    }
    const isOwned = await hasLivingOwner(record, workers);
    if (!isOwned && record.phone === undefined && !(await sessions.hasCredentials(ref))) {
      await sessions.purge(ref);
      return 'removed';
    }
    const mark = await sessions.markRemoval(ref, {
      deadWorker: isOwned ? undefined : record.worker,
      patienceMs: PATIENCE_MS,
    });
    if (mark === 'handed-out') return this.#purgeHandedOut(ref);
    const outcome = isOwned
      ? await this.#haveUnlinked(ref, { isFirst: mark === 'marked', requestId })
      : undefined;
    if (outcome !== undefined) return outcome;
    await requests.askForWorker(ref);
    return this.#untilGone(ref);
  }

  /**
   * Returns undefined if the owner is gone.
   * @param options.isFirst whether this request made the mark. The mark of an earlier request is not taken back.
   */
  async #haveUnlinked(
    ref: SessionRef,
    { isFirst, requestId }: { readonly isFirst: boolean; readonly requestId: string | undefined },
  ): Promise<RemovalOutcome | undefined> {
    const { sessions, workers, commands, requests } = this.#resources;
    try {
      const { isUnlinked = true } = await commands.call({ kind: 'unlink', ...ref }, { requestId });
      // The worker has purged it already, unless the worker is of an earlier release.
      await sessions.purge(ref, { ifMarked: true, isUnlinked });
      return isUnlinked ? 'removed' : 'still-listed';
    } catch (error) {
      const code = error instanceof WafleetError ? error.code : undefined;
      if (code === 'OUTCOME_UNKNOWN') {
        // The command may be lost with a process: the placers have the owner look at the mark.
        await requests.askForWorker(ref);
        return 'removing';
      }
      if (code === 'SESSION_NOT_FOUND') return this.#untilGone(ref);
      const record = await sessions.get(ref);
      const isWithoutOwner = code === 'NO_WORKER' || code === 'SESSION_NOT_OPEN';
      if (record === undefined || (isWithoutOwner && !(await hasLivingOwner(record, workers)))) {
        if (record === undefined) return undefined;
        const options = { deadWorker: record.worker, patienceMs: PATIENCE_MS };
        const mark = await sessions.markRemoval(ref, options);
        return mark === 'handed-out' ? this.#purgeHandedOut(ref) : undefined;
      }
      if (isFirst) await sessions.unmarkRemoval(ref);
      throw error;
    }
  }

  /** Its device may be used elsewhere. To log it out would unlink that session. */
  async #purgeHandedOut(ref: SessionRef): Promise<RemovalOutcome> {
    await this.#resources.sessions.purge(ref);
    return 'still-listed';
  }

  async #untilGone(ref: SessionRef): Promise<RemovalOutcome> {
    const { sessions } = this.#resources;
    const giveUpAt = performance.now() + WAIT_MS;
    while (performance.now() < giveUpAt) {
      const record = await sessions.get(ref);
      if (record?.removeBy === undefined) {
        return (await sessions.wasUnlinked(ref)) === false ? 'still-listed' : 'removed';
      }
      // An attempt failed, and the next one comes later than this request can wait.
      const { removeAfter = 0, readAt = removeAfter } = record;
      if (removeAfter > readAt + WAIT_MS) return 'removing';
      await delay(LOOK_MS);
    }
    return 'removing';
  }
}
