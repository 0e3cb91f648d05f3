import { watchEventLoop } from '@wafleet/runtime';

/** How often the load of the process is measured, in ms. */
const PERIOD_MS = 100;
/** The share of its time, 0 to 1, that the event loop should work at most. */
const BUSY = 0.7;
/** What each tenant may begin in a period, however busy the process is. */
const LEAST = 30;
/** Minimum and maximum factor by which the level changes at once. */
const CHANGE = { least: 0.5, most: 1.25 };
/** Tenants that began nothing for this long do not count, in ms. */
const FORGOTTEN_MS = 1_000;
const NO_LEVEL = Number.POSITIVE_INFINITY;

interface FairPaceOptions {
  /** In ms. Default: the process's clock. */
  readonly now?: () => number;
  /** The share of its time, 0 to 1, that the process worked since the last call. Default: that of its event loop. */
  readonly utilization?: () => number;
}

/** What one of those that ask for work has begun. */
interface Account {
  /** In this period. */
  begun: number;
  begunAt: number;
  /** What counts against the level, as of `countedAt`. It decreases by one level in each period. */
  debt: number;
  countedAt: number;
}

/**
 * Bounds how much work each tenant may begin while the event loop is busy, so that time remains for work under way and
 * for new work. All tenants have the same level, which changes ten times a second. It is as high as the time of the
 * loop allows if tenants above the level begin only as much as the level (max-min fairness). So a tenant that asks for
 * little does not wait, whatever others ask for. No level applies while the process is not busy, or while only one
 * tenant asks for work.
 */
export class FairPace {
  readonly #now: () => number;
  readonly #utilization: () => number;
  readonly #accounts = new Map<string, Account>();
  #level = NO_LEVEL;
  #lookedAt: number;
  /** Whether the level has made work wait in this period. */
  #hasHeld = false;
  /** Number of periods since the start in which the level made work wait. */
  periods = 0;

  constructor({ now = () => performance.now(), utilization = watchEventLoop() }: FairPaceOptions = {}) {
    this.#now = now;
    this.#utilization = utilization;
    this.#lookedAt = now();
  }

  /** Milliseconds until work of this name may begin; 0 for now. */
  wait(name: string): number {
    this.#look();
    const account = this.#accounts.get(name);
    if (account === undefined || this.#level === NO_LEVEL) return 0;
    this.#settle(account);
    const over = account.debt + 1 - this.#level;
    if (over <= 0) return 0;
    this.#hasHeld = true;
    return Math.ceil((over * PERIOD_MS) / this.#level);
  }

  /** Counts pieces of work of this name: when the work begins, or when it turns out to be larger. */
  count(name: string, pieces = 1): void {
    const now = this.#now();
    const account = this.#accounts.get(name) ?? { begun: 0, begunAt: now, debt: 0, countedAt: now };
    this.#accounts.set(name, account);
    this.#settle(account);
    account.begun += pieces;
    account.begunAt = now;
    account.debt += pieces;
  }

  #settle(account: Account): void {
    const now = this.#now();
    const gone =
      this.#level === NO_LEVEL ? account.debt : (this.#level * (now - account.countedAt)) / PERIOD_MS;
    account.debt = Math.max(0, account.debt - gone);
    account.countedAt = now;
  }

  #look(): void {
    const now = this.#now();
    const periods = (now - this.#lookedAt) / PERIOD_MS;
    if (periods < 1) return;
    this.#lookedAt = now;
    const before = this.#level;
    const level = this.#nextLevel(periods);
    for (const [name, account] of this.#accounts) {
      this.#settle(account);
      // What began while no level applied counts from the first level on.
      account.debt = Math.min(level, before === NO_LEVEL ? account.begun : account.debt);
      account.begun = 0;
      if (now - account.begunAt >= FORGOTTEN_MS) this.#accounts.delete(name);
    }
    this.#level = level;
    if (this.#hasHeld) this.periods += 1;
    this.#hasHeld = false;
  }

  #nextLevel(periods: number): number {
    const room = BUSY / Math.max(this.#utilization(), BUSY / CHANGE.most);
    if (this.#accounts.size < 2) return NO_LEVEL;
    if (room >= 1) return this.#hasHeld ? this.#level * room : NO_LEVEL;
    const begun = [...this.#accounts.values()].map((account) => account.begun / periods);
    return Math.max(LEAST, levelOf(begun, Math.max(room, CHANGE.least)));
  }
}

/** The level that reduces the sum to this share of itself if all amounts above the level are cut to it. */
function levelOf(amounts: readonly number[], share: number): number {
  let left = share * amounts.reduce((sum, amount) => sum + amount, 0);
  let others = amounts.length;
  for (const amount of [...amounts].sort((a, b) => a - b)) {
    if (amount * others >= left) return left / others;
    left -= amount;
    others -= 1;
  }
  return NO_LEVEL;
}
