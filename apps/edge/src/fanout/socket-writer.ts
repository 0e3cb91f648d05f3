import type { EventPosition } from '@wafleet/contract';
import type { Connection, EnginePacket } from '../engine/connection.js';
import { preEncoded, sendFrames } from '../engine/frames.js';
import { offPacketCreate, onPacketCreate } from '../engine/packets.js';
import { offReady, onReady } from '../engine/transport-events.js';
import { onceEnded, type RawWebSocket, webSocketOf } from '../engine/web-socket.js';
import { unsentBytes, waitingPackets } from '../engine/write-buffer.js';
import type { Backlog } from './backlog.js';
import { BoundedWriter, type WriterResources } from './bounded-writer.js';
import type { Lingering, TenantBuffers } from './buffer-budget.js';
import type { EncodedEvent, EventNamespace } from './encoded-event.js';
import { HeldBytes } from './held-bytes.js';

/** What the writers of an edge have written, together. */
export interface WriteTally {
  events: number;
  writes: number;
  bytes: number;
}

/** What all writers of one namespace share. */
interface SocketWriterResources extends WriterResources {
  readonly namespace: EventNamespace;
  readonly tally: WriteTally;
  /** Called once per connection, to close it with the reason SLOW_CLIENT. Nothing is written to it any more. */
  readonly onOverflow: (connection: Connection, backlog: Backlog, lingering: Lingering) => void;
}

/**
 * Maximum packets that wait for one answer to a poll. python-engineio gives up a connection if an answer holds more
 * than 16; the rest is for Engine.IO and Socket.IO themselves.
 */
const MAX_POLLED_PACKETS = 12;
/** Distinguishes this module's packets from Socket.IO's own. */
const EVENT_OPTIONS = { compress: false, isEvent: true };

/**
 * Writes events to one socket, whatever its transport is and becomes. Socket.IO's own packets, such as
 * acknowledgements, keep their place between them.
 */
export class SocketWriter extends BoundedWriter<EncodedEvent, SocketWriterResources> {
  readonly #connection: Connection;
  #handed: EventPosition | undefined;
  #transport: Connection['transport'];
  #webSocket: RawWebSocket | undefined;

  /** @param buffers of the tenant whose events are written; `close` releases them. */
  constructor(connection: Connection, resources: SocketWriterResources, buffers: TenantBuffers) {
    super(resources, buffers);
    this.#connection = connection;
    this.#transport = connection.transport;
    this.#webSocket = webSocketOf(connection);
    onPacketCreate(connection, this.#onPacketCreate);
    if (this.#webSocket === undefined) connection.once('upgrade', () => this.#changeTransport());
  }

  /**
   * The position of the last event that Engine.IO was given. Engine.IO keeps the order of its packets, so a client that
   * answers a ping sent after that event has received the event.
   */
  get handed(): EventPosition | undefined {
    return this.#handed;
  }

  protected override get unsentBytes(): number {
    return unsentBytes(this.#connection);
  }

  protected override get unsentPackets(): number {
    return waitingPackets(this.#connection).length;
  }

  protected override nextCount(): number {
    if (this.#connection.readyState !== 'open') return 0;
    if (this.#webSocket === undefined) {
      return Math.max(0, MAX_POLLED_PACKETS - waitingPackets(this.#connection).length);
    }
    // Nothing waits in Engine.IO while the transport is writable.
    return this.#transport.writable ? this.countOfWrite() : 0;
  }

  protected override send(events: readonly EncodedEvent[]): boolean {
    this.#handed = events.at(-1)?.position;
    if (this.#webSocket === undefined) {
      this.#writePackets(events);
      return unsentBytes(this.#connection) === 0;
    }
    sendFrames(this.#connection, this.#webSocket, this.#framesOf(events));
    return this.#transport.writable;
  }

  /** Engine.IO listens too, and has given the transport what waited there. */
  protected override onReady(listener: () => void): void {
    onReady(this.#transport, listener);
  }

  protected override offReady(listener: () => void): void {
    offReady(this.#transport, listener);
  }

  protected override detach(): void {
    offPacketCreate(this.#connection, this.#onPacketCreate);
  }

  protected override closeSlow(backlog: Backlog, lingering: Lingering): void {
    onceEnded(this.#connection, lingering.ended);
    this.resources.onOverflow(this.#connection, backlog, lingering);
  }

  #framesOf(events: readonly EncodedEvent[]): Buffer {
    const { namespace, tally, rounds } = this.resources;
    const frames = rounds.frames(namespace, events);
    tally.events += events.length;
    tally.writes += 1;
    tally.bytes += frames.length;
    return frames;
  }

  #writePackets(events: readonly EncodedEvent[]): void {
    const { namespace, tally } = this.resources;
    for (const event of events) {
      tally.events += 1;
      tally.writes += 1;
      tally.bytes += event.size;
      this.#connection.write(event.packet(namespace), EVENT_OPTIONS);
    }
  }

  /** Right after this call, Engine.IO sends over the WebSocket what waited for a poll. Events follow that. */
  #changeTransport(): void {
    if (this.isClosed) return;
    const { isListening } = this;
    this.unlisten();
    this.#transport = this.#connection.transport;
    this.#webSocket = webSocketOf(this.#connection);
    if (isListening) this.listen();
    if (!this.isEmpty) this.schedule();
  }

  /** Socket.IO is about to write a packet of its own: events that were given before it go first. */
  readonly #onPacketCreate = (packet: EnginePacket): void => {
    if (packet.type !== 'message' || isEvent(packet)) return;
    if (!this.isEmpty) this.#writeAll();
    // Answers that a client does not read count like events.
    if (this.#transport.writable || typeof packet.data !== 'string') return;
    const { length } = packet.data;
    this.noteSending([{ held: new HeldBytes(length), size: length }]);
    this.schedule();
  };

  /** Gives Engine.IO everything that waits here, whether the transport can take it or not. */
  #writeAll(): void {
    const events = this.takeAll();
    this.#handed = events.at(-1)?.position;
    if (this.#webSocket === undefined) this.#writePackets(events);
    else this.#connection.write('', { ...EVENT_OPTIONS, ...preEncoded(this.#framesOf(events)) });
    if (unsentBytes(this.#connection) > 0) this.noteSending(events);
  }
}

function isEvent({ options }: EnginePacket): boolean {
  return options !== undefined && 'isEvent' in options;
}
