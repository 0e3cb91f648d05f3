import { setTimeout as delay } from 'node:timers/promises';
import { FAULTS, type Fault, type FaultContext } from './faults.js';

/** A fault that happened. Times in ms since 1970. */
export interface FaultRecord {
  readonly kind: string;
  readonly startedAt: number;
  /** Undefined while it lasts. */
  endedAt: number | undefined;
  readonly delaysMessages: boolean;
}

/** At most this many faults last at the same time. */
const AT_ONCE = 4;
const TOTAL_WEIGHT = FAULTS.reduce((sum, { weight }) => sum + weight, 0);

/** Breaks parts of a running cluster at random moments. The seed determines which and when. */
export class FaultInjector {
  readonly records: FaultRecord[] = [];
  /** Faults that could not be repaired, such as a process that did not end or did not start. */
  readonly failures: string[] = [];
  readonly #context: FaultContext;
  readonly #running = new Set<Promise<void>>();

  constructor(context: FaultContext) {
    this.#context = context;
  }

  /**
   * Injects faults until the context's signal aborts. Resolves when the last one is repaired.
   * @param everyMs mean time between the starts of two faults.
   */
  async run(everyMs: number): Promise<void> {
    const { random, signal } = this.#context;
    while (!signal.aborted) {
      // Exponentially distributed, so that faults also come in bursts.
      const waitMs = Math.min(5 * everyMs, -Math.log(1 - random.next()) * everyMs);
      await delay(waitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) break;
      if (this.#running.size < AT_ONCE) this.#inject(this.#choose());
    }
    await Promise.all(this.#running);
  }

  /** How many faults of each kind happened. */
  get counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { kind } of this.records) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  /** The kinds of fault that may have delayed or repeated a message between two times, ms since 1970. */
  between(from: number, to: number): string[] {
    return this.records
      .filter(
        ({ delaysMessages, startedAt, endedAt = to }) => delaysMessages && startedAt <= to && endedAt >= from,
      )
      .map(({ kind }) => kind);
  }

  /** Every fault of any kind that lasted between two times, ms since 1970, as `kind for N s`. */
  during(from: number, to: number): string[] {
    return this.records
      .filter(({ startedAt, endedAt = to }) => startedAt <= to && endedAt >= from)
      .map(({ kind, startedAt, endedAt = to }) => `${kind} for ${seconds(endedAt - startedAt)}`);
  }

  /** Every fault as `from to: kind`, in seconds since `origin`, ms since 1970. */
  timeline(origin: number): string[] {
    return this.records.map(
      ({ kind, startedAt, endedAt = startedAt }) =>
        `${seconds(startedAt - origin)} to ${seconds(endedAt - origin)}: ${kind}`,
    );
  }

  #choose(): Fault {
    let left = this.#context.random.next() * TOTAL_WEIGHT;
    for (const fault of FAULTS) {
      left -= fault.weight;
      if (left < 0) return fault;
    }
    throw new Error('there are no faults');
  }

  #inject({ kind, run, delaysMessages }: Fault): void {
    const record: FaultRecord = { kind, startedAt: Date.now(), endedAt: undefined, delaysMessages };
    this.records.push(record);
    const running = run(this.#context)
      .then((happened) => {
        if (!happened) this.records.splice(this.records.indexOf(record), 1);
      })
      .catch((error: unknown) => {
        this.failures.push(`${kind}: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => {
        record.endedAt = Date.now();
        this.#running.delete(running);
      });
    this.#running.add(running);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
