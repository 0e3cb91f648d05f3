import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { WrongGuesses } from '@wafleet/store';
import type { Limit } from './client-limits.js';
import { type Rate, TokenBuckets } from './token-bucket.js';

const MAX_ADDRESSES = 100_000;
const MAX_KEYS = 10_000;
/** Cost of a handshake with a wrong key, in addition to the handshake itself. */
const FINE_FOR_WRONG_KEY = 9;

interface HandshakeLimitsOptions {
  readonly perAddress: Rate;
  readonly perKey: Rate;
  /** Counts wrong keys for all edges together. */
  readonly guesses: Pick<WrongGuesses, 'countKey'>;
  readonly logger: Logger;
  readonly onExceeded: (
    limit: 'handshakes_per_address' | 'wrong_keys_per_address' | 'handshakes_per_key',
  ) => void;
}

/**
 * Bounds how fast connections are made to this edge, from one address and with one API key. Other edges count for
 * themselves: a load balancer spreads connections, and asking Redis would cost more than it protects. Wrong keys are
 * the exception: each is counted in Redis after it was refused, and wrong keys of the address at other edges then count
 * here too. Without Redis, this edge counts alone.
 */
export class HandshakeLimits {
  readonly #addresses: TokenBuckets;
  readonly #perAddress: Rate;
  readonly #guesses: HandshakeLimitsOptions['guesses'];
  readonly #logger: Logger;
  readonly #keys: TokenBuckets;
  readonly #onExceeded: HandshakeLimitsOptions['onExceeded'];

  constructor({ perAddress, perKey, guesses, onExceeded, logger }: HandshakeLimitsOptions) {
    this.#perAddress = perAddress;
    this.#guesses = guesses;
    this.#logger = logger;
    this.#addresses = new TokenBuckets(perAddress, { max: MAX_ADDRESSES });
    this.#keys = new TokenBuckets(perKey, { max: MAX_KEYS });
    this.#onExceeded = onExceeded;
  }

  /**
   * Counts the start of a handshake. Call it before anything is looked up.
   * @throws {WafleetError} TOO_MANY_HANDSHAKES
   */
  fromAddress(address: string): void {
    const waitMs = this.#addresses.of(address).take();
    if (waitMs === 0) return;
    this.#onExceeded('handshakes_per_address');
    throw tooMany('handshakes_per_address', 'Too many connections come from your address.', waitMs);
  }

  /** Counts a handshake with an invalid key: it counts ten times. */
  wrongKey(address: string): void {
    this.#fine(address, FINE_FOR_WRONG_KEY);
  }

  /**
   * Checks whether wrong keys or handshakes have used up what an address may have. Call it before looking up a
   * request's key that is not known to be valid.
   * @throws {WafleetError} RATE_LIMITED
   */
  checkRequest(address: string): void {
    const retryAfterMs = this.#addresses.of(address).wait();
    if (retryAfterMs === 0) return;
    this.#onExceeded('wrong_keys_per_address');
    const message = 'Too many requests without a valid API key, or connections, come from your address.';
    throw new WafleetError('RATE_LIMITED', message, {
      resource: 'wrong_keys_per_address' satisfies Limit,
      retryAfterMs,
    });
  }

  /** Counts a request with an invalid key: it counts as much as a handshake with one. */
  wrongKeyOfRequest(address: string): void {
    this.#fine(address, 1 + FINE_FOR_WRONG_KEY);
  }

  /**
   * Counts a handshake with a valid key.
   * @throws {WafleetError} TOO_MANY_HANDSHAKES
   */
  withKey(keyId: string): void {
    const waitMs = this.#keys.of(keyId).take();
    if (waitMs === 0) return;
    this.#onExceeded('handshakes_per_key');
    throw tooMany('handshakes_per_key', 'Too many connections are made with this API key.', waitMs);
  }

  /** Counts here at once, and for all edges as soon as Redis answers. The client does not wait for Redis. */
  #fine(address: string, cost: number): void {
    this.#addresses.of(address).fine(cost);
    this.#guesses.countKey(address, { cost: 1 + FINE_FOR_WRONG_KEY, ...this.#perAddress }).then(
      (left) => this.#addresses.of(address).lowerTo(left),
      (error: unknown) =>
        this.#logger.debug({ err: error }, 'a wrong key could not be counted for all edges'),
    );
  }
}

function tooMany(resource: Limit, message: string, retryAfterMs: number): WafleetError {
  return new WafleetError('TOO_MANY_HANDSHAKES', message, { resource, retryAfterMs });
}
