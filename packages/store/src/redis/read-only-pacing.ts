/** A failover is over by then, as a rule: until then commands are sent again after the reconnect. */
const FAILOVER_MS = 3_000;
const RECONNECT_EVERY_MS = 1_000;
/** A refusal that comes after such a pause is the first of another outage. */
const EPISODE_ENDS_MS = 10_000;

/** What ioredis does about an error: reconnect and send the command again, reconnect and reject it, or reject it. */
type Reaction = 2 | 1 | false;

/**
 * What one connection does about READONLY. After a failover the old primary answers it, and a new connection finds the
 * new primary. A Redis that stays read-only would make every command a reconnect, so that there is at most one a
 * second, and after three seconds commands fail with Redis' own error instead of waiting in vain.
 */
export class ReadOnlyPacing {
  #firstAt = Number.NEGATIVE_INFINITY;
  #lastAt = Number.NEGATIVE_INFINITY;
  #reconnectedAt = Number.NEGATIVE_INFINITY;

  /** Whether a refusal now would be the first of an outage. */
  get begins(): boolean {
    return performance.now() - this.#lastAt > EPISODE_ENDS_MS;
  }

  /** How long to wait before the next connect; undefined where the ordinary pause of a connection applies. */
  get delayMs(): number | undefined {
    const now = performance.now();
    const isFirst = this.#reconnectedAt <= this.#firstAt;
    return now - this.#lastAt > RECONNECT_EVERY_MS || isFirst ? undefined : RECONNECT_EVERY_MS;
  }

  /** Called with each refusal. */
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
