import { HeldBytes } from './held-bytes.js';

/** A piece that is written to a stream of Server-Sent Events as a whole. */
export interface SseBlock {
  /** Its id, if it has one. An EventSource sends the last id it got when it connects again. */
  readonly eventId: string | undefined;
  /** Approximate size in bytes. */
  readonly size: number;
  /** Its bytes, made on first use. */
  readonly block: Buffer;
  /** Length of `block` in bytes. */
  readonly blockBytes: number;
  /** Writes its bytes into `target` at an offset, where there must be room. Returns the offset that follows them. */
  copyBlock(target: Buffer, offset: number): number;
  /** Its bytes, counted while clients have not taken it. */
  readonly held: HeldBytes;
  /** Called if it has to wait. */
  keep(): void;
}

const LINE_END = Buffer.from('\n\n');

interface Fields {
  /** undefined for an event that does not change the client's place. */
  readonly id: string | undefined;
  readonly event: string;
  /** One line: JSON as JSON.stringify makes it, which has no line ends. */
  readonly data: Buffer;
}

/** Length of an event's block in bytes. */
export function blockBytesOf(fields: Fields): number {
  return headOf(fields).length + fields.data.length + LINE_END.length;
}

/**
 * Writes an event's block (WHATWG HTML, 9.2.6, Interpreting an event stream) into `target` at an offset.
 * @returns the offset that follows it.
 */
export function writeBlock(fields: Fields, target: Buffer, offset: number): number {
  const { data } = fields;
  const begin = offset + target.write(headOf(fields), offset, 'latin1');
  target.set(data, begin);
  target.set(LINE_END, begin + data.length);
  return begin + data.length + LINE_END.length;
}

export function blockOf(fields: Fields): Buffer {
  const block = Buffer.allocUnsafe(blockBytesOf(fields));
  writeBlock(fields, block, 0);
  return block;
}

function headOf({ id, event }: Fields): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: `;
}

/** An event for one client alone. */
export function eventBlock(id: string | undefined, event: string, payload: object): SseBlock {
  return bytesBlock(blockOf({ id, event, data: Buffer.from(JSON.stringify(payload)) }), id);
}

/** A block without an event: a comment, or the pause before the client connects again. */
export function textBlock(text: string): SseBlock {
  return bytesBlock(Buffer.from(text), undefined);
}

function bytesBlock(block: Buffer, eventId: string | undefined): SseBlock {
  const { length } = block;
  return {
    ...{ eventId, size: length, block, blockBytes: length, held: new HeldBytes(length), keep: () => {} },
    copyBlock(target, offset) {
      target.set(block, offset);
      return offset + length;
    },
  };
}
