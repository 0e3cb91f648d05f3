import type { BufferHolder, TenantBuffers } from './buffer-budget.js';
import type { HeldBytes } from './held-bytes.js';

/** What one client holds and has not read. */
export class UnreadEvents {
  readonly #buffers: TenantBuffers;
  readonly #holder: BufferHolder;
  /** What the transport was given and the operating system has not taken, in this order. */
  #sending: { readonly held: HeldBytes; readonly bytes: number }[] = [];
  #sendingBytes = 0;
  #count = 0;
  /** How many of the events that waited the client has taken. */
  taken = 0;

  constructor(buffers: TenantBuffers, holder: BufferHolder) {
    this.#buffers = buffers;
    this.#holder = holder;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether the operating system has not taken all that the transport was given. */
  get isSending(): boolean {
    return this.#sending.length > 0;
  }

  /** An event waits for the client. */
  hold(held: HeldBytes): void {
    if (this.#count === 0) this.#buffers.join(this.#holder);
    this.#count += 1;
    held.hold(this.#buffers);
  }

  /** An event that was held does not wait any more. */
  release(held: HeldBytes): void {
    this.#count -= 1;
    this.taken += 1;
    if (this.#count === 0) this.#buffers.leave(this.#holder);
    held.release(this.#buffers);
  }

  /** An event was given to the transport. It counts until `sent` shows that the operating system has it. */
  send(held: HeldBytes, bytes: number): void {
    this.hold(held);
    this.#sending.push({ held, bytes });
    this.#sendingBytes += bytes;
  }

  /** Notes how many bytes of the transport the operating system has not taken. */
  sent(unsentBytes: number): void {
    let count = 0;
    for (const { held, bytes } of this.#sending) {
      if (this.#sendingBytes - bytes < unsentBytes) break;
      this.#sendingBytes -= bytes;
      count += 1;
      this.release(held);
    }
    if (count === 0) return;
    this.#sending = count === this.#sending.length ? [] : this.#sending.slice(count);
  }

  /**
   * Drops everything that the client holds, since the client is gone or being closed.
   * @returns how many bytes its transport still has.
   */
  clear(): number {
    const bytes = this.#sendingBytes;
    for (const { held } of this.#sending) this.release(held);
    this.#sending = [];
    this.#sendingBytes = 0;
    return bytes;
  }
}
