import type { ServerResponse } from 'node:http';
import type { Backlog } from '../fanout/backlog.js';
import { BoundedWriter, type WriterResources } from '../fanout/bounded-writer.js';
import type { Lingering, TenantBuffers } from '../fanout/buffer-budget.js';
import type { SseBlock } from '../fanout/sse-block.js';

interface SseWriterOptions extends WriterResources {
  /** The response. Its head has been written. */
  readonly response: ServerResponse;
  /** Called at most once, if too much waits. Nothing more is written then. */
  readonly onOverflow: (backlog: Backlog) => void;
}

/** How long a client may take to read the end of its stream before it is cut off. */
const GRACE_MS = 5_000;

/** Writes blocks to one response. */
export class SseWriter extends BoundedWriter<SseBlock, SseWriterOptions> {
  /** What still waits in the connection of a stream whose client was too slow. */
  #lingering: Lingering | undefined;

  /** @param buffers of the tenant whose events are written; released when the response ends. */
  constructor(options: SseWriterOptions, buffers: TenantBuffers) {
    super(options, buffers);
    const { response } = options;
    response.once('close', () => this.close());
    // A client may leave while data is written to it: `close` follows.
    response.on('error', () => {});
  }

  /** Ends the response, after one last block if given. Drops what waits. */
  end(last?: SseBlock): void {
    const { response } = this.resources;
    this.close();
    if (response.destroyed || response.writableEnded) return;
    if (this.#lingering?.isCut === true) {
      response.destroy();
      return;
    }
    response.end(last?.block);
    const cutting = setTimeout(() => response.destroy(), GRACE_MS);
    response.once('close', () => clearTimeout(cutting));
  }

  protected override get unsentBytes(): number {
    return this.resources.response.writableLength;
  }

  /** Node.js keeps bytes, not writes. */
  protected override get unsentPackets(): number {
    return 0;
  }

  protected override nextCount(): number {
    const { response } = this.resources;
    return response.destroyed || response.writableNeedDrain ? 0 : this.countOfWrite();
  }

  protected override send(blocks: readonly SseBlock[]): boolean {
    const { response } = this.resources;
    response.write(bytesOf(blocks));
    return !response.writableNeedDrain;
  }

  protected override onReady(listener: () => void): void {
    this.resources.response.on('drain', listener);
  }

  protected override offReady(listener: () => void): void {
    this.resources.response.off('drain', listener);
  }

  protected override closeSlow(backlog: Backlog, lingering: Lingering): void {
    const { response, onOverflow } = this.resources;
    this.#lingering = lingering;
    response.once('close', lingering.ended);
    onOverflow(backlog);
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
