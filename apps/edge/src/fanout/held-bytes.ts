import type { TenantBuffers } from './buffer-budget.js';

/** What an event takes besides its payload, about: objects and the head of its frame. */
const OVERHEAD_BYTES = 200;

/**
 * The bytes of one event while clients have not taken them. They count once, however many clients of the edge they
 * wait for, since these share them. All holders of an event are of one tenant.
 */
export class HeldBytes {
  readonly size: number;
  #holders = 0;

  /** @param payload bytes of the payload. */
  constructor(payload: number) {
    this.size = payload + OVERHEAD_BYTES;
  }

  hold(buffers: TenantBuffers): void {
    if (this.#holders === 0) buffers.add(this.size);
    this.#holders += 1;
  }

  release(buffers: TenantBuffers): void {
    this.#holders -= 1;
    if (this.#holders === 0) buffers.add(-this.size);
  }
}
