import { WafleetError } from '@wafleet/contract';
import { FairLine } from '@wafleet/runtime';
import type { ClientLimits } from './client-limits.js';

/** Calls that begin in one turn of the event loop: what arrives meanwhile waits for their work. */
const BEGUN_PER_TURN = 4;
/** Of an address, whose calls may be those of several tenants. */
const TENANTS_PER_ADDRESS = 2;
const RETRY_AFTER_MS = 1_000;

/** The names of the limits in the metric. */
export type CallLimit = 'calls_per_tenant' | 'calls_per_key' | 'calls_per_address';

/** Whom a call is of: a tenant and its API key, or an address as long as the key is not known. */
export type Caller = { readonly tenantId: string; readonly keyId: string } | { readonly address: string };

interface CallLineOptions {
  readonly limits: Pick<ClientLimits, 'callsPerTenant' | 'callsPerKey'>;
  readonly onExceeded: (limit: CallLimit) => void;
}

interface Count {
  readonly limit: CallLimit;
  readonly of: string;
  readonly most: number;
}

/** A call that waits for its turn. */
interface Waiter {
  readonly tenant: string;
  readonly key: string;
  readonly settle: (isTurn: boolean) => void;
}

/**
 * Bounds the REST calls to this edge that are under way, of each tenant and API key, and lets them begin in turn: the
 * tenants take turns, and so do the keys of a tenant. So however many calls of one tenant arrive at once, a call of
 * another one waits for a few of them only. Counts this edge alone and makes no request: it is asked before a body is read
 * and before Redis is.
 */
export class CallLine {
  readonly #limits: CallLineOptions['limits'];
  readonly #onExceeded: CallLineOptions['onExceeded'];
  /** By limit and name. */
  readonly #underWay = new Map<string, number>();
  /** The waiting calls of each tenant, by key. The tenant whose turn is next comes first. */
  readonly #waiting = new Map<string, FairLine<Waiter>>();
  #begun = 0;
  #isScheduled = false;

  constructor({ limits, onExceeded }: CallLineOptions) {
    this.#limits = limits;
    this.#onExceeded = onExceeded;
  }

  /**
   * Counts a call from now on, until the place is left.
   * @throws {WafleetError} RATE_LIMITED when too many calls of the same tenant, key or address are under way.
   */
  enter(caller: Caller): CallPlace {
    return new CallPlace(this, caller, this.#take(caller));
  }

  /** As `enter`, for a call that is not counted: it waits for its turn only. */
  enterUncounted(caller: Caller): CallPlace {
    return new CallPlace(this, caller, undefined);
  }

  /** Counts a call for another caller than before. @throws {WafleetError} RATE_LIMITED */
  recount(counts: readonly Count[], caller: Caller): readonly Count[] {
    this.release(counts);
    return this.#take(caller);
  }

  release(counts: readonly Count[]): void {
    for (const { limit, of } of counts) {
      const name = nameOf(limit, of);
      const left = (this.#underWay.get(name) ?? 1) - 1;
      if (left > 0) this.#underWay.set(name, left);
      else this.#underWay.delete(name);
    }
  }

  /** Whether a call may begin at once, which it then does. */
  begin(): boolean {
    if (this.#waiting.size > 0 || this.#begun >= BEGUN_PER_TURN) return false;
    this.#begun += 1;
    this.#schedule();
    return true;
  }

  wait(waiter: Waiter): void {
    const { tenant, key } = waiter;
    const line = this.#waiting.get(tenant) ?? new FairLine<Waiter>();
    line.join(key, waiter);
    this.#waiting.set(tenant, line);
    this.#schedule();
  }

  withdraw(waiter: Waiter): void {
    const line = this.#waiting.get(waiter.tenant);
    line?.leave(waiter.key, waiter);
    if (line?.size === 0) this.#waiting.delete(waiter.tenant);
  }

  #take(caller: Caller): readonly Count[] {
    const counts = this.#countsOf(caller);
    for (const { limit, of, most } of counts) {
      const used = this.#underWay.get(nameOf(limit, of)) ?? 0;
      if (used < most) continue;
      this.#onExceeded(limit);
      throw new WafleetError('RATE_LIMITED', MESSAGES[limit], {
        ...{ resource: RESOURCES[limit], limit: most, used, retryAfterMs: RETRY_AFTER_MS },
      });
    }
    for (const { limit, of } of counts) {
      const name = nameOf(limit, of);
      this.#underWay.set(name, (this.#underWay.get(name) ?? 0) + 1);
    }
    return counts;
  }

  #countsOf(caller: Caller): Count[] {
    const { callsPerTenant, callsPerKey } = this.#limits;
    if ('address' in caller) {
      const most = callsPerTenant * TENANTS_PER_ADDRESS;
      return [{ limit: 'calls_per_address', of: caller.address, most }];
    }
    return [
      { limit: 'calls_per_tenant', of: caller.tenantId, most: callsPerTenant },
      { limit: 'calls_per_key', of: caller.keyId, most: callsPerKey },
    ];
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After what has arrived meanwhile was read, so that it is in the line, too.
    setImmediate(() => this.#beginNext());
  }

  #beginNext(): void {
    this.#isScheduled = false;
    this.#begun = 0;
    while (this.#begun < BEGUN_PER_TURN) {
      const waiter = this.#takeNext();
      if (waiter === undefined) break;
      this.#begun += 1;
      waiter.settle(true);
    }
    if (this.#begun > 0) this.#schedule();
  }

  #takeNext(): Waiter | undefined {
    for (const [tenant, line] of this.#waiting) {
      // The tenant goes to the end of the round.
      this.#waiting.delete(tenant);
      const waiter = line.next();
      if (line.size > 0) this.#waiting.set(tenant, line);
      return waiter;
    }
    return undefined;
  }
}

/** What a call has in a CallLine. */
export class CallPlace {
  readonly #line: CallLine;
  readonly #caller: Caller;
  #counts: readonly Count[] | undefined;
  #waiter: Waiter | undefined;
  #hasLeft = false;

