import type { Backlog } from './backlog.js';
import type { BufferHolder, Lingering, TenantBuffers } from './buffer-budget.js';
import type { HeldBytes } from './held-bytes.js';
import { UnreadEvents } from './unread-events.js';
import type { WriteBatcher } from './write-batcher.js';

/** How much may wait for one client. */
export interface WriterLimits {
  readonly maxUnsentBytes: number;
  readonly maxUnsentPackets: number;
}

/** What a writer needs besides its connection. Writers may share it. */
export interface WriterResources {
  readonly limits: WriterLimits;
  readonly rounds: WriteBatcher;
}

/** Bytes that count while the client has not read them. */
interface Sent {
  /** In bytes. */
  readonly size: number;
  readonly held: HeldBytes;
}

/** What a writer writes as a whole, such as an event. */
export interface QueueItem extends Sent {
  /** Called if it has to wait. */
  keep(): void;
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/**
 * Maximum size of one write, unless a single item is larger. It bounds what stays in memory for a client that stalls.
 */
const MAX_WRITE_BYTES = 256 * 1024;
/** The queue of a writer that has nothing to write: most writers, most of the time. */
const NOTHING: never[] = [];

/**
 * Writes items to one client, in the order given, each once.
 *
 * Items wait here until the end of the tick and until the connection is writable. Then as many as possible go in one
 * write. If more waits than the limits allow, the client is closed as SLOW_CLIENT. This is checked once a tick, so a
 * caller with many items at once, such as a replay, awaits `drained` between them.
 *
 * A subclass is a transport: it knows how to write to its connection. It is not an object beside this one, since an
 * edge has a writer for each client: a second object for each would take memory and a look-up for each write.
 */
export abstract class BoundedWriter<Item extends QueueItem, Resources extends WriterResources>
  implements BufferHolder
{
  protected readonly resources: Resources;
  readonly #buffers: TenantBuffers;
  #queue: Item[] = NOTHING;
  #queuedBytes = 0;
  /** Number of items at the front of the queue that are known to have memory of their own. */
  #kept = 0;
  #isScheduled = false;
  #isClosed = false;
  /** Listens for the connection to become writable, while something waits. */
  #readyListener: (() => void) | undefined;
  #waiters: Waiter[] | undefined;
  /** undefined while the client reads everything at once, as most clients do. */
  #unread: UnreadEvents | undefined;

  /** @param buffers of the tenant whose events are written; `close` releases them. */
  constructor(resources: Resources, buffers: TenantBuffers) {
    this.resources = resources;
    this.#buffers = buffers;
  }

  /** Bytes that the connection has been given and the operating system has not taken. */
  protected abstract get unsentBytes(): number;
  /** Number of packets of these bytes, as far as the connection keeps them apart. */
  protected abstract get unsentPackets(): number;
  /** How many items go into the next write; 0 while the connection takes none. May be more than there are. */
  protected abstract nextCount(): number;
  /** Writes items. Returns false if the operating system has not taken everything. */
  protected abstract send(items: readonly Item[]): boolean;
  /** Adds a listener for when the connection has sent everything it had. */
  protected abstract onReady(listener: () => void): void;
  protected abstract offReady(listener: () => void): void;
  /** Closes the connection with the reason SLOW_CLIENT, and reports its end to `lingering`. Called at most once. */
  protected abstract closeSlow(backlog: Backlog, lingering: Lingering): void;

  /** Whether nothing is written any more: after `close` or an overflow. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the connection was given everything that was written. */
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** What the operating system has not taken yet. Several items that were written together count as one packet. */
  get backlog(): Backlog {
    return {
      bytes: this.#queuedBytes + this.unsentBytes,
      packets: this.#queue.length + this.unsentPackets,
    };
  }

  /** See BufferHolder. */
  get taken(): number {
    return this.#unread?.taken ?? 0;
  }

  /** Closes the connection as SLOW_CLIENT. */
  overflow(): void {
    if (this.#isClosed) return;
    const { backlog } = this;
    this.closeSlow(backlog, this.#buffers.linger(this.#end()));
  }

  /** Writes the item at the end of this tick, or when the client has read what came before. */
  write(item: Item): void {
    if (this.#isClosed) return;
    // Not a literal: V8 comes to put those among its old objects, where they keep their earlier contents alive.
    if (this.#queue.length === 0) this.#queue = Array.of(item);
    else this.#queue.push(item);
    this.#queuedBytes += item.size;
    this.schedule();
  }

  /** Writes now what can be written now. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#queue.length > 0) this.#hand();
    if (this.#queue.length > 0) {
      this.#keep();
      this.listen();
    }
    if (this.#unread?.isEmpty === false) this.#checkLimits();
    this.#wake();
  }

  /**
   * Resolves when at most `bytes` bytes are unsent, or the writer is closed: see `isClosed`. Over HTTP long-polling, an
   * answer counts as sent once it is under way.
   */
  async drained(bytes: number): Promise<void> {
    if (this.#isClosed || this.backlog.bytes <= bytes) return;
    this.listen();
    await new Promise<void>((resolve) => {
      this.#waiters ??= [];
      this.#waiters.push({ bytes, resolve });
    });
  }

  /** Stops writing and drops what waits. The connection stays open. Call it when the connection ends, too. */
  close(): void {
    this.#end();
  }

  /** Removes what a subclass listens to besides `onReady`: nothing is written any more. */
  protected detach(): void {}

  /** Flushes at the end of this tick. */
  protected schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.resources.rounds.schedule(this);
  }

  /** How many items, from the first on, fit into one write; at least one. */
  protected countOfWrite(): number {
    if (this.#queuedBytes <= MAX_WRITE_BYTES) return this.#queue.length;
    let total = 0;
    const count = this.#queue.findIndex((item) => {
      total += item.size;
      return total > MAX_WRITE_BYTES;
    });
    return Math.max(1, count);
  }

  /** Takes everything out of the queue, for a connection that is given it whether it is writable or not. */
  protected takeAll(): readonly Item[] {
    return this.#take(this.#queue.length);
  }

  /** The bytes wait in the connection, and count until they are sent. */
  protected noteSending(items: readonly Sent[]): void {
    this.#unread ??= new UnreadEvents(this.#buffers, this);
    for (const { held, size } of items) this.#unread.send(held, size);
    this.listen();
  }

  /** Whether something waits for the connection to become writable. */
  protected get isListening(): boolean {
    return this.#readyListener !== undefined;
  }

  protected listen(): void {
    if (this.#readyListener !== undefined) return;
    this.#readyListener = () => this.#continue();
    this.onReady(this.#readyListener);
  }

  protected unlisten(): void {
    if (this.#readyListener !== undefined) this.offReady(this.#readyListener);
    this.#readyListener = undefined;
  }

  /** Returns how many bytes the connection still has. */
  #end(): number {
    if (this.#isClosed) return 0;
    this.#isClosed = true;
    this.unlisten();
    this.detach();
    this.#releaseKept(this.#kept);
    this.#queue = NOTHING;
    this.#queuedBytes = 0;
    this.#kept = 0;
    for (const { resolve } of this.#waiters ?? []) resolve();
    this.#waiters = undefined;
    const sending = this.#unread?.clear() ?? 0;
    this.#buffers.release();
    return sending;
  }

  /** Gives the connection what it can take now. */
  #hand(): void {
    while (this.#queue.length > 0) {
      const count = this.nextCount();
      if (count === 0) return;
      const items = this.#take(count);
      if (!this.send(items)) {
        this.noteSending(items);
        return;
      }
    }
  }

  #take(count: number): readonly Item[] {
    const queue = this.#queue;
    if (this.#kept > 0) this.#releaseKept(count);
    this.#kept = Math.max(0, this.#kept - count);
    if (count >= queue.length) {
      this.#queue = NOTHING;
      this.#queuedBytes = 0;
      return queue;
    }
    const taken = queue.splice(0, count);
    for (const item of taken) this.#queuedBytes -= item.size;
    return taken;
  }

  #keep(): void {
    const queue = this.#queue;
    this.#unread ??= new UnreadEvents(this.#buffers, this);
    for (const item of this.#kept === 0 ? queue : queue.slice(this.#kept)) {
      item.keep();
      this.#unread.hold(item.held);
    }
    this.#kept = queue.length;
  }

  #releaseKept(count: number): void {
    for (const item of this.#queue.slice(0, Math.min(count, this.#kept))) this.#unread?.release(item.held);
  }

  #checkLimits(): void {
    const { limits } = this.resources;
    const { bytes, packets } = this.backlog;
    if (bytes > limits.maxUnsentBytes || packets > limits.maxUnsentPackets) this.overflow();
    else this.#buffers.check();
  }

  /** The connection has sent everything it had. */
  #continue(): void {
    this.#unread?.sent(this.unsentBytes);
    if (this.#queue.length > 0) this.#hand();
    this.#wake();
    const isDone =
      this.#queue.length === 0 && this.#waiters === undefined && this.#unread?.isSending !== true;
    if (isDone) this.unlisten();
  }

  #wake(): void {
    const waiters = this.#waiters;
    if (waiters === undefined) return;
    const { bytes } = this.backlog;
    const remaining = waiters.filter((waiter) => waiter.bytes < bytes);
    this.#waiters = remaining.length === 0 ? undefined : remaining;
    for (const waiter of waiters) if (waiter.bytes >= bytes) waiter.resolve();
  }
}
