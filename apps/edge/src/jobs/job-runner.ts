import { setTimeout as delay } from 'node:timers/promises';
import { backoff, withTimeout } from '@wafleet/runtime';
import { RUN_HOLDS_MS, type WakeUp } from '@wafleet/store';
import { type JobPartResources, runJobPart } from './job-part.js';

/** How often it looks for jobs that other edges have stored or given back. */
const LOOK_MS = 1_000;
/** How often this edge asks whether lost wake-ups are to be looked for. */
const RESTORE_LOOK_MS = 60_000;
/** Pause between two looks that find nothing. */
const MIN_PAUSE_MS = 50;
/** How long a stop waits for the messages that are being sent. */
const STOP_MS = 8_000;

const pauseMs = backoff({ baseMs: 1_000, capMs: 15_000, jitter: 0.5 });

interface JobRunnerOptions extends JobPartResources {
  /** How many jobs this edge runs at a time; 0 for none. */
  readonly atOnce: number;
}

/**
 * Runs jobs of all tenants: as many at a time as `atOnce` says, half of them of one tenant at most. After a part of a job
 * all others have their turn. Any number of edges do so, and none leads: what is due, and who runs it, is in Redis.
 */
export class JobRunner {
  readonly #options: JobRunnerOptions;
  readonly #stop = new AbortController();
  /** The tenants of the jobs that run, by these. */
  readonly #running = new Map<Promise<void>, string>();
  #looking: Promise<void> | undefined;
  #wake: () => void = () => {};
  #restoring: Promise<void> = Promise.resolve();
  #restoreAt = 0;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
  }

  /** How many jobs run here. */
  get count(): number {
    return this.#running.size;
  }

  start(): void {
    if (this.#options.atOnce > 0) this.#looking ??= this.#look();
  }

  /** Looks for jobs at once: a client has stored or changed one. */
  nudge(): void {
    this.#wake();
  }

  /**
   * Begins nothing more. Resolves when the messages that are being sent have an answer, or after 8 s: another edge then
   * sends them again, under the same ids.
   */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#looking;
    await this.#restoring;
    await withTimeout(Promise.all(this.#running.keys()), STOP_MS);
  }

  async #look(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      // Before the look, so that nothing that comes during it is missed.
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#restore();
      let restMs = LOOK_MS;
      try {
        restMs = await this.#takeDue();
        failures = 0;
      } catch (error) {
        this.#options.logger.debug({ err: error }, 'could not look for jobs');
        restMs = pauseMs(failures);
        failures += 1;
      }
      const timer = new AbortController();
      await Promise.race([woken, delay(restMs, undefined, { signal: timer.signal }).catch(() => {})]);
      timer.abort();
    }
  }

  /** Looks for jobs whose wake-ups were lost. What is due is taken meanwhile. */
  #restore(): void {
    if (performance.now() < this.#restoreAt) return;
    this.#restoreAt = performance.now() + RESTORE_LOOK_MS;
    const { wakeUps, logger } = this.#options;
    this.#restoring = wakeUps.restore(this.#stop.signal).catch((error: unknown) => {
      logger.debug({ err: error }, 'could not look for lost wake-ups of jobs');
    });
  }

  /** Begins jobs that are due. Returns when to look again, ms. */
  async #takeDue(): Promise<number> {
    const { atOnce, wakeUps } = this.#options;
    const free = atOnce - this.#running.size;
    if (free <= 0) return LOOK_MS;
    const { taken, nextInMs = LOOK_MS } = await wakeUps.take({
      count: free,
      forMs: RUN_HOLDS_MS,
      perTenant: Math.ceil(atOnce / 2),
      running: this.#countsByTenant(),
    });
    for (const wakeUp of taken) this.#begin(wakeUp);
    return Math.min(LOOK_MS, Math.max(MIN_PAUSE_MS, nextInMs));
  }

  #countsByTenant(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const tenantId of this.#running.values()) counts.set(tenantId, (counts.get(tenantId) ?? 0) + 1);
    return counts;
  }

  #begin(wakeUp: WakeUp): void {
    const { tenantId, jobId } = wakeUp.ref;
    const { logger } = this.#options;
    const part = runJobPart(wakeUp, this.#options, this.#stop.signal)
      .catch((error: unknown) => {
        logger.warn({ err: error, tenantId, jobId }, 'a job was interrupted; an edge will go on with it');
      })
      .finally(() => {
        this.#running.delete(part);
        this.#wake();
      });
    this.#running.set(part, tenantId);
  }
}
