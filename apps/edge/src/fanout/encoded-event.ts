import {
  EVENT_NAMES,
  type EventName,
  type EventPosition,
  formatEventId,
  NAMESPACES,
} from '@wafleet/contract';
import type { LoggedEvent } from '@wafleet/store';
import { HeldBytes } from './held-bytes.js';
import { blockBytesOf, blockOf, type SseBlock, writeBlock } from './sse-block.js';

/** A namespace that serves the contract. */
export type EventNamespace = (typeof NAMESPACES)[number];

const CLOSING_BRACKET = 0x5d;
const FINAL_TEXT_FRAME = 0x81;

/** An event whose `eventId` is more than its position: a snapshot. */
type Outgoing = LoggedEvent & { readonly eventId?: string };

/**
 * An event in its wire formats: for Socket.IO `2[/<namespace>,]["<event>",<payload>]`, and as a block of Server-Sent
 * Events. Each format is made on first use, once per namespace, however many clients it goes to. The payload's text is
 * copied unchanged and never parsed.
 */
export class EncodedEvent implements SseBlock {
  readonly event: EventName;
  readonly sessionId: string;
  readonly position: EventPosition;
  #held: HeldBytes | undefined;
  #body: Buffer;
  #isKept = false;
  #packets: Map<EventNamespace, string> | undefined;
  #rootFrame: Buffer | undefined;
  #contractFrame: Buffer | undefined;
  #block: Buffer | undefined;
  #isCopied = false;
  #eventId: string | undefined;

  constructor({ event, sessionId, position, body, eventId }: Outgoing) {
    this.event = event;
    this.sessionId = sessionId;
    this.position = position;
    this.#body = body;
    this.#eventId = eventId;
  }

  /** The id in the payload. */
  get eventId(): string {
    this.#eventId ??= formatEventId(this.position);
    return this.#eventId;
  }

  /** Bytes of the payload; the packet takes little more. */
  get size(): number {
    return this.#body.length;
  }

  /** Its bytes, counted while clients have not taken it. */
  get held(): HeldBytes {
    this.#held ??= new HeldBytes(this.#body.length);
    return this.#held;
  }

  /**
   * Copies the payload out of the memory that it arrived in. That memory holds everything Redis sent at the same time,
   * and would be kept as long as this event. For an event that has to wait.
   */
  keep(): void {
    if (this.#isKept) return;
    this.#isKept = true;
    const copy = Buffer.allocUnsafeSlow(this.#body.length);
    copy.set(this.#body);
    this.#body = copy;
  }

  /** The Socket.IO packet. Engine.IO puts its own type in front. */
  packet(namespace: EventNamespace): string {
    let packet = this.#packets?.get(namespace);
    if (packet === undefined) {
      packet = `${headOf(namespace, this.event).toString('latin1', 1)}${this.#body}]`;
      this.#packets ??= new Map();
      this.#packets.set(namespace, packet);
    }
    return packet;
  }

  /**
   * A whole WebSocket text frame with the packet as an Engine.IO message: final, unmasked, uncompressed (RFC 6455,
   * 5.2). Shared between sockets; do not write to it.
   */
  frame(namespace: EventNamespace): Buffer {
    const isRoot = namespace === '/';
    let frame = isRoot ? this.#rootFrame : this.#contractFrame;
    if (frame === undefined) {
      frame = Buffer.allocUnsafe(this.frameBytes(namespace));
      this.#writeFrame(namespace, frame, 0);
      if (isRoot) this.#rootFrame = frame;
      else this.#contractFrame = frame;
    }
    return frame;
  }

  /** Length of the frame in bytes. */
  frameBytes(namespace: EventNamespace): number {
    const length = this.#messageBytes(namespace);
    return headerBytes(length) + length;
  }

  /** Writes the frame into `target` at an offset, where there must be room. Returns the offset that follows it. */
  copyFrame(namespace: EventNamespace, target: Buffer, offset: number): number {
    const frame = namespace === '/' ? this.#rootFrame : this.#contractFrame;
    if (frame === undefined) return this.#writeFrame(namespace, target, offset);
    target.set(frame, offset);
    return offset + frame.length;
  }

  #messageBytes(namespace: EventNamespace): number {
    return headOf(namespace, this.event).length + this.#body.length + 1;
  }

  #writeFrame(namespace: EventNamespace, target: Buffer, offset: number): number {
    const head = headOf(namespace, this.event);
    const begin = writeHeader(target, offset, this.#messageBytes(namespace));
    target.set(head, begin);
    target.set(this.#body, begin + head.length);
    const end = begin + head.length + this.#body.length;
    target[end] = CLOSING_BRACKET;
    return end + 1;
  }

  /** The event as a block of Server-Sent Events. Shared between streams; do not write to it. */
  get block(): Buffer {
    this.#block ??= blockOf(this.#fields);
    return this.#block;
  }

  get blockBytes(): number {
    return blockBytesOf(this.#fields);
  }

  copyBlock(target: Buffer, offset: number): number {
    if (this.#block === undefined && !this.#isCopied) {
      // This may be the only client. From the second client on, they share a block.
      this.#isCopied = true;
      return writeBlock(this.#fields, target, offset);
    }
    const { block } = this;
    target.set(block, offset);
    return offset + block.length;
  }

  get #fields() {
    return { id: this.eventId, event: this.event, data: this.#body };
  }
}

/** What precedes the payload: the types of Engine.IO and Socket.IO, the namespace and the event's name. */
const heads = new Map(
  NAMESPACES.map((namespace) => {
    const address = namespace === '/' ? '' : `${namespace},`;
    return [
      namespace,
      new Map(EVENT_NAMES.map((event) => [event, Buffer.from(`42${address}["${event}",`)] as const)),
    ] as const;
  }),
);

function headOf(namespace: EventNamespace, event: EventName): Buffer {
  const head = heads.get(namespace)?.get(event);
  if (head === undefined) throw new TypeError(`${event} is not an event of the contract`);
  return head;
}

/** Length of the header of a frame in bytes, for a message of this length. */
function headerBytes(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

/** Writes a frame's header. Returns the offset that follows it. */
function writeHeader(frame: Buffer, offset: number, length: number): number {
  frame[offset] = FINAL_TEXT_FRAME;
  const bytes = headerBytes(length);
  if (bytes === 2) {
    frame[offset + 1] = length;
  } else if (bytes === 4) {
    frame[offset + 1] = 126;
    frame.writeUInt16BE(length, offset + 2);
  } else {
    frame[offset + 1] = 127;
    frame.writeUInt32BE(0, offset + 2);
    frame.writeUInt32BE(length, offset + 6);
  }
  return offset + bytes;
}
