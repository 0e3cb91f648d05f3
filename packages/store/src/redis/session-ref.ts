/** Identifies a session. Its id is unique within its tenant only. */
export interface SessionRef {
  readonly tenantId: string;
  readonly sessionId: string;
}

/**
 * Proof of ownership, returned by `Ownership.claim` and passed to every script that writes a session's state. Redis
 * compares it with the owner record inside the script, so a stale owner's write changes nothing, regardless of its
 * clock. Source of the idea: Kleppmann, "How to do distributed locking" (fencing tokens).
 */
export interface Fence extends SessionRef {
  /** Increases with each claim of this session. Never repeats, even if the session is purged and created again. */
  readonly epoch: number;
  /** The worker incarnation that claimed. */
  readonly worker: string;
}

/**
 * The fence refused a write: another claim came after this one, or the session was released or purged. Nothing
 * was written. The caller must discard the session object and everything it caches.
 */
export class FencedError extends Error {
  constructor(fence: Fence) {
    super(
      `${fence.worker} no longer owns session ${fence.tenantId}/${fence.sessionId} (claimed in epoch ${fence.epoch})`,
    );
    this.name = 'FencedError';
  }
}
