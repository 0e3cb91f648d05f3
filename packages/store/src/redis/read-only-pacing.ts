/** A failover usually ends within this time. Until then commands are sent again after the reconnect. */
const FAILOVER_MS = 3_000;
const RECONNECT_EVERY_MS = 1_000;
/** A refusal after a pause of this length is the first of a new outage. */
const EPISODE_ENDS_MS = 10_000;

/** How ioredis handles an error: reconnects and resends the command, reconnects and rejects it, or only rejects it. */
type Reaction = 2 | 1 | false;

/**
 * Decides what one connection does about READONLY errors. After a failover the old primary answers READONLY, and a new
 * connection finds the new primary. With a Redis that stays read-only every command would cause a reconnect. Therefore
 * there is at most one reconnect a second, and after three seconds commands fail with Redis' own error.
 */
export class ReadOnlyPacing {
  #firstAt = Number.NEGATIVE_INFINITY;
  #lastAt = Number.NEGATIVE_INFINITY;
  #reconnectedAt = Number.NEGATIVE_INFINITY;

  /** Whether a refusal now would be the first of an outage. */
  get begins(): boolean {
    return performance.now() - this.#lastAt > EPISODE_ENDS_MS;
  }

  /** How long to wait before the next connect. Undefined if the connection's usual pause applies. */
  get delayMs(): number | undefined {
    const now = performance.now();
    const isFirst = this.#reconnectedAt <= this.#firstAt;
    return now - this.#lastAt > RECONNECT_EVERY_MS || isFirst ? undefined : RECONNECT_EVERY_MS;
  }

  /** Call it for each refusal. */
  react(): Reaction {
    const now = performance.now();
    if (this.begins) this.#firstAt = now;
    this.#lastAt = now;
    const isFailover = now - this.#firstAt < FAILOVER_MS;
    if (!isFailover && now - this.#reconnectedAt < RECONNECT_EVERY_MS) return false;
    this.#reconnectedAt = now;
    return isFailover ? 2 : 1;
  }
}
