import { WafleetError } from '@wafleet/contract';
import type { ClientLimits } from './client-limits.js';
import type { Caller, Turn, Turns } from './turns.js';

/**
 * The limit of an address is this many times the limit of a tenant, since its calls may be those of several tenants.
 */
const TENANTS_PER_ADDRESS = 2;
const RETRY_AFTER_MS = 1_000;

/** The names of the limits in the metric. */
export type CallLimit = 'calls_per_tenant' | 'calls_per_key' | 'calls_per_address';

interface CallLineOptions {
  readonly limits: Pick<ClientLimits, 'callsPerTenant' | 'callsPerKey'>;
  /** Where calls wait, together with what sockets ask for. */
  readonly turns: Turns;
  readonly onExceeded: (limit: CallLimit) => void;
}

interface Count {
  readonly limit: CallLimit;
  readonly of: string;
  readonly most: number;
}

/**
 * Bounds the REST calls under way at this edge, per tenant and API key, and makes each wait for its turn. Counts this
 * edge alone and makes no request: it runs before a body is read and before Redis is asked.
 */
export class CallLine {
  readonly #limits: CallLineOptions['limits'];
  readonly #turns: Turns;
  readonly #onExceeded: CallLineOptions['onExceeded'];
  /** Calls under way, by limit and name. */
  readonly #underWay = new Map<string, number>();

  constructor({ limits, turns, onExceeded }: CallLineOptions) {
    this.#limits = limits;
    this.#turns = turns;
    this.#onExceeded = onExceeded;
  }

  /**
   * Counts a call until its place is left.
   * @throws {WafleetError} RATE_LIMITED if too many calls of the same tenant, key or address are under way.
   */
  enter(caller: Caller): CallPlace {
    return new CallPlace(this, { caller, turn: this.#turns.of(caller), counts: this.#take(caller) });
  }

  /** As `enter`, for a call that is not counted: it only waits for its turn. */
  enterUncounted(caller: Caller): CallPlace {
    return new CallPlace(this, { caller, turn: this.#turns.of(caller) });
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
}

/** The place of a call in a CallLine. */
export class CallPlace {
  readonly #line: CallLine;
  readonly #caller: Caller;
  readonly #turn: Turn;
  #counts: readonly Count[] | undefined;
  #hasLeft = false;

  constructor(
    line: CallLine,
    { caller, turn, counts }: { caller: Caller; turn: Turn; counts?: readonly Count[] },
  ) {
    this.#line = line;
    this.#caller = caller;
    this.#turn = turn;
    this.#counts = counts;
  }

  /** Resolves when the call may begin. Rejects if the place is left before. */
  async turn(): Promise<void> {
    if (await this.#turn.come()) return;
    throw new WafleetError('VALIDATION_FAILED', 'The connection was closed before the answer.');
  }

  /** Charges the call as this many small calls. */
  weigh(units: number): void {
    this.#turn.charge(units - 1);
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
    this.#turn.withdraw();
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
