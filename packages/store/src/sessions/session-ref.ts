/** Names a session: its id is unique within its tenant only. */
export interface SessionRef {
  readonly tenantId: string;
  readonly sessionId: string;
}

/**
 * Proof of ownership, given by `Ownership.claim` and part of every script that writes a session's state. Redis
 * compares it with the owner record inside the script, so a stale owner's write changes nothing, whatever its
 * clock says. Source of the idea: Kleppmann, "How to do distributed locking" (fencing tokens).
 */
export interface Fence extends SessionRef {
  /** Counts the claims of this session; never repeats, even if the session is purged and made again. */
  readonly epoch: number;
  /** The worker incarnation that claimed. */
  readonly worker: string;
}

/**
 * The fence refused a write: another claim came after this one, or the session was released or purged. Nothing
 * was written. Whoever sees it discards the session object with all that it caches.
 */
export class FencedError extends Error {
  constructor(fence: Fence) {
    super(
      `${fence.worker} no longer owns session ${fence.tenantId}/${fence.sessionId} (claimed in epoch ${fence.epoch})`,
    );
    this.name = 'FencedError';
  }
}
