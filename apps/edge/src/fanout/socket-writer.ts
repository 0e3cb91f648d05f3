import type { EventPosition } from '@wafleet/contract';
import {
  type Connection,
  type EnginePacket,
  preEncoded,
  type RawWebSocket,
  sendFrames,
  unsentBytes,
  waitingPackets,
  webSocketOf,
} from '../sockets/engine-internals.js';
import type { Backlog } from './backlog.js';
import type { BufferHolder, Lingering, TenantBuffers } from './buffer-budget.js';
import type { EncodedEvent, EventNamespace } from './encoded-event.js';
import { HeldBytes } from './held-bytes.js';
import { UnreadEvents } from './unread-events.js';
import type { WriteBatcher } from './write-batcher.js';

/** How much may wait for one socket. */
export interface WriterLimits {
  readonly maxUnsentBytes: number;
  readonly maxUnsentPackets: number;
}

/** What the writers of an edge have written, together. */
export interface WriteTally {
  events: number;
  writes: number;
  bytes: number;
}

/** What all writers of one namespace share. */
export interface WriterResources {
  readonly namespace: EventNamespace;
  readonly limits: WriterLimits;
  readonly rounds: WriteBatcher;
  readonly tally: WriteTally;
  /** Called once per connection, to close it with the reason SLOW_CLIENT. Nothing is written to it any more. */
  readonly onOverflow: (connection: Connection, backlog: Backlog, lingering: Lingering) => void;
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/**
 * Maximum size of one write, unless a single event is larger. It bounds what stays in memory for a client that stalls.
 */
const MAX_WRITE_BYTES = 256 * 1024;
/**
 * Maximum packets that wait for one answer to a poll. python-engineio gives up a connection if an answer holds more
 * than 16; the rest is for Engine.IO and Socket.IO themselves.
 */
const MAX_POLLED_PACKETS = 12;
/** The queue of a writer that has nothing to write: most writers, most of the time. */
const NOTHING: EncodedEvent[] = [];
/** Distinguishes this module's packets from Socket.IO's own. */
const EVENT_OPTIONS = { compress: false, isEvent: true };

/**
 * Writes events to one socket, in the order given, each once, whatever its transport is and becomes.
 *
 * Events wait here until the end of the tick and until the transport is writable. Then as many as possible go in one
 * write. Socket.IO's own packets, such as acknowledgements, keep their place between them. If more waits than the
 * limits allow, `onOverflow` closes the connection. This is checked once a tick, so a caller with many events at once,
 * such as a replay, awaits `drained` between them.
 */
export class SocketWriter implements BufferHolder {
  readonly #connection: Connection;
  readonly #resources: WriterResources;
  #queue = NOTHING;
  #queuedBytes = 0;
  /** Number of events at the front of the queue that are known to have memory of their own. */
  #kept = 0;
  #isScheduled = false;
  #isClosed = false;
  /** Listens for the transport to become writable, while something waits. */
  #readyListener: (() => void) | undefined;
  #handed: EventPosition | undefined;
  #transport: Connection['transport'];
  #webSocket: RawWebSocket | undefined;
  #waiters: Waiter[] | undefined;
  readonly #buffers: TenantBuffers;
  /** undefined while the client reads everything at once, as most clients do. */
  #unread: UnreadEvents | undefined;

