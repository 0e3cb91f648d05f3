import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppProcess, Cluster } from '@wafleet/testkit';

const preload = new URL('../../packages/session/dist/testing/fault-points/preload.js', import.meta.url);

/** The way of one message through a worker: what the worker did of it, in order, up to where it was halted. */
export interface Way {
  readonly steps: readonly string[];
  /** The process that halts at the last of the steps until it is killed; undefined when the way went on. */
  readonly haltedPid: number | undefined;
  /** Whether each command and stanza that was begun is done. */
  readonly isSettled: boolean;
}

/**
 * Workers that halt in the middle of the way of a message, each time at another step: see
 * packages/session/src/testing/fault-points.
 */
export class FaultPoints {
  readonly #folder = mkdtempSync(join(tmpdir(), 'wafleet-fault-points-'));

  /** Adds such a worker, for one session. */
  async addWorker(cluster: Cluster): Promise<AppProcess> {
    const url = new URL(preload);
    url.searchParams.set('folder', this.#folder);
    return cluster.addWorker({ NODE_OPTIONS: `--import=${url.href}`, WORKER_CAPACITY: '1' });
  }

  /**
   * The id of a message during whose way through a worker, the first time that it comes, that worker halts at the
   * first step at which none of the session's has halted before, if there is one.
   */
  idOf(sessionId: string, number: number): string {
    return `DIE.${sessionId}.${number}`;
  }

  /** What is known of a message's way by now. */
  way(id: string): Way {
    const path = join(this.#folder, id);
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    const [, pid] = /^halted (\d+)$/.exec(lines.at(-1) ?? '') ?? [];
    const steps = pid === undefined ? lines : lines.slice(0, -1);
    const begun = steps.filter((step) => step.startsWith('before ')).length;
    return {
      steps,
      haltedPid: pid === undefined ? undefined : Number(pid),
      isSettled: steps.length > 0 && 2 * begun === steps.length,
    };
  }

  /** Removes what it left in the file system. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
