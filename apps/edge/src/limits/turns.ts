import { FairQueue } from '@wafleet/runtime';
import type { FairPace } from './fair-pace.js';

/** Maximum pieces of work that begin in one turn of the event loop: what arrives meanwhile waits for them. */
const MOST_BEGUN = 4;
/** After a turn that took longer than this, fewer begin in the next, in ms. */
const LONG_TURN_MS = 4;

/** Whose work it is: a tenant's and its API key's, or an address's while the key is not known. */
export type Caller = { readonly tenantId: string; readonly keyId: string } | { readonly address: string };

interface TurnsOptions {
  readonly pace: Pick<FairPace, 'wait' | 'count'>;
  /** In ms. Default: the process's clock. */
  readonly now?: () => number;
}

/** Work that waits for its turn. */
interface Waiter {
  readonly tenant: string;
  readonly key: string;
  readonly settle: (isTurn: boolean) => void;
}

/**
 * Makes what clients ask for begin in turn: the tenants take turns, and so do the API keys of a tenant. At most four
 * pieces of work begin in one turn of the event loop. If the turn before took more than 4 ms, half as many begin as in
 * that turn, but at least one. So however much a tenant asks for at once, work of another tenant waits for only a few
 * pieces of it. While the event loop is busy, a tenant that asks for much waits longer: see FairPace.
 */
export class Turns {
  readonly #pace: Pick<FairPace, 'wait' | 'count'>;
  readonly #now: () => number;
  /** The waiting work of each tenant, by key. The tenant whose turn is next comes first. */
  readonly #waiting = new Map<string, FairQueue<Waiter>>();
  /** How many may begin in this turn, and how many have. */
  #most = MOST_BEGUN;
  #begun = 0;
  #isScheduled = false;
  #scheduledAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #size = 0;

  constructor({ pace, now = () => performance.now() }: TurnsOptions) {
    this.#pace = pace;
    this.#now = now;
  }

  /** How much work waits. */
  get size(): number {
    return this.#size;
  }

  /** The turn of a piece of work that is requested now. */
  of(caller: Caller): Turn {
    return new Turn(this, caller);
  }

  /** Begins work at once if it may. Returns whether it did. */
  begin(tenant: string): boolean {
    if (this.#size > 0 || this.#begun >= this.#most || this.#pace.wait(tenant) > 0) return false;
    this.#begun += 1;
    this.#pace.count(tenant);
    this.#schedule();
    return true;
  }

  wait(waiter: Waiter): void {
    const { tenant, key } = waiter;
    const line = this.#waiting.get(tenant) ?? new FairQueue<Waiter>();
    line.join(key, waiter);
    this.#waiting.set(tenant, line);
    this.#size += 1;
    this.#schedule();
  }

  withdraw(waiter: Waiter): void {
    const line = this.#waiting.get(waiter.tenant);
    if (line === undefined) return;
    this.#size -= line.size;
    line.leave(waiter.key, waiter);
    this.#size += line.size;
    if (line.size === 0) this.#waiting.delete(waiter.tenant);
  }

  /** Charges work that has begun as this many pieces more than one. */
  charge(tenant: string, pieces: number): void {
    if (pieces > 0) this.#pace.count(tenant, pieces);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#scheduledAt = this.#now();
    clearTimeout(this.#timer);
    // After reading what arrived meanwhile, so that it is in the line, too.
    setImmediate(() => this.#beginNext());
  }

  #beginNext(): void {
    this.#isScheduled = false;
    const isLong = this.#now() - this.#scheduledAt > LONG_TURN_MS;
    this.#most = isLong ? Math.max(1, Math.floor(this.#most / 2)) : Math.min(MOST_BEGUN, this.#most + 1);
    this.#begun = 0;
    let waitMs = 0;
    while (this.#begun < this.#most && this.#size > 0) {
      waitMs = this.#beginOne();
      if (waitMs > 0) break;
    }
    if (this.#begun > 0) this.#schedule();
    else if (waitMs > 0) this.#timer = setTimeout(() => this.#schedule(), waitMs);
  }

  /**
   * Begins the next piece of work that may begin. Returns 0 if there was one, otherwise the ms until there may be one.
   */
  #beginOne(): number {
    let waitMs = Number.POSITIVE_INFINITY;
    for (const [tenant, line] of this.#waiting) {
      const tenantWaitMs = this.#pace.wait(tenant);
      waitMs = Math.min(waitMs, tenantWaitMs);
      if (tenantWaitMs > 0) continue;
      // The tenant goes to the end of the round.
      this.#waiting.delete(tenant);
      const waiter = line.next();
      if (line.size > 0) this.#waiting.set(tenant, line);
      if (waiter === undefined) continue;
      this.#size -= 1;
      this.#begun += 1;
      this.#pace.count(tenant);
      waiter.settle(true);
      break;
    }
    return waitMs;
  }
}

/** The turn of one piece of work. */
export class Turn {
  readonly #turns: Turns;
  readonly #tenant: string;
  readonly #key: string;
  #waiter: Waiter | undefined;
  #isWithdrawn = false;

  constructor(turns: Turns, caller: Caller) {
    this.#turns = turns;
    [this.#tenant, this.#key] =
      'address' in caller ? [`address ${caller.address}`, ''] : [caller.tenantId, caller.keyId];
  }

  /** Resolves to true when the work may begin, to false if it was withdrawn before. Call it once. */
  async come(): Promise<boolean> {
    if (this.#isWithdrawn) return false;
    if (this.#turns.begin(this.#tenant)) return true;
    const isTurn = await new Promise<boolean>((settle) => {
      this.#waiter = { tenant: this.#tenant, key: this.#key, settle };
      this.#turns.wait(this.#waiter);
    });
    this.#waiter = undefined;
    return isTurn;
  }

  /** Charges the work as this many pieces more than one. */
  charge(pieces: number): void {
    this.#turns.charge(this.#tenant, pieces);
  }

  /** Withdraws the work. No effect once it has begun. */
  withdraw(): void {
    this.#isWithdrawn = true;
    if (this.#waiter === undefined) return;
    this.#turns.withdraw(this.#waiter);
    this.#waiter.settle(false);
  }
}
