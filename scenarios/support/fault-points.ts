import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppProcess, Cluster } from '@wafleet/testkit';

const preload = new URL('../../packages/session/dist/testing/fault-points/preload.js', import.meta.url);

/** A sequence of steps of a worker, such as the handling of a message, up to where the worker halted. */
export interface Way {
  /** `before` and `after` each command and stanza; `failed` instead of `after` if it was refused. */
  readonly steps: readonly string[];
  /** The process that halts at the last step until it is killed. Undefined if the way continued. */
  readonly haltedPid: number | undefined;
  /** Whether every command and stanza that was begun is done. */
  readonly isSettled: boolean;
}

/**
 * Workers that halt in the middle of a way, each time at another step. See
 * packages/session/src/testing/fault-points.
 */
export class FaultPoints {
  readonly #folder = mkdtempSync(join(tmpdir(), 'wafleet-fault-points-'));

  /** Adds such a worker. It has capacity for one session. */
  async addWorker(cluster: Cluster): Promise<AppProcess> {
    const url = new URL(preload);
    url.searchParams.set('folder', this.#folder);
    return cluster.addWorker({ NODE_OPTIONS: `--import=${url.href}`, WORKER_CAPACITY: '1' });
  }

  /**
   * The id of a message that halts a worker. The first time that the message comes, the worker that handles it halts at
   * the first step at which no message of this session has halted a worker before, if there is one.
   */
  idOf(sessionId: string, number: number): string {
    return `DIE.${sessionId}.${number}`;
  }

  /**
   * From now on, what the given process (default: the one that claims the session next) does to a session is recorded
   * as a way of this name. The process halts before or after the first write, to Redis or to WhatsApp, at which no way
   * of the group has halted before, if there is one. Lasts until `disarm`.
   * @param order.group undefined for a way that halts nowhere.
   * @param order.until the way ends with this command or stanza, if that comes before `disarm`.
   * @param order.whatsapp how long a person may take to link a phone, in each worker that claims the session.
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
    // The rename is atomic: workers see the whole file or no file.
    renameSync(`${path}.new`, path);
  }

  /** From now on no way of the group halts at this step. */
  pass(group: string, step: string): void {
    writeFileSync(join(this.#folder, `halt.${group}.${encodeURIComponent(step)}`), '');
  }

  /** Reverts `pass`: a way of the group halts at this step again. */
  unpass(group: string, step: string): void {
    rmSync(join(this.#folder, `halt.${group}.${encodeURIComponent(step)}`), { force: true });
  }

  /** From now on no process halts because of the session. */
  disarm(sessionId: string): void {
    rmSync(join(this.#folder, `order.${sessionId}`), { force: true });
  }

  /** The current state of a way, by the id of its message or by the name that it was armed with. */
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

  /** Removes its files. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
