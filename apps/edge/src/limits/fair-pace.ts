import { watchEventLoop } from '@wafleet/runtime';

/** How often it is looked how busy the process is, ms. */
const PERIOD_MS = 100;
/** The share of its time, 0 to 1, that the event loop is to work at most. */
const BUSY = 0.7;
/** What each may begin in a period, however busy the process is. */
const LEAST = 30;
/** How many times as high as before the level is at least and at most. */
const CHANGE = { least: 0.5, most: 1.25 };
/** Those who began nothing for this long do not count, ms. */
const FORGOTTEN_MS = 1_000;
const NO_LEVEL = Number.POSITIVE_INFINITY;

interface FairPaceOptions {
  /** Ms. Default the process's clock. */
  readonly now?: () => number;
  /** The share of its time, 0 to 1, that the process worked since it was asked before. Default its event loop's. */
  readonly utilization?: () => number;
}

/** What one of those that ask for work has begun. */
interface Account {
  /** In this period. */
  begun: number;
  begunAt: number;
  /** What counts against the level, as of `countedAt`. One level of it goes in each period. */
  debt: number;
  countedAt: number;
}

/**
 * How much work each tenant may begin while the event loop is busy, so that some of its time is left for what is under
 * way and for what comes next. All have the same level, which changes ten times a second: it is as high as the time of
 * the loop allows if those who begin more than the level begin as much as the level (max-min fairness). So a tenant that
 * asks for little does not wait, whatever others ask for. There is no level while the process is not busy, and while one
 * tenant alone asks for work.
 */
export class FairPace {
  readonly #now: () => number;
  readonly #utilization: () => number;
  readonly #accounts = new Map<string, Account>();
  #level = NO_LEVEL;
  #lookedAt: number;
  /** Whether the level has made work wait in this period. */
  #hasHeld = false;
  /** In how many periods since the start it has. */
  periods = 0;

  constructor({ now = () => performance.now(), utilization = watchEventLoop() }: FairPaceOptions = {}) {
    this.#now = now;
    this.#utilization = utilization;
    this.#lookedAt = now();
  }

  /** After how many ms work of this name may begin; 0 for now. */
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

  /** Work of this name begins, or has turned out to be worth so many pieces more. */
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
      // What began without a level counts from the first one on.
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

/** The level at which all together are this share of what they are, if those above it are cut to it. */
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
