import { WafleetError } from '@wafleet/contract';
import { backoff, type Logger } from '@wafleet/runtime';
import type { AdminTokenWaits, WrongGuesses } from '@wafleet/store';
import { LRUCache } from 'lru-cache';
import type { Limit } from '../limits/client-limits.js';
import { TokenBucket } from '../limits/token-bucket.js';
import { SecretToken } from './secret-token.js';

const WAITS: AdminTokenWaits = {
  free: 20,
  firstMs: 1_000,
  longestMs: 60_000,
  longestOfAllMs: 10 * 60_000,
  // Unlike this process, Redis does not bound the number of addresses that guess.
  rememberMs: 15 * 60_000,
};
const guessWaitMs = backoff({ baseMs: WAITS.firstMs, capMs: WAITS.longestMs });
const REMEMBER_MS = 60 * 60_000;
const MAX_ADDRESSES = 100_000;
/** Limit of wrong tokens from all addresses together. */
const GUESSES_OF_ALL = { perSecond: 5, burst: 100 };

interface AdminAccessOptions {
  readonly onExceeded: () => void;
  /** Counts wrong tokens for all edges together. */
  readonly guesses: Pick<WrongGuesses, 'countAdminToken' | 'forgetAdminTokens'>;
  readonly logger: Logger;
}

interface Guesses {
  wrong: number;
  /** When the next token is checked, in ms of `performance.now()`. */
  until: number;
}

/**
 * Checks the admin token and bounds how often it is guessed. After twenty wrong tokens an address has to wait: one
 * second at first, then twice as long each time, up to a minute. While it waits, no token from it is checked, right or
 * wrong. While many addresses guess, tokens from addresses that guessed wrong before are not checked. Tokens from other
 * addresses are, so the administrator gets in meanwhile. Wrong tokens of an address at other edges count from its first
 * wrong token here on. While Redis is out of reach, this edge counts alone.
 */
export class AdminAccess {
  readonly #token: SecretToken;
  readonly #options: AdminAccessOptions;
  readonly #guesses = new LRUCache<string, Guesses>({ max: MAX_ADDRESSES, ttl: REMEMBER_MS });
  readonly #all = new TokenBucket(GUESSES_OF_ALL);

  constructor(token: string, options: AdminAccessOptions) {
    this.#token = new SecretToken(token);
    this.#options = options;
  }

  /**
   * Whether a token is the administrator's. A wrong token counts.
   * @throws {WafleetError} RATE_LIMITED if the address has to wait.
   */
  matches(guess: string, address: string): boolean {
    const waitMs = this.#waitMs(address);
    if (waitMs > 0) {
      this.#options.onExceeded();
      const message = 'Too many wrong admin tokens came. Try again later.';
      throw new WafleetError('RATE_LIMITED', message, {
        resource: 'wrong_admin_tokens' satisfies Limit,
        retryAfterMs: waitMs,
      });
    }
    if (this.#token.matches(guess)) {
      if (this.#guesses.delete(address)) this.#forget(address);
      return true;
    }
    this.#wrong(address);
    return false;
  }

  /** As `matches`, for calls that take another key. A token that is not checked is treated as wrong. Never throws. */
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
    const earlierWaits = wrong - WAITS.free;
    const waitMs = earlierWaits < 0 ? 0 : guessWaitMs(earlierWaits);
    this.#guesses.set(address, { wrong, until: performance.now() + waitMs });
    this.#countForAll(address);
  }

  #countForAll(address: string): void {
    const { guesses, logger } = this.#options;
    guesses.countAdminToken(address, WAITS).then(
      ({ wrong, waitMs }) => {
        const own = this.#guesses.get(address);
        // The right token has come meanwhile.
        if (own === undefined) return;
        const until = Math.max(own.until, performance.now() + waitMs);
        this.#guesses.set(address, { wrong: Math.max(own.wrong, wrong), until });
      },
      (error: unknown) =>
        logger.debug({ err: error }, 'a wrong admin token could not be counted for all edges'),
    );
  }

  #forget(address: string): void {
    const { guesses, logger } = this.#options;
    guesses.forgetAdminTokens(address).catch((error: unknown) => {
      logger.debug({ err: error }, 'wrong admin tokens could not be forgotten for all edges');
    });
  }
}
