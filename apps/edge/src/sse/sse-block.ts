import { HeldBytes } from '../fanout/held-bytes.js';

/** Something that is written to a stream of Server-Sent Events as a whole. */
export interface SseBlock {
  /** Its id, if it has one: an EventSource sends the last one it got when it connects again. */
  readonly eventId: string | undefined;
  /** About how many bytes it takes. */
  readonly size: number;
  /** Its bytes, made when they are first asked for. */
  readonly block: Buffer;
  /** Its bytes as they count while clients have not taken it. */
  readonly held: HeldBytes;
  /** Called when it has to wait. */
  keep(): void;
}

const LINE_END = Buffer.from('\n\n');

interface Fields {
  /** undefined for one that leaves the client's place as it is. */
  readonly id: string | undefined;
  readonly event: string;
  /** One line: JSON as JSON.stringify makes it, which has no line ends. */
  readonly data: Buffer;
}

/** The bytes of an event (WHATWG HTML, 9.2.6, Interpreting an event stream). */
export function blockOf({ id, event, data }: Fields): Buffer {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return Buffer.concat([Buffer.from(`${idLine}event: ${event}\ndata: `, 'latin1'), data, LINE_END]);
}

/** An event that is told to one client alone. */
export function eventBlock(id: string | undefined, event: string, payload: object): SseBlock {
  return bytesBlock(blockOf({ id, event, data: Buffer.from(JSON.stringify(payload)) }), id);
}

/** What is no event: a comment, or the pause before the client connects again. */
export function textBlock(text: string): SseBlock {
  return bytesBlock(Buffer.from(text), undefined);
}

function bytesBlock(block: Buffer, eventId: string | undefined): SseBlock {
  return { eventId, size: block.length, block, held: new HeldBytes(block.length), keep: () => {} };
}