  constructor(line: CallLine, caller: Caller, counts: readonly Count[] | undefined) {
    this.#line = line;
    this.#caller = caller;
    this.#counts = counts;
  }

  /** Resolves when the call may begin. Rejects if the place is left before. */
  async turn(): Promise<void> {
    if (this.#line.begin()) return;
    const isTurn = await new Promise<boolean>((settle) => {
      const caller = this.#caller;
      const [tenant, key] =
        'address' in caller ? [`address ${caller.address}`, ''] : [caller.tenantId, caller.keyId];
      this.#waiter = { tenant, key, settle };
      this.#line.wait(this.#waiter);
    });
    this.#waiter = undefined;
    if (!isTurn) throw new WafleetError('VALIDATION_FAILED', 'The connection was closed before the answer.');
  }

  /**
   * Counts the call for its tenant and key, once these are known.
   * @throws {WafleetError} RATE_LIMITED
   */
  recognize(caller: Caller): void {
    if (this.#counts === undefined || this.#hasLeft || !('address' in this.#caller)) return;
    const counts = this.#counts;
    this.#counts = [];
    this.#counts = this.#line.recount(counts, caller);
  }

  /** The call is answered, or its client is gone. */
  leave(): void {
    this.#hasLeft = true;
    if (this.#waiter !== undefined) {
      this.#line.withdraw(this.#waiter);
      this.#waiter.settle(false);
    }
    if (this.#counts !== undefined) this.#line.release(this.#counts);
    this.#counts = undefined;
  }
}

const RESOURCES: Readonly<Record<CallLimit, string>> = {
  calls_per_tenant: 'callsPerTenant',
  calls_per_key: 'callsPerKey',
  calls_per_address: 'callsPerAddress',
};

const MESSAGES: Readonly<Record<CallLimit, string>> = {
  calls_per_tenant: 'Too many calls of the tenant are under way at this edge.',
  calls_per_key: 'Too many calls with this API key are under way at this edge.',
  calls_per_address: 'Too many calls from your address are under way at this edge.',
};

function nameOf(limit: CallLimit, of: string): string {
  return `${limit} ${of}`;
}
