import { WafleetError } from '@wafleet/contract';
import { LRUCache } from 'lru-cache';
import { TokenBucket } from '../limits/token-bucket.js';
import { SecretToken } from './secret-token.js';

/** Wrong tokens of an address before it has to wait. */
const FREE_GUESSES = 20;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
const REMEMBER_MS = 60 * 60_000;
const MAX_ADDRESSES = 100_000;
/** Wrong tokens of all addresses together. */
const GUESSES_OF_ALL = { perSecond: 5, burst: 100 };

interface Guesses {
  wrong: number;
  /** When the next token is looked at, ms of `performance.now()`. */
  until: number;
}

/**
 * Checks the admin token and bounds how often it is guessed. After twenty wrong tokens an address waits, a second at first
 * and twice as long each time, up to a minute. While it waits no token of it is looked at, right or wrong. When many
 * addresses guess, those that have guessed wrong before are not looked at any more; an address that never did is, so
 * the administrator gets in meanwhile.
 */
export class AdminAccess {
  readonly #token: SecretToken;
  readonly #onExceeded: () => void;
  readonly #guesses = new LRUCache<string, Guesses>({ max: MAX_ADDRESSES, ttl: REMEMBER_MS });
  readonly #all = new TokenBucket(GUESSES_OF_ALL);

  constructor(token: string, { onExceeded }: { onExceeded: () => void }) {
    this.#token = new SecretToken(token);
    this.#onExceeded = onExceeded;
  }

  /**
   * Whether a token is the administrator's. A wrong one counts.
   * @throws {WafleetError} RATE_LIMITED when the address has to wait.
   */
  matches(guess: string, address: string): boolean {
    const waitMs = this.#waitMs(address);
    if (waitMs > 0) {
      this.#onExceeded();
      const message = 'Too many wrong admin tokens came. Try again later.';
      throw new WafleetError('RATE_LIMITED', message, { retryAfterMs: waitMs });
    }
    if (this.#token.matches(guess)) {
      this.#guesses.delete(address);
      return true;
    }
    this.#wrong(address);
    return false;
  }

  /** The same for calls that take another key: a token that is not looked at counts as a wrong one. Never throws. */
  isShown(guess: string, address: string): boolean {
    return this.#waitMs(address) === 0 && this.matches(guess, address);
  }

  #waitMs(address: string): number {
    const guesses = this.#guesses.get(address);
    if (guesses === undefined) return 0;
    return Math.max(Math.ceil(guesses.until - performance.now()), this.#all.wait(), 0);
  }

  #wrong(address: string): void {
    this.#all.fine(1);
    const wrong = (this.#guesses.get(address)?.wrong ?? 0) + 1;
    const doubled = wrong - FREE_GUESSES;
    const waitMs = doubled < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** doubled, LONGEST_WAIT_MS);
    this.#guesses.set(address, { wrong, until: performance.now() + waitMs });
  }
}
