import { createHash, timingSafeEqual } from 'node:crypto';

/** A token that callers have to show. Kept as a hash, compared in constant time whatever the length of the guess. */
export class SecretToken {
  readonly #hash: Buffer;

  constructor(token: string) {
    this.#hash = hashOf(token);
  }

  matches(guess: string): boolean {
    return timingSafeEqual(this.#hash, hashOf(guess));
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
