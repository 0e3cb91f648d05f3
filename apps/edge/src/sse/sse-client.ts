import {
  type CloseReason,
  CONNECTION_CLOSING_EVENT,
  describeClosing,
  type EventPosition,
  formatEventId,
  SUBSCRIPTION_POSITION_EVENT,
  SUBSCRIPTION_RESET_EVENT,
  type SubscriptionPosition,
} from '@wafleet/contract';
import type { Identity } from '../access/identity.js';
import type { EncodedEvent } from '../fanout/encoded-event.js';
import type { EventFanout } from '../fanout/event-fanout.js';
import { eventBlock, type SseBlock, textBlock } from '../fanout/sse-block.js';
import type { EventSink } from '../streams/event-sink.js';
import { type Beginning, EventStream, type Started, type StreamResources } from '../streams/event-stream.js';
import type { SubscriptionSet } from '../streams/subscription-set.js';
import { describeLoss, type LostRange, previous } from '../streams/tenant-stream.js';
import type { SseWriter } from './sse-writer.js';

/** How long an EventSource waits before it connects again, ms. */
const RETRY_MS = 1_000;
const RETRY = textBlock(`retry: ${RETRY_MS}\n\n`);
/** A comment, so that proxies and clients see that the connection is alive. */
const HEARTBEAT = textBlock(':\n\n');

/** Counts the clients with an open stream, the events given to them, and why streams were closed. */
export interface SseTally {
  sseClients: number;
  sseEvents: number;
  countClosed(reason: CloseReason): void;
}

export interface SseClientResources extends StreamResources {
  readonly fanout: EventFanout;
  readonly tally: SseTally;
}

/** Whose stream it is. */
type SseIdentity = Pick<Identity, 'tenantId' | 'keyId' | 'sessions'>;

/** A client of Server-Sent Events, from its request to the end of its response. */
export class SseClient implements EventSink {
  readonly #identity: SseIdentity;
  readonly #resources: SseClientResources;
  readonly #stream: EventStream;
  #writer: SseWriter | undefined;
  #isClosed = false;
  #isLive = false;
  /** The last id that was sent to the client. */
  #lastId: string | undefined;

  constructor(identity: SseIdentity, resources: SseClientResources) {
    const { tenantId, keyId } = identity;
    this.#identity = identity;
    this.#resources = resources;
    this.#stream = new EventStream({ owner: { tenantId, keyId }, sink: this, resources });
    resources.streams.enter(tenantId, this.#stream);
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#writer?.isClosed === false;
  }

  /** @throws {WafleetError} UNAVAILABLE */
  subscribe(subscription: SubscriptionSet, beginning: Beginning): Promise<Started> {
    return this.#stream.subscribe(subscription, beginning);
  }

  /** Everything is written to this writer from now on. */
  begin(writer: SseWriter): void {
    this.#writer = writer;
    writer.write(RETRY);
  }

  write(event: EncodedEvent): void {
    this.#resources.tally.sseEvents += 1;
    this.#tell(event);
  }

  drained(bytes: number): Promise<void> {
    return this.#writer?.drained(bytes) ?? Promise.resolve();
  }

  /**
   * Reports a loss. The id of the report is the position before the first remaining event, so that a client that
   * connects again after the report continues there.
   */
  tellReset(range: LostRange): void {
    this.#tell(
      eventBlock(formatEventId(previous(range.before)), SUBSCRIPTION_RESET_EVENT, describeLoss(range)),
    );
  }

  goLive(added: SubscriptionSet, position: EventPosition): void {
    this.#isLive = true;
    const { fanout } = this.#resources;
    const { sessions } = this.#identity;
    for (const room of added.rooms(this.#identity)) fanout.join(room, this.#stream, sessions);
    this.#tellPosition(position);
  }

  /** Shows that the connection is alive. Sends the position if it has changed without an event for the client. */
  beat(): void {
    if (!this.isOpen || (this.#writer?.backlog.bytes ?? 0) > 0) return;
    const position = this.#isLive ? this.#stream.given : undefined;
    if (position === undefined || formatEventId(position) === this.#lastId) this.#writer?.write(HEARTBEAT);
    else this.#tellPosition(position);
  }

  /** Ends the response and reports the reason. Returns false if it was ended before. */
  close(reason: CloseReason): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#writer?.end(eventBlock(undefined, CONNECTION_CLOSING_EVENT, describeClosing(reason)));
    return true;
  }

  /** Ends the response; the client connects again. */
  end(): void {
    this.#isClosed = true;
    this.#writer?.end();
  }

  /** Releases everything that it holds. Call it when its response is closed. */
  release(): void {
    this.#isClosed = true;
    this.#stream.close();
    const { fanout, streams } = this.#resources;
    for (const room of this.#stream.subscription.rooms(this.#identity)) fanout.leave(room, this.#stream);
    streams.leave(this.#identity.tenantId, this.#stream);
  }

  #tellPosition(at: EventPosition): void {
    const payload: SubscriptionPosition = { position: formatEventId(at) };
    this.#tell(eventBlock(payload.position, SUBSCRIPTION_POSITION_EVENT, payload));
  }

  #tell(block: SseBlock): void {
    this.#lastId = block.eventId;
    this.#writer?.write(block);
  }
}
