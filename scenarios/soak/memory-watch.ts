import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '@wafleet/testkit';

const EVERY_MS = 5_000;

/** Reads the resident memory of all processes of a cluster every five seconds. */
export class MemoryWatch {
  /** The largest value of each kind of process, MiB. */
  readonly peaks: Record<'worker' | 'edge' | 'placer', number> = { worker: 0, edge: 0, placer: 0 };
  readonly #cluster: Cluster;
  readonly #abort = new AbortController();
  readonly #watching: Promise<void>;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const { workers, edges, placers } = this.#cluster;
      const processes = [
        ...workers.map(({ pid }) => ({ kind: 'worker' as const, pid })),
        ...edges.map(({ process }) => ({ kind: 'edge' as const, pid: process.pid })),
        ...placers.map(({ pid }) => ({ kind: 'placer' as const, pid })),
      ];
      for (const { kind, pid } of processes) {
        this.peaks[kind] = Math.max(this.peaks[kind], await residentMiB(pid));
      }
      await delay(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }
}

/** 0 for a process that has ended. */
async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024);
}
