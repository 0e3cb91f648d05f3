import { type Edge, metricOf } from '@wafleet/testkit';

const LOOK_EVERY_MS = 250;

/** Samples the memory and CPU time of an edge every 250 ms. Close it in the end. */
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
        // The edge does not run, or is too busy to answer.
      }
    }, LOOK_EVERY_MS);
  }

  /** The peak memory and the mean share of a core since the last call. */
  take(): { readonly peakBytes: number; readonly cpuShare: number } {
    const looks = this.#looks;
    const [first, last] = [looks[0], looks.at(-1)];
    if (first === undefined || last === undefined) throw new Error('the edge has not answered yet');
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
