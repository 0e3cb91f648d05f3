import { type Edge, metricOf } from '@wafleet/testkit';

const LOOK_EVERY_MS = 250;

/** What an edge takes of the machine, looked at all the time. Close it in the end. */
export class EdgeWatch {
  readonly #looking: NodeJS.Timeout;
  #looks: { readonly at: number; readonly bytes: number; readonly cpuSeconds: number }[] = [];

  constructor(edge: Edge) {
    this.#looking = setInterval(async () => {
      try {
        const bytes = await metricOf(edge, 'process_resident_memory_bytes');
        const cpuSeconds = await metricOf(edge, 'process_cpu_seconds_total');
        this.#looks.push({ at: performance.now(), bytes, cpuSeconds });
      } catch {
        // It does not run, or is too busy to tell.
      }
    }, LOOK_EVERY_MS);
  }

  /** The most memory and the mean share of a core, since it was asked last. */
  take(): { readonly peakBytes: number; readonly cpuShare: number } {
    const looks = this.#looks;
    const [first, last] = [looks[0], looks.at(-1)];
    if (first === undefined || last === undefined) throw new Error('the edge told nothing');
    this.#looks = [last];
    return {
      peakBytes: Math.max(...looks.map(({ bytes }) => bytes)),
      cpuShare: ((last.cpuSeconds - first.cpuSeconds) * 1_000) / (last.at - first.at),
    };
  }

  close(): void {
    clearInterval(this.#looking);
  }
}
