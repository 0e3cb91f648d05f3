import { WafleetError } from '@wafleet/contract';
import type { Limit } from './client-limits.js';

const RETRY_AFTER_MS = 5_000;

/** What is bounded, and how a refusal says so. */
const DIRECTIONS = {
  downloads: { code: 'TOO_MANY_DOWNLOADS', resource: 'media_downloads_per_edge' },
  uploads: { code: 'TOO_MANY_UPLOADS', resource: 'media_uploads_per_edge' },
} as const satisfies Record<string, { code: string; resource: Limit }>;

/** Bounds how many files an edge downloads, or uploads, at a time. Redis counts those of a tenant. */
export class FileSlots {
  readonly #direction: keyof typeof DIRECTIONS;
  readonly #limit: number;
  #taken = 0;

  /** @param limit how many files may be under way at a time. */
  constructor(direction: keyof typeof DIRECTIONS, limit: number) {
    this.#direction = direction;
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a slot.
   * @returns the function that releases it; call it once.
   * @throws {WafleetError} TOO_MANY_DOWNLOADS or TOO_MANY_UPLOADS.
   */
  take(): () => void {
    const direction = this.#direction;
    const limit = this.#limit;
    if (this.#taken >= limit) {
      const { code, resource } = DIRECTIONS[direction];
      const message = `This edge ${direction} files in all its ${limit} places.`;
      throw new WafleetError(code, message, { resource, limit, retryAfterMs: RETRY_AFTER_MS });
    }
    this.#taken += 1;
    return () => {
      this.#taken -= 1;
    };
  }
}
