import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppProcess, Cluster } from '@wafleet/testkit';

const preload = new URL('../../packages/session/dist/testing/fault-points/preload.js', import.meta.url);

/** A way through a worker: what the worker did of it, in order, up to where it was halted. */
export interface Way {
  readonly steps: readonly string[];
  /** The process that halts at the last of the steps until it is killed; undefined when the way went on. */
  readonly haltedPid: number | undefined;
  /** Whether each command and stanza that was begun is done. */
  readonly isSettled: boolean;
}

/**
 * Workers that halt in the middle of a way, each time at another step: see
 * packages/session/src/testing/fault-points.
 */
export class FaultPoints {
  readonly #folder = mkdtempSync(join(tmpdir(), 'wafleet-fault-points-'));

  readonly #query: Readonly<Record<string, string>>;

  /** @param query for all its workers: `qrLifeMs`, `linkPatienceMs`. */
  constructor(query: Readonly<Record<string, string>> = {}) {
    this.#query = query;
  }

  /** Adds such a worker, for one session. */
  async addWorker(cluster: Cluster): Promise<AppProcess> {
    const url = new URL(preload);
    for (const [name, value] of Object.entries(this.#query)) url.searchParams.set(name, value);
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

  /**
   * From now on what is done to a session is a way, in the first process that does something to it. That one halts at
   * the given step, if it comes to it.
   */
  arm(sessionId: string, order: { way: string; haltAt?: string | undefined }): void {
    writeFileSync(join(this.#folder, `arm.${sessionId}`), `${order.way}\n${order.haltAt ?? ''}`);
  }

  disarm(sessionId: string): void {
    rmSync(join(this.#folder, `arm.${sessionId}`), { force: true });
  }

  /** What is known of a way by now: that of a message, by its id, or that of a session. */
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