  /** @param buffers of the tenant whose events are written; `close` releases them. */
  constructor(connection: Connection, resources: WriterResources, buffers: TenantBuffers) {
    this.#buffers = buffers;
    this.#connection = connection;
    this.#resources = resources;
    this.#transport = connection.transport;
    this.#webSocket = webSocketOf(connection);
    connection.on('packetCreate', this.#onPacketCreate);
    if (this.#webSocket === undefined) connection.once('upgrade', () => this.#changeTransport());
  }

  /** Whether nothing is written any more: after `close` or an overflow. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * The position of the last event that Engine.IO was given. Engine.IO keeps the order of its packets, so a client that
   * answers a ping sent after that event has received the event.
   */
  get handed(): EventPosition | undefined {
    return this.#handed;
  }

  /** Whether Engine.IO was given everything that was written. */
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** What the operating system has not taken yet. Several events that were written together count as one packet. */
  get backlog(): Backlog {
    return {
      bytes: this.#queuedBytes + unsentBytes(this.#connection),
      packets: this.#queue.length + waitingPackets(this.#connection).length,
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
    const lingering = this.#buffers.linger(this.#end());
    const tcp = this.#webSocket?._socket;
    if (tcp) tcp.once('close', lingering.ended);
    else this.#connection.once('close', lingering.ended);
    this.#resources.onOverflow(this.#connection, backlog, lingering);
  }

  /** Writes the event at the end of this tick, or when the client has read what came before. */
  write(event: EncodedEvent): void {
    if (this.#isClosed) return;
    // Not a literal: V8 comes to put those among its old objects, where they keep their earlier contents alive.
    if (this.#queue.length === 0) this.#queue = Array.of(event);
    else this.#queue.push(event);
    this.#queuedBytes += event.size;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#resources.rounds.schedule(this);
  }

  /** Writes now what can be written now. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#queue.length > 0) this.#hand();
    if (this.#queue.length > 0) {
      this.#keep();
      this.#listen();
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
    this.#listen();
    await new Promise<void>((resolve) => {
      this.#waiters ??= [];
      this.#waiters.push({ bytes, resolve });
    });
  }

  /** Stops writing and drops what waits. The connection stays open. Call it when the connection ends, too. */
  close(): void {
    this.#end();
  }

  /** Returns how many bytes the transport still has. */
  #end(): number {
    if (this.#isClosed) return 0;
    this.#isClosed = true;
    const connection = this.#connection;
    this.#unlisten();
    connection.off('packetCreate', this.#onPacketCreate);
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

  /** Gives Engine.IO what the transport can take now. */
  #hand(): void {
    if (this.#connection.readyState !== 'open') return;
    if (this.#webSocket === undefined) {
      this.#writePackets(MAX_POLLED_PACKETS - waitingPackets(this.#connection).length);
    }
    // Nothing waits in Engine.IO while the transport is writable.
    while (this.#webSocket !== undefined && this.#transport.writable && this.#queue.length > 0) {
      const events = this.#take(this.#eventsWithin(MAX_WRITE_BYTES));
      sendFrames(this.#connection, this.#webSocket, this.#framesOf(events));
      if (!this.#transport.writable) this.#noteSending(events);
    }
  }

  /** The events' bytes wait in the transport, and count until they are sent. */
  #noteSending(events: readonly EncodedEvent[]): void {
    this.#unread ??= new UnreadEvents(this.#buffers, this);
    for (const event of events) this.#unread.send(event.held, event.size);
    this.#listen();
  }

  #framesOf(events: readonly EncodedEvent[]): Buffer {
    const { namespace, tally } = this.#resources;
    const frames = this.#resources.rounds.frames(namespace, events);
    tally.events += events.length;
    tally.writes += 1;
    tally.bytes += frames.length;
    return frames;
  }

  #writePackets(count: number): void {
    const { namespace, tally } = this.#resources;
    const events = this.#take(Math.max(0, count));
    for (const event of events) {
      tally.events += 1;
      tally.writes += 1;
      tally.bytes += event.size;
      this.#connection.write(event.packet(namespace), EVENT_OPTIONS);
    }
    if (events.length > 0 && unsentBytes(this.#connection) > 0) this.#noteSending(events);
  }

  #take(count: number): readonly EncodedEvent[] {
    const queue = this.#queue;
    let taken = queue;
    if (this.#kept > 0) this.#releaseKept(count);
    this.#kept = Math.max(0, this.#kept - count);
    if (count >= queue.length) {
      this.#queue = NOTHING;
      this.#queuedBytes = 0;
    } else {
      taken = queue.splice(0, count);
      for (const event of taken) this.#queuedBytes -= event.size;
    }
    this.#handed = taken.at(-1)?.position ?? this.#handed;
    return taken;
  }

  /** How many events, from the first on, go into one write; at least one. */
  #eventsWithin(bytes: number): number {
    if (this.#queuedBytes <= bytes) return this.#queue.length;
    let total = 0;
    const count = this.#queue.findIndex((event) => {
      total += event.size;
      return total > bytes;
    });
    return Math.max(1, count);
  }

  #keep(): void {
    const queue = this.#queue;
    this.#unread ??= new UnreadEvents(this.#buffers, this);
    for (const event of this.#kept === 0 ? queue : queue.slice(this.#kept)) {
      event.keep();
      this.#unread.hold(event.held);
    }
    this.#kept = queue.length;
  }

  #releaseKept(count: number): void {
    for (const event of this.#queue.slice(0, Math.min(count, this.#kept))) this.#unread?.release(event.held);
  }

  #checkLimits(): void {
    const { limits } = this.#resources;
    const { bytes, packets } = this.backlog;
    if (bytes > limits.maxUnsentBytes || packets > limits.maxUnsentPackets) this.overflow();
    else this.#buffers.check();
  }

  /** The transport has sent everything it had. Engine.IO listens too, and has given it what waited there. */
  #onReady(): void {
    this.#unread?.sent(unsentBytes(this.#connection));
    if (this.#queue.length > 0) this.#hand();
    this.#wake();
    const isDone =
      this.#queue.length === 0 && this.#waiters === undefined && this.#unread?.isSending !== true;
    if (isDone) this.#unlisten();
  }

  #listen(): void {
    if (this.#readyListener !== undefined) return;
    this.#readyListener = () => this.#onReady();
    this.#transport.on('ready', this.#readyListener);
  }

  #unlisten(): void {
    if (this.#readyListener !== undefined) this.#transport.off('ready', this.#readyListener);
    this.#readyListener = undefined;
  }

  #wake(): void {
    const waiters = this.#waiters;
    if (waiters === undefined) return;
    const { bytes } = this.backlog;
    const remaining = waiters.filter((waiter) => waiter.bytes < bytes);
    this.#waiters = remaining.length === 0 ? undefined : remaining;
    for (const waiter of waiters) if (waiter.bytes >= bytes) waiter.resolve();
  }

  /** Right after this call, Engine.IO sends over the WebSocket what waited for a poll. Events follow that. */
  #changeTransport(): void {
    if (this.#isClosed) return;
    const isListening = this.#readyListener !== undefined;
    this.#unlisten();
    this.#transport = this.#connection.transport;
    this.#webSocket = webSocketOf(this.#connection);
    if (isListening) this.#listen();
    if (this.#queue.length > 0) this.#schedule();
  }

  /** Socket.IO is about to write a packet of its own: events that were given before it go first. */
  readonly #onPacketCreate = (packet: EnginePacket): void => {
    if (packet.type !== 'message' || isEvent(packet)) return;
    if (this.#queue.length > 0) this.#handAll();
    // Answers that a client does not read count like events.
    if (this.#transport.writable || typeof packet.data !== 'string') return;
    const { length } = packet.data;
    this.#unread ??= new UnreadEvents(this.#buffers, this);
    this.#unread.send(new HeldBytes(length), length);
    this.#listen();
    this.#schedule();
  };

  /** Gives Engine.IO everything that waits here, whether the transport can take it or not. */
  #handAll(): void {
    if (this.#webSocket === undefined) {
      this.#writePackets(this.#queue.length);
      return;
    }
    const events = this.#take(this.#queue.length);
    this.#connection.write('', { ...EVENT_OPTIONS, ...preEncoded(this.#framesOf(events)) });
    if (unsentBytes(this.#connection) > 0) this.#noteSending(events);
  }
}

function isEvent({ options }: EnginePacket): boolean {
  return options !== undefined && 'isEvent' in options;
}
