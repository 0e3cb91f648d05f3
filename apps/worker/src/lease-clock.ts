/** A moment by both clocks, ms. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** The present moment. */
export function momentNow(): Moment {
  return { monotonic: performance.now(), wall: Date.now() };
}

/**
 * How long ago a lease was renewed. Two clocks are read, and the longer time counts: the monotonic clock stands still
 * while a virtual machine is suspended, the wall clock can be set back. A wall clock that is set forward makes the
 * lease look too old until the next renewal, which does no harm.
 */
export class LeaseClock {
  readonly #lifeMs: number;
  readonly #now: () => Moment;
  #renewedAt: Moment | undefined;

  /** @param lifeMs how long a lease lives after it was renewed. */
  constructor(lifeMs: number, now = momentNow) {
    this.#lifeMs = lifeMs;
    this.#now = now;
  }

  /** The lease was renewed. @param askedAt when Redis was asked to, since its answer may have waited. */
  renewed(askedAt: Moment): void {
    this.#renewedAt = askedAt;
  }

  /** Whether the lease cannot have run out. False before it was taken. */
  get isFresh(): boolean {
    if (this.#renewedAt === undefined) return false;
    const now = this.#now();
    const monotonic = now.monotonic - this.#renewedAt.monotonic;
    return Math.max(monotonic, now.wall - this.#renewedAt.wall) < this.#lifeMs;
  }
}
