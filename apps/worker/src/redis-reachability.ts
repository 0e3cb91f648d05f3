import type { StorageReach } from '@wafleet/session';
import { type RedisConnection, writeProbe } from '@wafleet/store';

/** A Redis that has not answered for `away` is away, for `gone` it is gone; `look` is the time between two looks. */
const LIMITS_MS = { away: 6_000, gone: 30_000, look: 500 };

/**
 * Checks whether Redis can be reached and takes writes, by writing to it all the time.
 *
 * Only silence that this process listened to counts: if the process slept or a clock jumped, Redis was not away. Once
 * Redis was away, it counts as reachable again only after `onBack` has resolved.
 */
export class RedisReachability {
  readonly #redis: RedisConnection;
  readonly #onBack: () => Promise<void>;
  readonly #onChange: (reach: StorageReach) => void;
  readonly #limitsMs: typeof LIMITS_MS;
  #reach: StorageReach = 'reachable';
  #silentMs = 0;
  #lookedAt = performance.now();
  #isAsking = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param options.onBack reconciles with a Redis that was away. If it rejects, Redis is still away.
   * @param options.onChange called with each change of the reach.
   */
  constructor(options: {
    redis: RedisConnection;
    onBack: () => Promise<void>;
    onChange: (reach: StorageReach) => void;
    limitsMs?: typeof LIMITS_MS;
  }) {
    this.#redis = options.redis;
    this.#onBack = options.onBack;
    this.#onChange = options.onChange;
    this.#limitsMs = options.limitsMs ?? LIMITS_MS;
  }

  get reach(): StorageReach {
    return this.#reach;
  }

  start(): void {
    this.#lookedAt = performance.now();
    this.#timer = setInterval(() => this.#look(), this.#limitsMs.look);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    const { away, gone, look } = this.#limitsMs;
    this.#silentMs += Math.min(now - this.#lookedAt, 2 * look);
    this.#lookedAt = now;
    if (this.#silentMs >= gone) this.#change('gone');
    else if (this.#silentMs >= away) this.#change('away');
    if (!this.#isAsking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      await writeProbe(this.#redis);
      if (this.#reach !== 'reachable') await this.#onBack();
      this.#silentMs = 0;
      this.#change('reachable');
    } catch {
      // Asked again at the next look; the connection itself logs the outage.
    } finally {
      this.#isAsking = false;
    }
  }

  #change(reach: StorageReach): void {
    if (reach === this.#reach || this.#timer === undefined) return;
    this.#reach = reach;
    this.#onChange(reach);
  }
}
