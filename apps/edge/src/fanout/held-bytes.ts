import type { TenantBuffers } from './buffer-budget.js';

/** Approximate bytes of an event besides its payload: objects and the head of its frame. */
const OVERHEAD_BYTES = 200;

/**
 * The bytes of one event while clients have not taken them. The clients of an edge share them, so they count once,
 * however many clients they wait for. All holders of an event belong to one tenant.
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
