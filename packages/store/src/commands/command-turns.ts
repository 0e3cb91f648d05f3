import { FairQueue, withTimeout } from '@wafleet/runtime';

/** How often waiting work checks whether the process is less busy, ms. */
const LOOK_MS = 100;

interface TurnLimits {
  /** How many pieces of work run at a time. */
  readonly concurrency: number;
  /** How many of one tenant run at a time. */
  readonly perTenant: number;
  /** How many of one tenant run even if `concurrency` is used up, so that other tenants' work cannot block them. */
  readonly reserved: number;
  /** How many of one tenant may run at the current load of the process, at least 1. Default: unlimited. */
  readonly whenBusy?: () => number;
}

export interface Turn {
  readonly tenantId: string;
  /** Work with the same tenant and the same name runs one after the other, in order of arrival. Default: no order. */
  readonly inOrderOf?: string | undefined;
  /** How long the next work in the order waits for this one, ms. After that, this one's sender has given up. */
  readonly holdsMs: number;
  /** Never rejects. */
  readonly run: () => Promise<void>;
  /** Called instead of `run` if the turns are closed before it begins. Never rejects. */
  readonly discard: () => Promise<void>;
}

/** The work of one order. It has one place in the line while some of it waits and none runs. */
interface Order {
  readonly tenantId: string;
  readonly name: string | undefined;
  readonly waiting: Turn[];
  isRunning: boolean;
}

/**
 * Runs work in turns: tenant by tenant, and within a tenant session by session. The waiting work of one tenant
 * therefore makes another tenant wait for one turn only, and the same holds for the sessions of a tenant.
 */
export class CommandTurns {
  readonly #limits: TurnLimits;
  readonly #line = new FairQueue<Order>();
  readonly #orders = new Map<string, Order>();
  readonly #runningOf = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #looking: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  add(turn: Turn): void {
    if (this.#isClosed) {
      this.#track(turn.discard());
      return;
    }
    const order = this.#orderOf(turn);
    order.waiting.push(turn);
    if (!order.isRunning && order.waiting.length === 1) this.#line.join(turn.tenantId, order);
    this.#advance();
  }

  /** Discards waiting work, and resolves when nothing runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#looking);
    for (const order of [...this.#line, ...this.#orders.values()]) {
      for (const turn of order.waiting.splice(0)) this.#track(turn.discard());
    }
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #orderOf({ tenantId, inOrderOf }: Turn): Order {
    const fresh: Order = { tenantId, name: inOrderOf, waiting: [], isRunning: false };
    if (inOrderOf === undefined) return fresh;
    const key = `${tenantId}/${inOrderOf}`;
    const known = this.#orders.get(key);
    if (known !== undefined) return known;
    this.#orders.set(key, fresh);
    return fresh;
  }

  #advance(): void {
    while (!this.#isClosed) {
      const order = this.#line.next((tenantId) => this.#hasRoom(tenantId));
      const turn = order?.waiting.shift();
      if (order === undefined || turn === undefined) {
        this.#lookAgain();
        return;
      }
      this.#run(order, turn);
    }
  }

  /**
   * Starts work that waited for a busy process once it is less busy, even if no other work ends or arrives meanwhile.
   */
  #lookAgain(): void {
    if (this.#limits.whenBusy === undefined || this.#line.size === 0 || this.#looking !== undefined) return;
    this.#looking = setTimeout(() => {
      this.#looking = undefined;
      this.#advance();
    }, LOOK_MS);
  }

  #hasRoom(tenantId: string): boolean {
    const { concurrency, perTenant, reserved, whenBusy } = this.#limits;
    const own = this.#runningOf.get(tenantId) ?? 0;
    // Evaluated last: a tenant's first piece of work never waits for a process that is busy with other tenants' work.
    return (
      own < perTenant &&
      (own < reserved || this.#running.size < concurrency) &&
      (own === 0 || own < (whenBusy?.() ?? perTenant))
    );
  }

  #run(order: Order, turn: Turn): void {
    const { tenantId } = order;
    order.isRunning = true;
    this.#runningOf.set(tenantId, (this.#runningOf.get(tenantId) ?? 0) + 1);
    const run = turn.run().finally(() => {
      const left = (this.#runningOf.get(tenantId) ?? 1) - 1;
      if (left > 0) this.#runningOf.set(tenantId, left);
      else this.#runningOf.delete(tenantId);
    });
    this.#track(run);
    void withTimeout(run, turn.holdsMs).then(() => this.#continue(order));
  }

  /** Queues the next work of an order for its turn. */
  #continue(order: Order): void {
    order.isRunning = false;
    if (order.waiting.length > 0) this.#line.join(order.tenantId, order);
    else if (order.name !== undefined) this.#orders.delete(`${order.tenantId}/${order.name}`);
    this.#advance();
  }

  #track(run: Promise<void>): void {
    const tracked = run.finally(() => {
      this.#running.delete(tracked);
      this.#advance();
    });
    this.#running.add(tracked);
  }
}
