import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppProcess, Cluster } from '@wafleet/testkit';

const preload = new URL('../../packages/session/dist/testing/fault-points/preload.js', import.meta.url);

/** A way through a worker: what the worker did of it, in order, up to where it was halted. */
export interface Way {
  /** `before` and `after` each command and stanza; `failed` instead of `after` where it was refused. */
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

  /**
   * What the given process does to a session from now on, or that which claims it next, is a way of this name. The
   * process halts before or after the first write, to Redis or to WhatsApp, where no way of the group has halted
   * before, if there is one. Lasts until `disarm`.
   * @param order.group undefined for a way that halts nowhere.
   * @param order.until the command or stanza with which the way is over, if that is before `disarm`.
   * @param order.whatsapp how long the session lets its person take to link a phone, in each worker that claims it.
   */
  arm(
    { sessionId, tenantId }: { sessionId: string; tenantId: string },
    order: {
      readonly way: string;
      readonly group?: string | undefined;
      readonly until?: string | undefined;
      readonly pid?: number | undefined;
      readonly whatsapp?: { readonly qrLifeMs: number; readonly linkPatienceMs: number } | undefined;
    },
  ): void {
    const path = join(this.#folder, `order.${sessionId}`);
    writeFileSync(`${path}.new`, JSON.stringify({ ...order, tenantId }));
    // Workers see all of it or none.
    renameSync(`${path}.new`, path);
  }

  /** No way of the group halts at this step any more. */
  pass(group: string, step: string): void {
    writeFileSync(join(this.#folder, `halt.${group}.${encodeURIComponent(step)}`), '');
  }

  /** A way of the group halts at this step again, after `pass`. */
  unpass(group: string, step: string): void {
    rmSync(join(this.#folder, `halt.${group}.${encodeURIComponent(step)}`), { force: true });
  }

  /** From here on nothing halts because of the session. */
  disarm(sessionId: string): void {
    rmSync(join(this.#folder, `order.${sessionId}`), { force: true });
  }

  /** What is known of a way by now: that of a message, by its id, or one that was armed, by its name. */
  way(name: string): Way {
    const path = join(this.#folder, name);
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
