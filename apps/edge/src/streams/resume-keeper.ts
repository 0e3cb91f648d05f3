import type { EventPosition } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { ResumeRecords, ResumeRef } from '@wafleet/store';

const WRITE_EVERY_MS = 1_000;

/** Writes how far clients have got, once a second for all together, so that another edge can go on from there. */
export class ResumeKeeper {
  readonly #records: ResumeRecords;
  readonly #logger: Logger;
  readonly #writing: NodeJS.Timeout;
  #waiting = new Map<ResumeRef, EventPosition>();

  constructor({ records, logger }: { records: ResumeRecords; logger: Logger }) {
    this.#records = records;
    this.#logger = logger;
    this.#writing = setInterval(() => void this.#write(), WRITE_EVERY_MS);
  }

  /** @param ref the same object for the same client. */
  note(ref: ResumeRef, position: EventPosition): void {
    this.#waiting.set(ref, position);
  }

  forget(ref: ResumeRef): void {
    this.#waiting.delete(ref);
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    clearInterval(this.#writing);
    await this.#write();
  }

  async #write(): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting = new Map();
    const write = async ([ref, position]: [ResumeRef, EventPosition]) => {
      try {
        await this.#records.advance(ref, position);
      } catch (error) {
        // The record stays further back: its client gets some events twice.
        this.#logger.debug({ err: error }, 'a client’s position could not be written');
      }
    };
    await Promise.all(waiting.map(write));
  }
}
