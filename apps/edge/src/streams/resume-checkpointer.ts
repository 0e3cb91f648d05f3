import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Logger } from '@wafleet/runtime';
import type { ResumePoint, ResumeRecords, ResumeRef } from '@wafleet/store';

/** How far a client has got. */
interface Progress {
  readonly ref: ResumeRef;
  /** undefined for a client that has not subscribed. */
  readonly point: ResumePoint | undefined;
}

interface ResumeCheckpointerOptions {
  readonly records: ResumeRecords;
  readonly logger: Logger;
  /** How often the record of a client without changes is kept alive. Default: a quarter of its life. */
  readonly keepEveryMs?: number;
}

const WRITE_EVERY_MS = 1_000;
/** Records that are written in one turn of the event loop; all others wait for that. */
const WRITTEN_PER_TURN = 25;

/** Writes how far clients have got, once a second for all together, so that another edge can resume from there. */
export class ResumeCheckpointer {
  readonly #records: ResumeRecords;
  readonly #logger: Logger;
  readonly #keepEveryMs: number;
  readonly #writing: NodeJS.Timeout;
  readonly #keptAt = new WeakMap<ResumeRef, number>();
  #waiting = new Map<ResumeRef, () => Promise<void>>();

  constructor({ records, logger, keepEveryMs }: ResumeCheckpointerOptions) {
    this.#records = records;
    this.#logger = logger;
    this.#keepEveryMs = keepEveryMs ?? records.lifeMs / 4;
    this.#writing = setInterval(() => void this.#write(), WRITE_EVERY_MS);
  }

  /**
   * Notes that a client has progressed. The write takes its progress at that time, since it may have to go back
   * meanwhile.
   */
  note(progress: Progress): void {
    const { ref } = progress;
    this.#keptAt.set(ref, performance.now());
    this.#waiting.set(ref, async () => {
      const { point } = progress;
      if (point !== undefined) await this.#records.advance(ref, point);
    });
  }

  /** Notes that a client without changes is still there: its record must not expire meanwhile. */
  keep(ref: ResumeRef): void {
    const now = performance.now();
    const keptAt = this.#keptAt.get(ref);
    // The first time shows that the client is there: before that, it is remembered for minutes only.
    const isDue = keptAt === undefined || now - keptAt >= this.#keepEveryMs;
    if (!isDue || this.#waiting.has(ref)) return;
    this.#keptAt.set(ref, now);
    this.#waiting.set(ref, () => this.#records.keep(ref));
  }

  forget(ref: ResumeRef): void {
    this.#waiting.delete(ref);
  }

  /** Writes everything that waits. */
  async close(): Promise<void> {
    clearInterval(this.#writing);
    await this.#write();
  }

  async #write(): Promise<void> {
    const waiting = [...this.#waiting.values()];
    this.#waiting = new Map();
    const tryWrite = async (write: () => Promise<void>) => {
      try {
        await write();
      } catch (error) {
        // The record stays further back: its client gets some events twice.
        this.#logger.debug({ err: error }, 'a client’s position could not be written');
      }
    };
    const writing: Promise<void>[] = [];
    for (const write of waiting) {
      if (writing.length > 0 && writing.length % WRITTEN_PER_TURN === 0) await turnOfEventLoop();
      writing.push(tryWrite(write));
    }
    await Promise.all(writing);
  }
}
