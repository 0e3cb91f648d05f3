import type { Logger } from '@wafleet/runtime';
import { type JobRun, type JobRuns, type JobWakeUps, RUN_HOLDS_MS, type WakeUp } from '@wafleet/store';

interface HoldResources {
  readonly runs: JobRuns;
  readonly wakeUps: JobWakeUps;
  readonly logger: Logger;
}

/** Holds a job while this edge runs a part of it: other edges look at it only if this one dies. */
export class RunHold {
  readonly #run: JobRun;
  readonly #resources: HoldResources;
  readonly #timer: NodeJS.Timeout;
  #wakeUp: WakeUp | undefined;
  #renewing: Promise<void> = Promise.resolve();
  #isLost = false;

  constructor(run: JobRun, wakeUp: WakeUp, resources: HoldResources) {
    this.#run = run;
    this.#wakeUp = wakeUp;
    this.#resources = resources;
    this.#timer = setInterval(() => {
      this.#renewing = this.#renewing.then(() => this.#renew());
    }, RUN_HOLDS_MS / 3);
  }

  /** Whether another run has the job. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Gives the job back: it is due when it can go on, for any edge. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    const { runs, wakeUps } = this.#resources;
    const nextInMs = await runs.release(this.#run);
    await wakeUps.put(this.#run, nextInMs, this.#wakeUp?.score);
  }

  async #renew(): Promise<void> {
    const { runs, wakeUps, logger } = this.#resources;
    try {
      if (await runs.renew(this.#run)) {
        this.#wakeUp = await wakeUps.put(this.#run, RUN_HOLDS_MS, this.#wakeUp?.score);
      } else {
        this.#isLost = true;
      }
    } catch (error) {
      logger.debug(
        { err: error, jobId: this.#run.jobId },
        'a job could not be held; another edge may take it',
      );
    }
  }
}
