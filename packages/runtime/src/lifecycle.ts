import type { Logger } from './logger.js';
import { withTimeout } from './with-timeout.js';

interface Stage {
  readonly name: string;
  readonly timeoutMs: number;
  readonly run: () => Promise<void> | void;
}

/**
 * Stops a process in stages, the reverse of the order in which they were registered, so that what was started
 * last stops first. Each stage has a time limit; one that fails or hangs is logged and the next one runs.
 */
export class Lifecycle {
  readonly #logger: Logger;
  readonly #stages: Stage[] = [];
  #stopping: Promise<boolean> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  onStop(name: string, run: () => Promise<void> | void, options: { timeoutMs?: number } = {}): void {
    this.#stages.push({ name, run, timeoutMs: options.timeoutMs ?? 10_000 });
  }

  /** Idempotent. Resolves to whether every stage ended well; never rejects. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#runStages();
    return this.#stopping;
  }

  async #runStages(): Promise<boolean> {
    let allWell = true;
    for (const stage of this.#stages.toReversed()) {
      const wentWell = await this.#runStage(stage);
      allWell &&= wentWell;
    }
    return allWell;
  }

  async #runStage(stage: Stage): Promise<boolean> {
    try {
      const isDone = await withTimeout(Promise.resolve().then(stage.run), stage.timeoutMs);
      if (!isDone) throw new Error(`not done after ${stage.timeoutMs} ms`);
      this.#logger.debug({ stage: stage.name }, 'stopped');
      return true;
    } catch (error) {
      this.#logger.error({ stage: stage.name, err: error }, 'a stage of stopping failed');
      return false;
    }
  }
}
