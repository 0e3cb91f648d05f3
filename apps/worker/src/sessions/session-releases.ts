import type { Fence, Ownership, SessionRef } from '@wafleet/store';
import type { OwnedSession } from './owned-session.js';
import type { SessionLog } from './session-log.js';
import type { SessionTable } from './session-table.js';

/** The pause between two attempts to release a session. */
const RELEASE_AGAIN_MS = 1_000;

interface SessionReleasesOptions {
  /** The incarnation that owns the sessions. */
  readonly worker: string;
  readonly ownership: Ownership;
  readonly table: SessionTable;
  readonly log: SessionLog;
}

/** Gives sessions up, so that other workers can claim them. */
export class SessionReleases {
  readonly #options: SessionReleasesOptions;
  #isOver = false;

  constructor(options: SessionReleasesOptions) {
    this.#options = options;
  }

  async release(fence: Fence, reason: string): Promise<void> {
    const { ownership, log } = this.#options;
    if (await ownership.release(fence)) log.released(fence, reason);
  }

  /** Releases a session that is not here, if Redis names this worker as its owner. */
  async releaseAbsent(ref: SessionRef, reason: string): Promise<void> {
    const { worker, ownership, table } = this.#options;
    const record = await ownership.read(ref);
    if (table.has(ref) || record?.worker !== worker) return;
    // A claim that comes meanwhile raises the epoch, which makes this fence void.
    const { tenantId, sessionId } = ref;
    await this.release({ tenantId, sessionId, epoch: record.epoch, worker }, reason);
  }

  /** Releases a session that has ended, and forgets it. Rejects if the release failed; it is then tried again. */
  async giveUp(owned: OwnedSession, reason: string): Promise<void> {
    try {
      await this.release(owned.fence, reason);
    } catch (error) {
      this.retry(() => this.release(owned.fence, reason));
      throw error;
    } finally {
      this.#options.table.forget(owned);
    }
  }

  /** Retries until Redis accepts it: no other worker may claim a session that names a living owner. */
  retry(release: () => Promise<void>): void {
    const timer = setTimeout(() => {
      if (this.#isOver) return;
      release().catch(() => this.retry(release));
    }, RELEASE_AGAIN_MS);
    timer.unref();
  }

  /** Retries nothing any more: the lease has ended, or will end soon. */
  close(): void {
    this.#isOver = true;
  }
}
