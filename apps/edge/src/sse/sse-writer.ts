import type { ServerResponse } from 'node:http';
import type { Backlog } from '../fanout/backlog.js';
import type { BufferHolder, Lingering, TenantBuffers } from '../fanout/buffer-budget.js';
import type { WriterLimits } from '../fanout/socket-writer.js';
import { UnreadEvents } from '../fanout/unread-events.js';
import type { WriteBatcher } from '../fanout/write-batcher.js';
import type { SseBlock } from './sse-block.js';

interface SseWriterOptions {
  /** The response. Its head has been written. */
  readonly response: ServerResponse;
  readonly limits: WriterLimits;
  /** Shared by all writers of an edge. */
  readonly rounds: WriteBatcher;
  /** Of the tenant whose events are written; released when the response ends. */
  readonly buffers: TenantBuffers;
  /** Called at most once, if too much waits. Nothing more is written then. */
  readonly onOverflow: (backlog: Backlog) => void;
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/**
 * Maximum size of one write, unless a single block is larger. It bounds what stays in memory for a client that stalls.
 */
const MAX_WRITE_BYTES = 256 * 1024;
/** How long a client may take to read the end of its stream before it is cut off. */
const GRACE_MS = 5_000;

/**
 * Writes blocks to one response, in the order given.
 *
 * Blocks wait here until the end of the tick and until the client has read what was written before. Then as many as
 * possible go in one write. If more waits than the limits allow, `onOverflow` is called and nothing more is taken. This
 * is checked once a tick, so a caller with much to write at once, such as a replay, awaits `drained` in between.
 */
export class SseWriter implements BufferHolder {
  readonly #options: SseWriterOptions;
  #queue: SseBlock[] = [];
  #queuedBytes = 0;
  /** Number of blocks at the front of the queue that count as held. */
  #kept = 0;
  /** undefined while the client reads everything at once. */
  #unread: UnreadEvents | undefined;
  /** What still waits in the connection of a stream whose client was too slow. */
  #lingering: Lingering | undefined;
  #isScheduled = false;
  #isClosed = false;
  #waiters: Waiter[] = [];

  constructor(options: SseWriterOptions) {
    this.#options = options;
    const { response } = options;
    response.on('drain', this.#onDrain);
    response.once('close', () => this.#close());
    // A client may leave while data is written to it: `close` follows.
    response.on('error', () => {});
  }

  /** Whether writes are still sent: false after `end`, an overflow, or the connection's end. */
  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** What the operating system has not taken yet. */
  get backlog(): Backlog {
    return {
      bytes: this.#queuedBytes + this.#options.response.writableLength,
      packets: this.#queue.length,
    };
  }

  /** See BufferHolder. */
  get taken(): number {
    return this.#unread?.taken ?? 0;
  }

  overflow(): void {
    if (this.#isClosed) return;
    const { backlog } = this;
    this.#lingering = this.#options.buffers.linger(this.#close());
    this.#options.response.once('close', this.#lingering.ended);
    this.#options.onOverflow(backlog);
  }

  /** Writes the block at the end of this tick, or when the client has read what came before. */
  write(block: SseBlock): void {
    if (this.#isClosed) return;
    this.#queue.push(block);
    this.#queuedBytes += block.size;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.rounds.schedule(this);
  }

  /** Writes now what can be written now. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    this.#hand();
    if (this.#queue.length > this.#kept) this.#keep();
    if (this.#unread?.isEmpty === false) this.#checkLimits();
    this.#wake();
  }

  /** Resolves when at most `bytes` bytes are unsent, or the writer is closed: see `isOpen`. */
  async drained(bytes: number): Promise<void> {
    if (this.#isClosed || this.backlog.bytes <= bytes) return;
    await new Promise<void>((resolve) => this.#waiters.push({ bytes, resolve }));
  }

  /** Ends the response, after one last block if given. Drops what waits. */
  end(last?: SseBlock): void {
    const { response } = this.#options;
    this.#close();
    if (response.destroyed || response.writableEnded) return;
    if (this.#lingering?.isCut === true) {
      response.destroy();
      return;
    }
    response.end(last?.block);
    const cutting = setTimeout(() => response.destroy(), GRACE_MS);
    response.once('close', () => clearTimeout(cutting));
  }

  #hand(): void {
    const { response } = this.#options;
    while (this.#queue.length > 0 && !response.destroyed && !response.writableNeedDrain) {
      const blocks = this.#take();
      response.write(bytesOf(blocks));
      if (response.writableNeedDrain) for (const { held, size } of blocks) this.#holding.send(held, size);
    }
  }

  get #holding(): UnreadEvents {
    this.#unread ??= new UnreadEvents(this.#options.buffers, this);
    return this.#unread;
  }

  #keep(): void {
    for (const block of this.#kept === 0 ? this.#queue : this.#queue.slice(this.#kept)) {
      block.keep();
      this.#holding.hold(block.held);
    }
    this.#kept = this.#queue.length;
  }

  #releaseKept(count: number): void {
    for (const { held } of this.#queue.slice(0, Math.min(count, this.#kept))) this.#unread?.release(held);
    this.#kept = Math.max(0, this.#kept - count);
  }

  /** Takes as many blocks as go into one write; at least one. */
  #take(): readonly SseBlock[] {
    const queue = this.#queue;
    let bytes = 0;
    let count = 0;
    for (const { size } of queue) {
      if (count > 0 && bytes + size > MAX_WRITE_BYTES) break;
      bytes += size;
      count += 1;
    }
    this.#queuedBytes -= bytes;
    if (this.#kept > 0) this.#releaseKept(count);
    if (count < queue.length) return queue.splice(0, count);
    this.#queue = [];
    return queue;
  }

  #checkLimits(): void {
    const { limits, buffers } = this.#options;
    const { bytes, packets } = this.backlog;
    if (bytes > limits.maxUnsentBytes || packets > limits.maxUnsentPackets) this.overflow();
    else buffers.check();
  }

  readonly #onDrain = (): void => {
    if (this.#isClosed) return;
    this.#unread?.sent(this.#options.response.writableLength);
    this.#hand();
    this.#wake();
  };

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const { bytes } = this.backlog;
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => waiter.bytes < bytes);
    for (const waiter of waiters) if (waiter.bytes >= bytes) waiter.resolve();
  }

  /** Returns how many bytes the connection still has. */
  #close(): number {
    if (this.#isClosed) return 0;
    this.#isClosed = true;
    this.#releaseKept(this.#kept);
    this.#queue = [];
    this.#queuedBytes = 0;
    const { response, buffers } = this.#options;
    response.off('drain', this.#onDrain);
    for (const { resolve } of this.#waiters.splice(0)) resolve();
    const sending = this.#unread?.clear() ?? 0;
    buffers.release();
    return sending;
  }
}

function bytesOf(blocks: readonly SseBlock[]): Buffer {
  const [first] = blocks;
  if (first !== undefined && blocks.length === 1) return first.block;
  // Makes no block for each event besides: what is read for one client is written once.
  const bytes = Buffer.allocUnsafe(blocks.reduce((sum, { blockBytes }) => sum + blockBytes, 0));
  let offset = 0;
  for (const block of blocks) offset = block.copyBlock(bytes, offset);
  return bytes;
}
