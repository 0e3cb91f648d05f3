import type { Fence, SessionRef } from '@wafleet/store';
import type { OwnedSession } from './owned-session.js';

function keyOf({ tenantId, sessionId }: SessionRef): string {
  return `${tenantId}/${sessionId}`;
}

/** A claimed session whose credentials are being handed out, without a connection. */
export interface HandOut {
  readonly fence: Fence;
  /** Never rejects. */
  readonly done: Promise<void>;
}

/** The sessions that are at a worker, the claims that are being made, and the sessions that are being handed out. */
export class SessionTable {
  readonly #owned = new Map<string, OwnedSession>();
  readonly #claims = new Map<string, Promise<void>>();
  readonly #handOuts = new Map<string, HandOut>();

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
    return this.#owned.has(key) || this.#claims.has(key) || this.#handOuts.has(key);
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

  /** Resolves when no claim of the session is being made. Never rejects. */
  async claimSettled(ref: SessionRef): Promise<void> {
    await this.#claims.get(keyOf(ref))?.catch(() => {});
  }

  /** Notes that a session is being handed out. */
  addHandOut(handOut: HandOut): void {
    const key = keyOf(handOut.fence);
    this.#handOuts.set(key, handOut);
    void handOut.done.then(() => {
      // After a takeover and back the key may stand for a later one.
      if (this.#handOuts.get(key) === handOut) this.#handOuts.delete(key);
    });
  }

  handOutOf(ref: SessionRef): HandOut | undefined {
    return this.#handOuts.get(keyOf(ref));
  }

  /** Resolves when the claims that are being made have succeeded or failed, and what they led to is handed out or not. */
  async claimsSettled(): Promise<void> {
    await Promise.allSettled(this.#claims.values());
    await Promise.all([...this.#handOuts.values()].map(({ done }) => done));
  }
}
