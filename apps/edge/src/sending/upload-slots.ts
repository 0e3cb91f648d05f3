import { WafleetError } from '@wafleet/contract';
import type { Limit } from '../limits/client-limits.js';

const RETRY_AFTER_MS = 5_000;

/** Bounds how many files an edge receives, converts and uploads at a time. Redis counts those of a tenant. */
export class UploadSlots {
  readonly #limit: number;
  #taken = 0;

  /** @param limit how many files may be uploaded at a time. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a slot.
   * @returns the function that releases it; call it once.
   * @throws {WafleetError} TOO_MANY_UPLOADS.
   */
  take(): () => void {
    const limit = this.#limit;
    if (this.#taken >= limit) {
      const message = `This edge uploads files in all its ${limit} places.`;
      throw new WafleetError('TOO_MANY_UPLOADS', message, {
        resource: 'media_uploads_per_edge' satisfies Limit,
        limit,
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    this.#taken += 1;
    return () => {
      this.#taken -= 1;
    };
  }
}
