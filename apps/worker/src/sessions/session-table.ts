import type { SessionRef } from '@wafleet/store';
import type { OwnedSession } from './owned-session.js';

function keyOf({ tenantId, sessionId }: SessionRef): string {
  return `${tenantId}/${sessionId}`;
}

/** The sessions that are at a worker, and the claims that are being made. */
export class SessionTable {
  readonly #owned = new Map<string, OwnedSession>();
  readonly #claims = new Map<string, Promise<void>>();

  /** How many sessions are here or about to be. */
  get count(): number {
    return this.#owned.size + this.#claims.size;
  }

  /** A copy: the sessions may leave while it is used. */
  all(): OwnedSession[] {
    return [...this.#owned.values()];
  }

  get(ref: SessionRef): OwnedSession | undefined {
    return this.#owned.get(keyOf(ref));
  }

  /** Whether the session is here, or about to be, or about to be given up. */
  has(ref: SessionRef): boolean {
    const key = keyOf(ref);
    return this.#owned.has(key) || this.#claims.has(key);
  }

  /** Whether this very object is here and is not being handed over. */
  isStaying(owned: OwnedSession): boolean {
    return !owned.isLeaving && this.get(owned.fence) === owned;
  }

  add(owned: OwnedSession): void {
    this.#owned.set(keyOf(owned.fence), owned);
  }

  forget(owned: OwnedSession): void {
    // After a takeover and back the key may stand for a newer object.
    if (this.get(owned.fence) === owned) this.#owned.delete(keyOf(owned.fence));
  }

  clear(): void {
    this.#owned.clear();
  }

  /** Returns the claim of the session that is being made; begins one if there is none. */
  claimOnce(ref: SessionRef, claim: () => Promise<void>): Promise<void> {
    const key = keyOf(ref);
    const running = this.#claims.get(key);
    if (running !== undefined) return running;
    const begun = claim().finally(() => this.#claims.delete(key));
    this.#claims.set(key, begun);
    return begun;
  }

  /** Resolves when the claims that are being made have succeeded or failed. */
  async claimsSettled(): Promise<void> {
    await Promise.allSettled(this.#claims.values());
  }
}
